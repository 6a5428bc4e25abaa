"""Why a market is not quoted, whatever its strategy would say: its item, its hours, switches, its event."""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.config import MarketConfig
from dora.core.event_choice import EventBrake
from dora.core.exchange.book import Resting
from dora.core.exchange.fees import MarketFees
from dora.core.exchange.market import Market, MarketStatus
from dora.core.incentives.programs import Running, running
from dora.core.orders.expiry import Timetable, too_short
from dora.core.orders.ownership import unread_markets
from dora.core.quoting.cool_off import STRIKES
from dora.core.quoting.decision import Decision
from dora.core.quoting.yielding import Yielding, yielding_now
from dora.core.reasons import Reason
from dora.core.risk.gates import PULLS_QUOTES
from dora.core.risk.rests import RESTS, Rest, read_rests, resting_now, shard_name
from dora.flow.cycle.inputs import Inputs

LEARNING = PULLS_QUOTES | {
    Reason.ERROR_RATE,
    Reason.SHARD_UNFUNDED,
    Reason.GROUP_TRIPPED,
    Reason.SHARD_WITHOUT_GROUP,
    Reason.REFUSED_REPEATEDLY,
    Reason.BLACKOUT,
    Reason.COOL_OFF,
    Reason.EXTERNAL_ORDERS,
    Reason.EVENT_NOT_ADMITTED,
    Reason.EVENT_WITHOUT_GROUP,
    Reason.EVENT_RESTING,
    Reason.EVENT_GROUP_UNREAD,
}
"""Switches of ours under which strategies go on learning; a market that does not trade only looks quiet."""


class Shared(NamedTuple):
    """What is worked out once for all markets."""

    fees: MarketFees
    times: Timetable
    own: Mapping[str, tuple[Resting, ...]]
    """By ticker, what of our account may stand in the books."""
    unread: frozenset[str]
    """Markets in which somebody else's order may be of any size."""
    resting: Mapping[str, Rest]
    """Markets, and shards by their name, whose orders were refused too often."""
    groups: frozenset[tuple[int, str]] | None
    """Shards and strategy tags for which the session has a group, others wait for a new `start`.

    None: it uses no groups.
    """
    yielding: Yielding
    programs: Running | None
    """None: nobody asks for any."""


def shared_by_all(inputs: Inputs, fees: MarketFees, times: Timetable) -> Shared:
    """What the account, the session and memory say of all markets."""
    session, groups = inputs.session, None
    if session is not None and session.use_order_groups:
        groups = frozenset((group.shard, group.tag) for group in session.order_groups)
    own, unread = inputs.view.resting_by_ticker(), unread_markets(inputs.snapshot.set_apart)
    resting = resting_now(read_rests(inputs.memory.get(RESTS, {})), inputs.now_ms)
    strikes = inputs.memory.get(STRIKES, {})
    yielding = yielding_now(inputs.view.external, inputs.snapshot.markets, strikes, inputs.now_ms)
    programs = running(inputs.memory, inputs.now_ms)
    return Shared(fees, times, own, unread, resting, groups, yielding, programs)


def why_skipped(inputs: Inputs, ticker: str, config: MarketConfig, shared: Shared) -> Reason | None:
    """The first reason there is; None: its strategy is asked."""
    if not config.quoted:
        return Reason.RECORD_ONLY if config.record_only else Reason.MARKET_DISABLED
    market = inputs.snapshot.markets.get(ticker)
    if market is None:
        return Reason.MARKET_UNKNOWN
    hours = shared.times.hours.get(ticker)
    if hours is None:
        return Reason.COMPUTE_FAILED
    if hours.why is not None:
        return hours.why
    expires_ms = shared.times.expires_ms[ticker]
    if market.status is MarketStatus.ACTIVE and too_short(expires_ms, inputs.now_ms):
        return Reason.NEAR_CLOSE
    barred = inputs.permission.shards.get(market.shard)
    if barred is None and shared.groups is not None:
        barred = None if (market.shard, config.strategy_tag) in shared.groups else Reason.SHARD_WITHOUT_GROUP
    if barred is None and shared.resting and _rests(shared.resting, ticker, market.shard):
        return Reason.REFUSED_REPEATEDLY
    if barred is None and ticker in shared.unread:
        return Reason.READ_UNKNOWN
    if barred is None and inputs.events is not None:
        barred = _event_barred(inputs.events, market)
    return barred or shared.yielding.why(config, market.event_ticker)


def _event_barred(events: Mapping[str, EventBrake], market: Market) -> Reason | None:
    """Why nothing is placed in its event's own order group, where orders are grouped by event."""
    if market.status is not MarketStatus.ACTIVE:
        return None
    brake = events.get(market.event_ticker)
    if brake is None or (brake.reason is None and brake.shard != market.shard):
        return Reason.EVENT_WITHOUT_GROUP
    return brake.reason


def _rests(resting: Mapping[str, Rest], ticker: str, shard: int) -> bool:
    return ticker in resting or shard_name(shard) in resting


def skipped(inputs: Inputs, config: MarketConfig, skip: Reason, shared: Shared) -> Decision:
    """A market that no strategy's answer counts for, and until when, where that is known."""
    ticker, until_ms = config.ticker, None
    hours = shared.times.hours.get(ticker)
    if skip is Reason.COOL_OFF:
        until_ms = shared.yielding.until_ms(config, inputs.snapshot.markets[ticker].event_ticker)
    elif hours is not None and hours.why is skip:
        until_ms = hours.until_ms
    error = shared.times.failed.get(ticker, "") if skip is Reason.COMPUTE_FAILED else ""
    return Decision(ticker, skip=skip, until_ms=until_ms, error=error)
