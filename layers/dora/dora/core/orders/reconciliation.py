"""The merge of the journal with what the exchange shows: what is proven of each order, and what is not."""

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from dora.core.exchange.account import Order, OrderStatus
from dora.core.exchange.book import Resting
from dora.core.exchange.market import Slot, Trade
from dora.core.orders.evidence import (
    EXPIRY_MARGIN_MS,
    Evidence,
    Judge,
    as_shown,
)
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.row_names import client_ids_by_order_id, relearned, rows_by_name
from dora.core.units import Count, TimeMs

ORPHAN_LEVEL = -1
"""Level of an order that carries our prefix but stands in no slot we know: it is cancelled."""


TRADE_CLOCK_MARGIN_MS = 1_000
"""By how much the stamps of public trades and of our own writes may differ: two services give them."""


class Resolution(NamedTuple):
    """One thing the merge learned, for the log: what happened to which order, and by what evidence."""

    order: TrackedOrder
    was: OrderState | None
    evidence: str


class ReconciledOrders(NamedTuple):
    """Our orders as far as they are proven, and everybody else's of this account.

    In `frozen` slots nothing may be done this cycle: an order in them is unproven, was not seen, or is about
    to expire by itself. In `blocked` markets nothing may be placed or changed, only cancelled: an order of
    theirs is missing. `shown` are the orders of which a row was read that is not older than our last write to
    them. `missing_from_list` orders rest by their own rows, but a complete list did not show them. The last
    acknowledged write to each of the `unseen` orders is missing from the reads, and has been for too long.
    """

    journal: Journal
    external: tuple[Order, ...]
    frozen: frozenset[Slot]
    blocked: frozenset[str]
    resolutions: tuple[Resolution, ...]
    missing_from_list: tuple[TrackedOrder, ...] = ()
    shown: frozenset[str] = frozenset()
    unseen: tuple[TrackedOrder, ...] = ()
    invisible: tuple[TrackedOrder, ...] = ()
    """Those that have become missing, because no read shows them although the reads have moved on."""

    def counting(self) -> "ReconciledOrders":
        """Itself, with those orders alone that still count: open ones, and ended ones not wholly booked."""
        closed = OrderState.CLOSED
        orders = {  # `unbooked`, spelt out: most orders of a journal have ended.
            key: order
            for key, order in self.journal.orders.items()
            if order.state is not closed or order.count - order.reduced - order.remaining - order.booked > 0
        }
        return self._replace(journal=Journal(orders))

    def resting_by_ticker(self) -> dict[str, tuple[Resting, ...]]:
        """By ticker, what of our account may stand in the books: open orders and foreign rows."""
        found: dict[str, list[Resting]] = {}
        closed = OrderState.CLOSED
        for order in self.journal.orders.values():
            if order.state is not closed:
                ticker, side, _ = order.slot
                found.setdefault(ticker, []).append((side, order.price, order.remaining))
        for row in self.external:
            found.setdefault(row.ticker, []).append((row.side, row.price, row.remaining))
        return {ticker: tuple(rows) for ticker, rows in found.items()}


