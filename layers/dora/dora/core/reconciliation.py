"""The merge of the journal with what the exchange shows: what is proven of each order, and what is not.

A row of a read is a replica's view: it counts only when it is not older than the engine's time of our last
acknowledged write to that order. Absence proves nothing about an order that was acknowledged; of one that
was never answered it proves something only in complete lists, read and dated after its hold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dora.core.journal import Journal, OrderState, TrackedOrder
from dora.core.model import Order, OrderStatus, Print, Side, Slot
from dora.core.units import Count, TimeMs

STRAY_LEVEL = -1
"""Level of an order that carries our prefix but stands in no slot we know: it is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was read of our orders this cycle.

    `resting` is complete or None (unknown). `looked_up` holds single-order reads (None = 404), `listings`
    complete lists of every status by ticker. `as_of_ms` dates the reads: the older of the exchange's
    own stamps before and after them.
    """

    began_ms: TimeMs
    as_of_ms: TimeMs
    resting: tuple[Order, ...] | None
    looked_up: Mapping[str, Order | None] = field(default_factory=dict)
    listings: Mapping[str, tuple[Order, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Questions:
    """Targeted reads that would settle what the resting list left open."""

    order_ids: tuple[str, ...]
    tickers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """One thing the merge learned, for the log: what happened to which order, and by what evidence."""

    order: TrackedOrder
    was: OrderState | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Our orders as far as they are proven, and everybody else's of this account.

    In `frozen` slots nothing may be done this cycle: an order in them is unproven or was not seen. In
    `blocked` markets nothing may be placed or changed, only cancelled: an order of theirs is missing.
    """

    journal: Journal
    foreign: tuple[Order, ...]
    frozen: frozenset[Slot]
    blocked: frozenset[str]
    resolutions: tuple[Resolution, ...]


def ask(journal: Journal, resting: Iterable[Order], now_ms: TimeMs, hold_ms: int) -> Questions:
    """Which orders need a look: acknowledged but not listed, or unanswered and past their hold."""
    listed = {row.order_id for row in resting} | {row.client_order_id for row in resting}
    ids, tickers = [], []
    for order in journal.orders.values():
        if not order.open or order.client_order_id in listed:
            continue
        if order.order_id is not None:
            ids.append(order.order_id)
        elif now_ms > order.sent_ms + hold_ms:
            tickers.append(order.slot.ticker)
    return Questions(tuple(sorted(ids)), tuple(sorted(set(tickers))))


def merge(
    journal: Journal, evidence: Evidence, *, prefix: str, now_ms: TimeMs, hold_ms: int, tombstone_ms: int
) -> View:
    """The journal brought up to date with what was read. Pure; the same input once more changes nothing."""
    rows = _rows(evidence)
    evidence = replace(evidence, listings=_sound_listings(journal, evidence))
    orders: dict[str, TrackedOrder] = {}
    resolutions: list[Resolution] = []
    for key, order in journal.orders.items():
        row = rows.get(key)
        after, why = _judge(order, row, evidence, hold_ms) if order.open else _closed(order, row)
        if not after.open and _forgettable(after, now_ms, tombstone_ms):
            continue
        orders[key] = after
        if after.state is not order.state:
            resolutions.append(Resolution(after, order.state, why))
    ours, foreign = _split(evidence.resting or (), prefix)
    for key in sorted(ours - journal.orders.keys()):
        if rows[key].status is OrderStatus.RESTING:
            orders[key] = _stray(rows[key])
            resolutions.append(Resolution(orders[key], None, "resting with our prefix, in no journal"))
    unproven = [order for order in orders.values() if order.open and not _proven(order, rows)]
    return View(
        journal=Journal(orders),
        foreign=foreign,
        frozen=frozenset(order.slot for order in unproven),
        blocked=frozenset(o.slot.ticker for o in unproven if o.state is OrderState.MISSING),
        resolutions=tuple(resolutions),
    )


def _sound_listings(journal: Journal, evidence: Evidence) -> dict[str, tuple[Order, ...]]:
    """Lists that hold every order we know to exist: one that lacks such a row is late, cut or blank."""
    known: dict[str, set[str]] = {}
    for order in journal.orders.values():
        if order.order_id is not None:
            known.setdefault(order.slot.ticker, set()).add(order.order_id)
    return {
        ticker: rows
        for ticker, rows in evidence.listings.items()
        if known.get(ticker, set()) <= {row.order_id for row in rows}
    }


def _proven(order: TrackedOrder, rows: Mapping[str, Order]) -> bool:
    return order.state is OrderState.LIVE and order.client_order_id in rows


def _split(resting: tuple[Order, ...], prefix: str) -> tuple[set[str], tuple[Order, ...]]:
    """Client ids of our resting rows, and everybody else's rows of this account."""
    ours = {row.client_order_id for row in resting if row.client_order_id.startswith(prefix)}
    return ours, tuple(row for row in resting if row.client_order_id not in ours)


