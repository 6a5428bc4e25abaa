"""What reads and the engine's answers prove of one order: the rules of evidence.

A row of a read is a replica's view: it counts only when it is not older than the engine's time of our last
acknowledged write to that order. Absence from a list proves nothing: a list may be late, cut or blank.

What became of a create that was never answered is settled by a row of it, or else by an id probe: the engine
takes a client order id once, so a probe under the same id is either granted (no order had it) or taken. An
exchange may free the ids of finished orders, though, and a create that came and filled stays out of sight of
reads that lag. So a grant counts only with a complete list, stamped later than the hold, that shows no other
row of that id: such a list is later than anything the create could have done. It shows the probe's own row,
or the grant is older than PROBE_LISTED_MS, for killed orders may not be listed. Without a grant a create is
gone once its own expiry has passed, or once its group is triggered and two holds are over.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from dora.core.empty import EMPTY
from dora.core.exchange.account import Order, OrderStatus
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.requests import IdProbe
from dora.core.orders.row_names import is_probe_row, named_rows, relearned
from dora.core.units import Count, TimeMs

FORGOTTEN_MS = 24 * 3_600_000
"""Orders that expired longer ago are gone, though the exchange may show no row of them any more."""
EXPIRY_MARGIN_MS = 5_000
"""This long before and after its expiry, by our clock, nobody knows whether an order still rests."""
LIST_AFTER_MS = 20_000
"""So long after its send most creates that were never answered are found in a list of every status."""
MISNAMED_AFTER_MS = 90_000
"""So long after its 404 an order that no look-up under its id has shown is looked for by its client id: the
answer to its create may have named an id that nobody has. One look-up under the id has its turn before."""
LIST_MARGIN_MS = 180_000
"""Such a list begins so much before the latest time at which the create may have been signed: longer than an
invocation lasts, plus any skew of the clocks."""
PROBE_LISTED_MS = 600_000
"""A grant this old counts although no list shows the probe's own row: killed orders may not be listed."""
TURN_MS = 60_000
"""One turn of those that share a limited number of reads: about a cycle."""

T = TypeVar("T")


class Evidence(NamedTuple):
    """What was read of our orders this cycle.

    `resting` is complete or None (unknown); `partial` holds what was read of it before it failed. `looked_up`
    holds single-order reads that were answered (None: a 404, which proves nothing), `listings` complete lists
    of every status by ticker, `tripped` the triggered groups: nothing of theirs rests. `as_of_ms` dates the
    reads: the older of the exchange's own stamps before and after them.
    """

    began_ms: TimeMs
    as_of_ms: TimeMs
    resting: tuple[Order, ...] | None
    partial: tuple[Order, ...] = ()
    looked_up: Mapping[str, Order | None] = EMPTY
    listings: Mapping[str, tuple[Order, ...]] = EMPTY
    tripped: frozenset[str] = frozenset()

    @property
    def listed_resting(self) -> tuple[Order, ...]:
        """Rows of the resting list, as many as were read."""
        return self.partial if self.resting is None else self.resting

    @property
    def rows(self) -> tuple[Order, ...]:
        """Every row that was read, whatever it was read for."""
        looked_up = (row for row in self.looked_up.values() if row is not None)
        listed = (row for rows in self.listings.values() for row in rows)
        return (*self.listed_resting, *looked_up, *listed)


class Lookups(NamedTuple):
    """Targeted reads that would settle what the resting list left open, those that wait longest first."""

    order_ids: tuple[str, ...]
    since_ms: Mapping[str, TimeMs]
    """Tickers whose list of every status is wanted, and from when on."""

    @property
    def tickers(self) -> tuple[str, ...]:
        """Whose list is wanted."""
        return tuple(self.since_ms)


