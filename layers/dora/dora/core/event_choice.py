"""Which event may be quoted in which order group, and what is to be done about the groups. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from dora.core.calendar import day_start_ms
from dora.core.config import GlobalConfig, MarketConfig
from dora.core.event_group import EventGroup, counted_trips, may_rearm
from dora.core.exchange.account import Fill, OrderGroup
from dora.core.exchange.market import Market, MarketStatus
from dora.core.orders.journal import TrackedOrder
from dora.core.reasons import Reason
from dora.core.risk.event_brakes import EventNeed, event_burst_limit
from dora.core.units import Count, TimeMs

WINDOW_MS = 15_000
"""The exchange's rolling window."""
FILLS_LAG_MS = 5_000
"""A fill may be listed so much later."""
LISTED_MS = 60_000
"""A group is readable only some seconds after it was made."""
ENDED = {MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.AMENDED, MarketStatus.FINALIZED}
"""Nothing is quoted in a market that came so far. If it is opened again, its event gets a new group."""
MOST_CREATED, MOST_ARMED, MOST_LIMITED, MOST_DELETED = 5, 20, 10, 5
"""Calls of one cycle."""


class EventBrake(NamedTuple):
    """How one event stands: orders go into `group_id`, on `shard`, unless there is a `reason` not to."""

    group_id: str = ""
    shard: int = 0
    reason: Reason | None = None


class Standing(NamedTuple):
    """What the choice is made from. `listed` None: the groups could not be read."""

    session_id: str
    began_ms: TimeMs
    now_ms: TimeMs
    wanted: Mapping[str, MarketConfig]
    markets: Mapping[str, Market]
    nets: Mapping[str, Count]
    orders: Mapping[str, TrackedOrder]
    fills: Iterable[Fill] | None
    listed: Iterable[OrderGroup] | None
    closed: Collection[int] = ()
    """Shards on which nothing is placed in this cycle, and so nothing done about groups either."""


class Work(NamedTuple):
    """What is to be done about the groups, most urgent first."""

    arm: tuple[EventGroup, ...] = ()
    create: tuple[EventGroup, ...] = ()
    """With revision 0 where there is no item yet."""
    limit: tuple[tuple[EventGroup, Count], ...] = ()
    delete: tuple[EventGroup, ...] = ()


def needs_of(standing: Standing, groups: Mapping[str, EventGroup], configured: Count) -> dict[str, EventNeed]:
    """Every event with a market that is to be quoted, and what it may match."""
    tickers: dict[str, list[str]] = {}
    for ticker, config in standing.wanted.items():
        market = standing.markets.get(ticker)
        if config.quoted and market is not None and market.status is MarketStatus.ACTIVE:
            tickers.setdefault(market.event_ticker, []).append(ticker)
    open_by_ticker: dict[str, int] = {}
    for order in standing.orders.values():
        if order.open:
            ticker = order.slot.ticker
            open_by_ticker[ticker] = open_by_ticker.get(ticker, 0) + order.remaining
    needs: dict[str, EventNeed] = {}
    for event, own in tickers.items():
        configs = [standing.wanted[ticker] for ticker in own]
        group = groups.get(event)
        limit = event_burst_limit(min(config.quote_size for config in configs), configured)
        needs[event] = EventNeed(
            event=event,
            limit=max(limit, group.burst_limit if group else limit),
            sweep=Count(max(config.quote_size * config.levels for config in configs)),
            exposure=Count(sum(abs(standing.nets.get(t, 0)) + open_by_ticker.get(t, 0) for t in own)),
            grouped=group is not None and bool(group.group_id),
        )
    return needs


def shard_of(standing: Standing, event: str) -> int:
    """The shard of an event that is to be quoted: that of the first of its markets."""
    own = sorted(t for t, market in standing.markets.items() if market.event_ticker == event)
    return standing.markets[own[0]].shard


def brakes(
    standing: Standing,
    groups: Mapping[str, EventGroup],
    needs: Iterable[str],
    admitted: Iterable[str],
) -> dict[str, EventBrake]:
    """How each event stands that is to be quoted.

    A group takes orders only in cycles that began after it was created or armed, and that list it as armed.
    """
    allowed, listed = set(admitted), {group.group_id: group for group in standing.listed or ()}
    return {
        event: _brake(standing, groups.get(event), listed, allowed=event in allowed)
        for event in sorted(needs)
    }


def _brake(
    standing: Standing, group: EventGroup | None, listed: Mapping[str, OrderGroup], *, allowed: bool
) -> EventBrake:
    if group is not None and not group.understood:
        return EventBrake(group_id=group.group_id, shard=group.shard, reason=Reason.EVENT_GROUP_UNREAD)
    if group is None or not group.group_id:
        return EventBrake(reason=Reason.EVENT_WITHOUT_GROUP if allowed else Reason.EVENT_NOT_ADMITTED)
    reason: Reason | None = None
    if not allowed:
        reason = Reason.EVENT_NOT_ADMITTED
    elif not group.armed:
        reason = Reason.EVENT_RESTING
    elif group.armed_ms >= standing.began_ms or group.group_id not in listed:
        reason = Reason.EVENT_WITHOUT_GROUP
    elif listed[group.group_id].tripped:
        reason = Reason.EVENT_RESTING
    return EventBrake(group_id=group.group_id, shard=group.shard, reason=reason)