def _rows(evidence: Evidence) -> dict[str, Order]:
    """The latest row of each order by client id; at equal times a terminal one, which is final."""
    found: dict[str, Order] = {}
    looked_up = [row for row in evidence.looked_up.values() if row is not None]
    listed = [row for rows in evidence.listings.values() for row in rows]
    for row in (*(evidence.resting or ()), *looked_up, *listed):
        known = found.get(row.client_order_id)
        if known is None or _rank(row) > _rank(known):
            found[row.client_order_id] = row
    return found


def _rank(row: Order) -> tuple[int, bool]:
    return row.updated_ms, row.status is not OrderStatus.RESTING


def _judge(
    order: TrackedOrder, row: Order | None, evidence: Evidence, hold_ms: int
) -> tuple[TrackedOrder, str]:
    if row is None:
        return _unseen(order, evidence, hold_ms)
    if row.updated_ms < order.write_ms:
        return order, "row older than our last write"
    if row.status is not OrderStatus.RESTING:
        return _seen(order, row, OrderState.CLOSED), f"row says {row.status}"
    return _resting(order, row, evidence)


def _seen(order: TrackedOrder, row: Order, state: OrderState) -> TrackedOrder:
    remaining = row.remaining if state is not OrderState.CLOSED else Count(0)
    return replace(
        order,
        state=state,
        order_id=row.order_id,
        price=row.price,
        remaining=remaining,
        reduced=Count(order.count - row.filled - remaining),
        write_ms=max(order.write_ms, row.updated_ms),
    )


def _resting(order: TrackedOrder, row: Order, evidence: Evidence) -> tuple[TrackedOrder, str]:
    if order.state is OrderState.MISSING and row.updated_ms <= order.sent_ms:
        return order, "resting row from before the 404"
    if order.state is OrderState.CHANGING and evidence.as_of_ms <= order.sent_ms:
        return order, "reads not yet later than the unanswered request"
    return _seen(order, row, OrderState.LIVE), "resting row"


def _unseen(order: TrackedOrder, evidence: Evidence, hold_ms: int) -> tuple[TrackedOrder, str]:
    hold_ends = order.sent_ms + hold_ms
    dated_later = min(evidence.began_ms, evidence.as_of_ms) > hold_ends
    if order.order_id is None and dated_later and order.slot.ticker in evidence.listings:
        gone = replace(order, state=OrderState.CLOSED, remaining=Count(0), reduced=order.count)
        return gone, "hold over, later complete lists without it"
    return order, "not seen"


def _closed(order: TrackedOrder, row: Order | None) -> tuple[TrackedOrder, str]:
    """A row that is newer than the end we were told of means we were told wrongly."""
    if row is not None and row.status is OrderStatus.RESTING and row.updated_ms > order.write_ms:
        return _seen(order, row, OrderState.LIVE), "resting row newer than its end"
    return order, "closed"


def _forgettable(order: TrackedOrder, now_ms: TimeMs, tombstone_ms: int) -> bool:
    ended = max(order.sent_ms, order.write_ms)
    return now_ms > ended + tombstone_ms and not order.unbooked


def _stray(row: Order) -> TrackedOrder:
    return TrackedOrder(
        client_order_id=row.client_order_id,
        slot=Slot(row.ticker, row.side, STRAY_LEVEL),
        shard=row.shard,
        price=row.price,
        count=row.initial,
        remaining=row.remaining,
        state=OrderState.LIVE,
        sent_ms=row.updated_ms,
        order_id=row.order_id,
        write_ms=row.updated_ms,
        reduced=Count(row.initial - row.remaining - row.filled),
        booked=row.filled,
        group_id=row.group_id,
    )


def maybe_filled(order: TrackedOrder, prints: Iterable[Print], since_ms: TimeMs) -> bool:
    """Whether a public trade since then may have been ours: it took our side at our price or past it.

    Reads of our orders lag; the tape does not. An order that may be gone is left for the next look, for a
    cancel of it would find nothing.
    """
    side, price = order.slot.side, order.price
    return any(
        found.taken is side and found.at_ms >= since_ms and (price - found.price) * side.sign >= 0
        for found in prints
    )


@dataclass(frozen=True, slots=True)
class Exposure:
    """The worst case of one market: net YES contracts now, and what may still be added on each side."""

    net: Count
    bids: Count
    asks: Count


def exposure(net: Count, orders: Iterable[TrackedOrder], foreign: Iterable[Order] = ()) -> Exposure:
    """Booked position plus proven unbooked fills; every open order, proven or not, counts in full."""
    resting = {Side.BID: 0, Side.ASK: 0}
    held = int(net)
    for order in orders:
        held += order.slot.side.sign * order.unbooked
        resting[order.slot.side] += order.remaining if order.open else 0
    for row in foreign:
        resting[row.side] += row.remaining
    return Exposure(Count(held), Count(resting[Side.BID]), Count(resting[Side.ASK]))