def lookups_needed(journal: Journal, resting: Iterable[Order], now_ms: TimeMs) -> Lookups:
    """Which orders need a look: acknowledged but not shown by a row that counts, or never answered.

    A missing order is looked up although it is listed: its row is from before the 404. While it stays
    missing, its market's list is wanted too: only a row of its client id can show an order of a wrong id.
    """
    rows = tuple(resting)
    shown = {row.order_id: row.updated_ms for row in rows}
    shown |= {row.client_order_id: row.updated_ms for row in rows}
    ids: list[str] = []
    since: dict[str, TimeMs] = {}
    orders = relearned(journal, rows).orders.values()
    left = (o for o in orders if o.state is not OrderState.CLOSED and not _is_shown(o, shown))
    for order in sorted(left, key=_waits_since):
        if order.order_id is not None:
            ids.append(order.order_id)
        if _wants_list(order, now_ms):
            ticker, since_ms = order.slot.ticker, _made_after_ms(order)
            since[ticker] = min(since.get(ticker, since_ms), since_ms)
    return Lookups(tuple(ids), since)


def _wants_list(order: TrackedOrder, now_ms: TimeMs) -> bool:
    """Whether only a list of every status can show it: one row among those of its market."""
    if order.order_id is None:
        return now_ms > order.sent_ms + LIST_AFTER_MS
    return order.state is OrderState.NOT_FOUND and now_ms > order.sent_ms + MISNAMED_AFTER_MS


def _made_after_ms(order: TrackedOrder) -> TimeMs:
    """Of an order that was acknowledged nobody knows when it was made: its market's whole list is asked."""
    acknowledged = order.state is not OrderState.PENDING_NEW
    return TimeMs(0 if acknowledged else max(order.sent_ms - LIST_MARGIN_MS, 0))


def _waits_since(order: TrackedOrder) -> tuple[int, str]:
    return max(order.sent_ms, order.write_ms), order.client_order_id


def _is_shown(order: TrackedOrder, shown: Mapping[str, TimeMs]) -> bool:
    updated_ms = shown.get(order.order_id or order.client_order_id, shown.get(order.client_order_id))
    return updated_ms is not None and updated_ms >= order.write_ms and order.state is not OrderState.NOT_FOUND


def in_turn(items: Sequence[T], most: int, now_ms: TimeMs) -> Sequence[T]:
    """At most so many of the items; where there are more, each has its turn within a few cycles."""
    if len(items) <= most:
        return items
    first = now_ms // TURN_MS * most % len(items)
    return [*items[first:], *items[:first]][:most]


def unprobed(journal: Journal, evidence: Evidence, hold_ms: int) -> tuple[TrackedOrder, ...]:
    """Creates that were never answered, are past their hold and in no row, and whose id was not yet probed.

    A list of every status is asked first: an id is spent only where no row settles the create.
    """
    waiting = {
        key: order
        for key, order in journal.orders.items()
        if order.state is OrderState.PENDING_NEW
        and order.order_id is None
        and order.probe is None
        and order.slot.ticker in evidence.listings
        and hold_is_over(order, evidence.began_ms, hold_ms)
    }
    rows = named_rows(journal, evidence.rows) if waiting else {}
    return tuple(order for key, order in sorted(waiting.items()) if key not in rows)


def note_probes(journal: Journal, said: Mapping[str, IdProbe], now_ms: TimeMs) -> Journal:
    """The journal with the engine's answers, by client order id; no id is probed again after one."""
    probed = (journal.orders[key]._replace(probe=probe, probed_ms=now_ms) for key, probe in said.items())
    return journal.with_orders(probed)


def hold_is_over(order: TrackedOrder, now_ms: TimeMs, hold_ms: int) -> bool:
    """Whether no request about it can be accepted any more: its signature is too old by now."""
    return now_ms > order.sent_ms + hold_ms


def as_shown(order: TrackedOrder, row: Order, state: OrderState) -> TrackedOrder:
    """The order as a row that counts shows it; what neither rests nor was filled has been taken off."""
    remaining = row.remaining if state is not OrderState.CLOSED else Count(0)
    if _is_as_shown(order, row, state, remaining):
        return order
    return order._replace(
        state=state,
        order_id=row.order_id,
        price=row.price,
        remaining=remaining,
        reduced=Count(order.count - row.filled - remaining),
        write_ms=max(order.write_ms, row.updated_ms),
        expires_ms=row.expires_ms or order.expires_ms,
    )


