"""The order group of a single event: the exchange's brake on it between two cycles, and its life. Pure.

    asked      its create was sent, and no answer is known: an id that nobody learned takes no order of ours
    armed      created or reset, and that was answered: orders may be placed in it from the next cycle on
    resting    it tripped, or its session was stopped: it is triggered until that is answered
    latched    resting until the exchange's day is over, for it tripped too often

A trip counts toward the latch unless the mid, five minutes later, was not against what had filled.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from dora.core.calendar import day_start_ms
from dora.core.exchange.account import Fill
from dora.core.orders.journal import TrackedOrder
from dora.core.units import Count, Money, Price, TimeMs

JUDGED_AFTER_MS = 300_000
"""A trip's fills are held against the mid of so much later ..."""
JUDGED_UNTIL_MS = 600_000
"""... and not of later than this: then it is not known what they came to."""
TRIP_FILLS_MS = 120_000
"""Fills of so long before a trip was seen may have caused it."""

FIRST_ASK_WAIT_MS, LONGEST_ASK_WAIT_MS = 50_000, 1_800_000
"""Each create that is not answered may leave an empty group at the exchange: the next one waits, first for
the next cycle, then twice as long each time."""
_MOST_DOUBLINGS = 10


class Markout(StrEnum):
    """What the fills of a trip came to five minutes later."""

    UNKNOWN = "unknown"
    AGAINST = "against"
    FINE = "fine"


class Trip(NamedTuple):
    """When a trip was seen, and how it turned out."""

    at_ms: TimeMs
    markout: Markout = Markout.UNKNOWN


class EventGroup(NamedTuple):
    """One event's order group in one session. `rev` counts its writes: every write is conditional on it."""

    session_id: str
    event: str
    shard: int
    burst_limit: Count
    asked_ms: TimeMs
    """When its create was last sent."""
    group_id: str = ""
    """Empty while no create of it was answered."""
    armed_ms: TimeMs = TimeMs(0)
    """When its create or latest reset was answered; 0: it is not armed."""
    triggered: bool = False
    """Whether a trigger of it was answered since it was armed last."""
    rests_since_ms: TimeMs = TimeMs(0)
    """When it was taken off the market last."""
    trips: tuple[Trip, ...] = ()
    """Those of the exchange's day."""
    rev: int = 0
    asks: int = 0
    """Creates in a row on its shard, its own the last, of which none is known to have made a group."""

    @property
    def understood(self) -> bool:
        """Whether its item could be read. Of another at most the group is known, and it is never stored."""
        return self.rev >= 0

    @property
    def armed(self) -> bool:
        """Whether it takes orders, as far as we know."""
        return bool(self.group_id) and self.armed_ms > 0

    @property
    def ask_again_ms(self) -> TimeMs:
        """When the next create may be sent on its shard, where its own may have made a group unheard."""
        if self.group_id or not self.asks:
            return TimeMs(0)
        doubled_ms = FIRST_ASK_WAIT_MS << min(self.asks - 1, _MOST_DOUBLINGS)
        return TimeMs(self.asked_ms + min(doubled_ms, LONGEST_ASK_WAIT_MS))

    @property
    def untriggered(self) -> bool:
        """Whether it may take orders, and none of ours is to come: it has to be triggered."""
        return bool(self.group_id) and not self.armed and not self.triggered


def rested(group: EventGroup, now_ms: TimeMs, *, triggered: bool) -> EventGroup:
    """Taken off the market now. `triggered`: its trigger was answered. One that rests already rests on."""
    since_ms = now_ms if group.armed else group.rests_since_ms or now_ms
    return group._replace(armed_ms=TimeMs(0), triggered=triggered or group.triggered, rests_since_ms=since_ms)


def tripped(group: EventGroup, now_ms: TimeMs, *, triggered: bool) -> EventGroup:
    """The exchange was seen to have tripped it."""
    today = tuple(trip for trip in group.trips if trip.at_ms >= day_start_ms(now_ms))
    return rested(group._replace(trips=(*today, Trip(at_ms=now_ms))), now_ms, triggered=triggered)


def counted_trips(group: EventGroup, now_ms: TimeMs) -> int:
    """Trips of the exchange's day that were against us, or of which that is not known."""
    since_ms = day_start_ms(now_ms)
    return sum(trip.at_ms >= since_ms and trip.markout is not Markout.FINE for trip in group.trips)


def tripped_together(groups: Iterable[EventGroup], since_ms: int) -> int:
    """How many events have tripped since then."""
    return sum(any(trip.at_ms >= since_ms for trip in group.trips) for group in groups)


def may_rearm(
    group: EventGroup, open_group_ids: Iterable[str | None], now_ms: TimeMs, cooldown_ms: int, most_trips: int
) -> bool:
    """Whether it may be reset: it has cooled down, has not tripped too often, and no order may be in it.

    `open_group_ids` are those of every order that rests or may come to rest. A create of unknown fate would
    else come to rest in a group that was armed again.
    """
    cooled = now_ms - group.rests_since_ms >= cooldown_ms
    rests = bool(group.group_id) and not group.armed and group.triggered
    return (
        rests
        and cooled
        and counted_trips(group, now_ms) < most_trips
        and group.group_id not in set(open_group_ids)
    )


def judged(
    group: EventGroup,
    fills: Iterable[Fill],
    orders: Mapping[str, TrackedOrder],
    mids: Mapping[str, Price],
    now_ms: TimeMs,
) -> EventGroup:
    """The group with its trips judged that are due. `orders` by exchange id, `mids` by ticker.

    Without a fill that is known to be of the group, or a mid for each, nothing is known.
    """
    own = [fill for fill in fills if is_in(group, orders.get(fill.order_id))]
    trips = tuple(
        trip._replace(markout=_markout(trip, own, mids)) if _is_due(trip, now_ms) else trip
        for trip in group.trips
    )
    return group if trips == group.trips else group._replace(trips=trips)


def is_in(group: EventGroup, order: TrackedOrder | None) -> bool:
    """Whether an order was placed in that group."""
    return order is not None and order.group_id == group.group_id


def _is_due(trip: Trip, now_ms: TimeMs) -> bool:
    return trip.markout is Markout.UNKNOWN and JUDGED_AFTER_MS <= now_ms - trip.at_ms <= JUDGED_UNTIL_MS


def _markout(trip: Trip, fills: Iterable[Fill], mids: Mapping[str, Price]) -> Markout:
    caused = [fill for fill in fills if trip.at_ms - TRIP_FILLS_MS <= fill.at_ms <= trip.at_ms]
    if not caused or any(fill.ticker not in mids for fill in caused):
        return Markout.UNKNOWN
    gained = Money(sum(fill.side.sign * (mids[fill.ticker] - fill.price) * fill.count for fill in caused))
    return Markout.AGAINST if gained < 0 else Markout.FINE