def merge(
    journal: Journal, evidence: Evidence, *, prefix: str, now_ms: TimeMs, hold_ms: int, tombstone_ms: int
) -> ReconciledOrders:
    """The journal brought up to date with what was read. Pure; the same input once more changes nothing."""
    read, judge = evidence.rows, Judge(evidence, hold_ms)
    journal = relearned(journal, read)
    names = client_ids_by_order_id(journal, read)
    rows = rows_by_name(journal, read, names)
    orders: dict[str, TrackedOrder] = {}
    resolutions: list[Resolution] = []
    closed = OrderState.CLOSED
    for key, order in journal.orders.items():
        row, after, why = rows.get(key), order, ""
        if order.state is not closed:
            after, why = judge.apply_row(order, row)
        elif row is not None:
            after, why = _closed(order, row)
        if after.state is closed and _forgettable(after, evidence.as_of_ms, now_ms, tombstone_ms):
            continue
        orders[key] = after
        if after.state is not order.state:
            resolutions.append(Resolution(after, order.state, why))
    ours, external = _split(journal, evidence, prefix, names)
    for key in sorted(ours - journal.orders.keys()):
        if rows[key].status is OrderStatus.RESTING:
            orders[key] = _orphan(key, rows[key])
            resolutions.append(Resolution(orders[key], None, "resting with our prefix, in no journal"))
    still_open = [order for order in orders.values() if order.state is not closed]
    unproven = [order for order in still_open if not _proven(order, rows, now_ms)]
    listed = {row.order_id for row in evidence.resting or ()}
    return ReconciledOrders(
        journal=Journal(orders),
        external=external,
        frozen=frozenset(order.slot for order in unproven),
        blocked=frozenset(o.slot.ticker for o in unproven if o.state is OrderState.NOT_FOUND),
        resolutions=tuple(resolutions),
        missing_from_list=tuple(o for o in still_open if _missing_from_list(o, evidence, listed)),
        shown=frozenset(key for key, row in rows.items() if key in orders and not _is_old(journal, key, row)),
    )


def _is_old(journal: Journal, key: str, row: Order) -> bool:
    known = journal.orders.get(key)
    return known is not None and row.updated_ms < known.write_ms


def _proven(order: TrackedOrder, rows: Mapping[str, Order], now_ms: TimeMs) -> bool:
    return (
        order.state is OrderState.LIVE
        and order.client_order_id in rows
        and not order.expires_by(TimeMs(now_ms + EXPIRY_MARGIN_MS))
    )


def _missing_from_list(order: TrackedOrder, evidence: Evidence, listed: Set[str]) -> bool:
    """Whether a complete list lacks it although it rests by its own row."""
    if order.state is not OrderState.LIVE or evidence.resting is None or order.order_id in listed:
        return False
    row = evidence.looked_up.get(order.order_id or "")
    return row is not None and row.status is OrderStatus.RESTING


def _split(
    journal: Journal, evidence: Evidence, prefix: str, names: Mapping[str, str]
) -> tuple[set[str], tuple[Order, ...]]:
    """Names of our resting orders, and everybody else's rows of this account."""
    resting = evidence.listed_resting
    listed = {names[row.order_id] for row in resting}
    ours = {name for name in listed if name.startswith(prefix) or name in journal.orders}
    return ours, tuple(row for row in resting if names[row.order_id] not in ours)


def _closed(order: TrackedOrder, row: Order) -> tuple[TrackedOrder, str]:
    """A row that is newer than the end we were told of means we were told wrongly."""
    if row.status is OrderStatus.RESTING and row.updated_ms > order.write_ms:
        return as_shown(order, row, OrderState.LIVE), "resting row newer than its end"
    return order, "closed"


def _forgettable(order: TrackedOrder, as_of_ms: TimeMs, now_ms: TimeMs, tombstone_ms: int) -> bool:
    """A tombstone outlives the late rows that it hides: never dropped while reads are older than the end."""
    ended = max(order.sent_ms, order.write_ms)
    return now_ms > ended + tombstone_ms and as_of_ms >= ended and not order.unbooked


def _orphan(name: str, row: Order) -> TrackedOrder:
    return TrackedOrder(
        client_order_id=name,
        slot=Slot(row.ticker, row.side, ORPHAN_LEVEL),
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


def maybe_filled(order: TrackedOrder, prints: Iterable[Trade], since_ms: TimeMs) -> bool:
    """Whether a public trade since then may have been ours: it took our side at our price or past it.

    Reads of our orders lag; the tape does not. An order that may be gone is left for the next look, for a
    cancel of it would find nothing. A trade from before the last acknowledged write to it met it no more.
    """
    side, price = order.slot.side, order.price
    first_ms = max(since_ms, order.write_ms - TRADE_CLOCK_MARGIN_MS)
    return any(
        found.maker_side is side and found.at_ms >= first_ms and (price - found.price) * side.sign >= 0
        for found in prints
    )