def _is_as_shown(order: TrackedOrder, row: Order, state: OrderState, remaining: Count) -> bool:
    """Whether the row says nothing new; most rows of most cycles do not."""
    return (
        order.state is state
        and order.order_id == row.order_id
        and order.price == row.price
        and order.remaining == remaining
        and order.reduced == order.count - row.filled - remaining
        and order.write_ms >= row.updated_ms
        and (not row.expires_ms or order.expires_ms == row.expires_ms)
    )


class Judge(NamedTuple):
    """What the evidence says of one open order, and in which words."""

    evidence: Evidence
    hold_ms: int

    def apply_row(self, order: TrackedOrder, row: Order | None) -> tuple[TrackedOrder, str]:
        if row is None or is_probe_row(order, row):
            return self._unseen(order, row)
        if row.updated_ms < order.write_ms:
            return order, "row older than our last write"
        if row.status is not OrderStatus.RESTING:
            return as_shown(order, row, OrderState.CLOSED), f"row says {row.status}"
        return self._resting(order, row)

    def _resting(self, order: TrackedOrder, row: Order) -> tuple[TrackedOrder, str]:
        """An unanswered cancel or decrease has come, or never will, once its hold is over."""
        if order.state is OrderState.NOT_FOUND and row.updated_ms <= order.sent_ms:
            return order, "resting row from before the 404"
        answered = self.evidence.as_of_ms > order.sent_ms or self._hold_over(order)
        if order.state is OrderState.PENDING_CHANGE and not answered:
            return order, "reads not yet later than the unanswered request"
        return as_shown(order, row, OrderState.LIVE), "resting row"

    def _unseen(self, order: TrackedOrder, probe: Order | None) -> tuple[TrackedOrder, str]:
        """Of an order whose exchange id we know, absence proves nothing, but its own expiry does in time.

        `probe` is the row of its id probe.
        """
        if order.order_id is not None and self._forgotten(order):
            taken_off = Count(order.reduced + order.remaining)
            gone = order._replace(state=OrderState.CLOSED, remaining=Count(0), reduced=taken_off)
            return gone, "expired a day ago, and in no list any more"
        if order.order_id is not None or not self._hold_over(order):
            return order, "not seen"
        why = self._gone(order)
        if why is None:
            return order, "not seen"
        if probe is not None:
            return as_shown(order, probe, OrderState.CLOSED), why
        return order._replace(state=OrderState.CLOSED, remaining=Count(0), reduced=order.count), why

    def _gone(self, order: TrackedOrder) -> str | None:
        """Why a create that was never answered can neither rest nor come to rest, its hold being over."""
        if self._never_came(order):
            return "hold over, and its id was still free"
        if order.expires_by(TimeMs(self.evidence.began_ms - EXPIRY_MARGIN_MS)):
            return "never answered, and expired"
        if order.group_id in self.evidence.tripped and self._hold_over(order, holds=2):
            return "hold over, and its group is triggered"
        return None

    def _never_came(self, order: TrackedOrder) -> bool:
        """Whether a complete list, later than all the create could have done, shows the probe's row alone.

        Its own row would have been judged instead. A probe that was never answered counts by its row as well.
        """
        listed = self.evidence.listings.get(order.slot.ticker)
        if listed is None or not hold_is_over(order, self.evidence.as_of_ms, self.hold_ms):
            return False
        if any(row.client_order_id == order.client_order_id for row in listed):
            return True
        return order.probe is IdProbe.GRANTED and self.evidence.began_ms > order.probed_ms + PROBE_LISTED_MS

    def _forgotten(self, order: TrackedOrder) -> bool:
        """Rows of ended orders are listed for weeks only; a bot that was away for longer meets none."""
        long_ago_ms = TimeMs(self.evidence.began_ms - FORGOTTEN_MS)
        return self.evidence.resting is not None and order.expires_by(long_ago_ms)

    def _hold_over(self, order: TrackedOrder, holds: int = 1) -> bool:
        """Twice for what a read of the groups is to prove, which may be late itself."""
        return hold_is_over(order, self.evidence.began_ms, holds * self.hold_ms)