def work_of(
    standing: Standing,
    groups: Mapping[str, EventGroup],
    needs: Mapping[str, EventNeed],
    admitted: Mapping[str, EventNeed],
    settings: GlobalConfig,
    most: int,
) -> Work:
    """What of all there is to be done fits one cycle. `groups` are this session's, by event."""
    room = max(most - sum(bool(group.group_id) for group in groups.values()), 0)
    names = {order.group_id for order in standing.orders.values() if order.open}
    cooldown_ms, trips = settings.event_cooldown_s * 1000, settings.event_trips_a_day
    arm = [
        groups[event]
        for event in admitted
        if event in groups and may_rearm(groups[event], names, standing.now_ms, cooldown_ms, trips)
    ]
    create = [
        _asked(standing, groups, need)
        for event, need in admitted.items()
        if event not in groups or not groups[event].group_id
    ]
    allowed = [
        own
        for own in create
        if counted_trips(own, standing.now_ms) < settings.event_trips_a_day
        and all(standing.now_ms >= other.ask_again_ms for other in _on_shard(groups, own.shard))
    ]
    limits = _limits(standing, groups, admitted, settings.event_burst_limit)
    finished = _finished(standing, groups, needs, admitted, names)
    return Work(
        arm=tuple(_on_open(standing, arm)[:MOST_ARMED]),
        create=tuple(_on_open(standing, allowed)[: min(MOST_CREATED, room)]),
        limit=tuple((own, limit) for own, limit in limits if own.shard not in standing.closed)[:MOST_LIMITED],
        delete=tuple(_on_open(standing, finished)[:MOST_DELETED]),
    )


def _on_open(standing: Standing, groups: Iterable[EventGroup]) -> list[EventGroup]:
    return [group for group in groups if group.shard not in standing.closed]


def _on_shard(groups: Mapping[str, EventGroup], shard: int) -> Iterable[EventGroup]:
    return (group for group in groups.values() if group.shard == shard)


def _asked(standing: Standing, groups: Mapping[str, EventGroup], need: EventNeed) -> EventGroup:
    """The item of a group whose create is to be sent now."""
    group, shard = groups.get(need.event), shard_of(standing, need.event)
    unheard = (other.asks for other in _on_shard(groups, shard) if not other.group_id)
    return EventGroup(
        session_id=standing.session_id,
        event=need.event,
        shard=shard,
        asks=1 + max(unheard, default=0),
        burst_limit=need.limit,
        asked_ms=standing.now_ms,
        trips=group.trips if group else (),
        rev=group.rev if group else 0,
    )


def _limits(
    standing: Standing,
    groups: Mapping[str, EventGroup],
    admitted: Iterable[str],
    configured: Count,
) -> list[tuple[EventGroup, Count]]:
    """Groups whose limit is another than today's quotes ask for, or of which it is doubtful that they exist.

    It is never lowered while a fill of the event may be in the exchange's window: that would trip the group.
    """
    wanted = needs_of(standing, {}, configured)
    changed = []
    for event in admitted:
        group = groups.get(event)
        if group is None or not group.group_id or event not in wanted:
            continue
        limit, current = wanted[event].limit, group.burst_limit
        limit = limit if limit >= current or _is_quiet(standing, event) else current
        if limit != current or _is_missing(standing, group):
            changed.append((group, limit))
    return changed


def _is_missing(standing: Standing, group: EventGroup) -> bool:
    """Whether the list lacks it though it is old enough: the answer to its limit says what became of it."""
    listed = {own.group_id for own in standing.listed or ()}
    return group.armed and group.group_id not in listed and standing.began_ms - group.armed_ms > LISTED_MS


def _is_quiet(standing: Standing, event: str) -> bool:
    """Whether no fill of the event is as young as the exchange's window."""
    if standing.fills is None:
        return False
    since_ms = standing.began_ms - WINDOW_MS - FILLS_LAG_MS
    young = {fill.ticker for fill in standing.fills if fill.at_ms > since_ms}
    return not any(ticker in young for ticker, own in standing.markets.items() if own.event_ticker == event)


def _finished(
    standing: Standing,
    groups: Mapping[str, EventGroup],
    needs: Collection[str],
    admitted: Iterable[str],
    names: set[str | None],
) -> list[EventGroup]:
    """Groups of events that are quoted no longer, or have ended, in which nothing rests or may come to rest.

    While a trip of the day is remembered the group stays: the event's latch must not be forgotten with it.
    """
    quoted = {ticker for ticker, config in standing.wanted.items() if config.quoted}
    quoted -= {ticker for ticker, market in standing.markets.items() if market.status in ENDED}
    kept, since_ms = set(admitted), day_start_ms(standing.now_ms)
    return [
        group
        for event, group in groups.items()
        if event not in kept
        and group.group_id not in names
        and not any(trip.at_ms >= since_ms for trip in group.trips)
        and (event in needs or not any(_may_be_of(standing, ticker, event) for ticker in quoted))
    ]


def _may_be_of(standing: Standing, ticker: str, event: str) -> bool:
    market = standing.markets.get(ticker)
    return ticker.startswith(f"{event}-") if market is None else market.event_ticker == event
