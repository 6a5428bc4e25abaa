"""What reads show: the state as of now minus the lag of that endpoint (and shard)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .model import RESTING, Fill, Order, OrderVersion

if TYPE_CHECKING:
    from .groups import Group
    from .member import Member
    from .venue import Venue

LAGGING = ("orders", "fills", "positions", "balance")


@dataclass(frozen=True)
class Filter:
    """Restrictions of a list; None or empty restricts nothing. Times are Unix seconds."""

    status: str = ""
    tickers: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    order_id: str = ""
    subaccount: int | None = None
    shard: int | None = None
    min_s: int | None = None
    max_s: int | None = None
    historical: bool = False


class ReadModel:
    """The replica that answers reads."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def as_of_ms(self, kind: str, shard: int | None = None) -> int:
        """The moment a read of that kind describes; a frozen replica stands still."""
        knobs = self._venue.knobs
        frozen_ms = self._venue.frozen_reads_ms
        base_ms = self._venue.now_ms() if frozen_ms is None else frozen_ms
        extra_ms = dict(knobs.shard_lag_ms).get(shard, 0) if knobs.shard_lag_ms and shard is not None else 0
        return base_ms - int(getattr(knobs, f"{kind}_lag_ms")) - extra_ms

    def user_data_ms(self, member: Member | None) -> int:
        """The account-wide stamp: approximate, and by its knob ahead of what the reads show."""
        knobs = self._venue.knobs
        oldest_ms = min(self.as_of_ms(kind) for kind in LAGGING)
        if knobs.user_data_timestamp_on_activity:
            active = (
                member.active_ms
                if member
                else max((m.active_ms for m in self._venue.members.values()), default=0)
            )
            oldest_ms = min(oldest_ms, active or self._venue.started_ms)
        return oldest_ms + knobs.user_data_timestamp_offset_ms

    def cutoff_ms(self) -> int:
        """Older fills and finished orders live under /historical only."""
        return self._venue.now_ms() - self._venue.knobs.historical_age_ms

    def trades_cutoff_ms(self) -> int:
        """The same of public trades."""
        age_ms = self._venue.knobs.historical_trades_age_ms
        return self.cutoff_ms() if age_ms is None else self._venue.now_ms() - age_ms

    def orders(
        self, member: Member, wanted: Filter, before: int | None
    ) -> Iterator[tuple[int, tuple[Order, OrderVersion]]]:
        """(sequence, (order, version)), newest first, from below `before`."""
        for order in self._candidates(member, wanted, before):
            version = order.as_of(self.as_of_ms("orders", order.market.shard))
            if version and self._order_fits(order, version, wanted):
                yield order.seq, (order, version)

    def order(self, member: Member, order_id: str) -> tuple[Order, OrderVersion] | None:
        """One order, or None while the replica does not know it."""
        order = member.by_id.get(order_id)
        version = order.as_of(self.as_of_ms("orders", order.market.shard)) if order else None
        if order is None or version is None or (self._is_historical(version)):
            return None
        return order, version

    def group_orders(self, member: Member, group: Group, as_of_ms: int) -> list[str]:
        """Ids of the group's orders that rested then."""
        orders = dict(group.orders) | {
            o.id: o for o in member.changed_since(as_of_ms) if o.group_id == group.id
        }
        versions = ((order, order.as_of(as_of_ms)) for order in orders.values())
        return [order.id for order, version in versions if version and version.status == RESTING]

    def fills(self, member: Member, wanted: Filter, after: int | None) -> Iterator[tuple[int, Fill]]:
        """(sequence, fill) in the knob's direction, beyond `after`."""
        ascending = self._venue.knobs.fills_sorted == "ascending"
        for fill in _directed(self._fills_in_time(member, wanted), ascending):
            passed = after is not None and (fill.seq <= after if ascending else fill.seq >= after)
            if not passed and self._fill_fits(fill, wanted):
                yield fill.seq, fill

    def _candidates(self, member: Member, wanted: Filter, before: int | None) -> Iterator[Order]:
        if wanted.status == RESTING and not wanted.tickers:
            oldest_ms = min(self.as_of_ms("orders", shard) for shard in self._venue.shards)
            pool = set(member.resting.values()) | set(member.changed_since(oldest_ms))
            listed: Sequence[Order] = sorted(pool, key=lambda order: order.seq)
        elif len(wanted.tickers) == 1:
            listed = member.by_ticker.get(wanted.tickers[0], [])
        else:
            listed = member.orders
        last = len(listed) if before is None else bisect_left(listed, before, key=lambda order: order.seq)
        return (listed[index] for index in range(last - 1, -1, -1))

    def _order_fits(self, order: Order, version: OrderVersion, wanted: Filter) -> bool:
        dated_ms = order.created_ms if self._venue.knobs.orders_dated_by == "created" else version.at_ms
        return (
            (not wanted.status or version.status == wanted.status)
            and self._place_fits(order, wanted)
            and (not wanted.tickers or order.market.ticker in wanted.tickers)
            and (not wanted.events or order.market.spec.event_ticker in wanted.events)
            and self._time_fits(dated_ms, wanted)
            and self._is_historical(version) == wanted.historical
        )

    def _fills_in_time(self, member: Member, wanted: Filter) -> Sequence[Fill]:
        listed = (
            member.fills_by_ticker.get(wanted.tickers[0], []) if len(wanted.tickers) == 1 else member.fills
        )
        first, last = 0, len(listed)
        if wanted.min_s is not None:
            first = bisect_left(listed, wanted.min_s * 1000, key=lambda fill: fill.at_ms)
        if wanted.max_s is not None:
            last = bisect_right(listed, wanted.max_s * 1000 + 999, key=lambda fill: fill.at_ms)
        return listed[first:last]

    def _fill_fits(self, fill: Fill, wanted: Filter) -> bool:
        order = fill.order
        return (
            not fill.hidden
            and fill.at_ms <= self.as_of_ms("fills", order.market.shard)
            and (fill.at_ms < self.cutoff_ms()) == wanted.historical
            and (not wanted.tickers or fill.trade.ticker in wanted.tickers)
            and (not wanted.order_id or order.id == wanted.order_id)
            and self._place_fits(order, wanted)
            and self._time_fits(fill.at_ms, wanted)
        )

    def _place_fits(self, order: Order, wanted: Filter) -> bool:
        return wanted.subaccount in (None, order.account.number) and wanted.shard in (
            None,
            order.market.shard,
        )

    def _time_fits(self, at_ms: int, wanted: Filter) -> bool:
        at_s = at_ms // 1000
        if wanted.min_s is not None:
            inclusive = self._venue.knobs.min_ts_inclusive
            if at_s < wanted.min_s or (at_s == wanted.min_s and not inclusive):
                return False
        return wanted.max_s is None or at_s <= wanted.max_s

    def _is_historical(self, version: OrderVersion) -> bool:
        return version.status != RESTING and version.at_ms < self.cutoff_ms()


def _directed(fills: Sequence[Fill], ascending: bool) -> Iterator[Fill]:
    return iter(fills) if ascending else reversed(fills)
