"""Of an event's markets that are quoted for a reward, only the best rest: they lose together."""

from collections.abc import Collection, Iterable, Mapping

from dora.core.config import MarketConfig
from dora.core.exchange.market import Market
from dora.core.quoting.decision import Decision
from dora.core.quoting.strategies.incentive import IncentiveSettings
from dora.core.reasons import Reason
from dora.core.units import Count

INCUMBENT = 2
"""A market in which we rest counts as so many times as good, so that two do not take turns."""


def best_strikes(
    decisions: Iterable[Decision],
    markets: Mapping[str, Market],
    configs: Mapping[str, MarketConfig],
    resting: Collection[str],
    nets: Mapping[str, Count],
) -> list[Decision]:
    """The decisions, those beyond so many of an event without what opens a position (`event_full`).

    `resting`: the markets in which something of ours rests.
    """
    given = list(decisions)
    quoted = [decision for decision in given if decision.reward_rate]
    taken: dict[str, int] = {}
    full: set[str] = set()
    for decision in sorted(quoted, key=lambda own: _rank(own, resting)):
        event = markets[decision.ticker].event_ticker
        if taken.get(event, 0) < _most(configs[decision.ticker]):
            taken[event] = taken.get(event, 0) + 1
        else:
            full.add(decision.ticker)
    return [_closing(own, nets.get(own.ticker, 0)) if own.ticker in full else own for own in given]


def _most(config: MarketConfig) -> int:
    own = config.settings if isinstance(config.settings, IncentiveSettings) else IncentiveSettings()
    return own.strikes_per_event


def _rank(decision: Decision, resting: Collection[str]) -> tuple[int, str]:
    rate = decision.reward_rate
    return -(rate * INCUMBENT if decision.ticker in resting and rate > 0 else rate), decision.ticker


def _closing(decision: Decision, net: int) -> Decision:
    """What of it brings the position nearer to zero."""
    out = [own for own in decision.targets if own.slot.side.sign * net < 0]
    kept = tuple(own._replace(count=Count(min(own.count, abs(net)))) for own in out)
    if not kept:
        return decision._replace(
            targets=(), dropped=(), skip=Reason.EVENT_FULL, reward_rate=0, reward_floor=Count(0)
        )
    gone = [own.slot for own in decision.targets if own not in out]
    dropped = (*decision.dropped, *((slot, Reason.EVENT_FULL) for slot in gone))
    return decision._replace(targets=kept, dropped=dropped, reward_rate=0, reward_floor=Count(0))
