"""The join strategy: at the best prices of others, a tick inside wide books, shifted by our position.

    bid   best bid (a tick above it where the book is `improve_from` wide) + shift, never better than that
    ask   best ask (a tick below it there) + shift, likewise
    shift reservation price - fair value: below zero while we are long

Least edge, position and `max_improve_ticks` bound it as they do every strategy.
"""

from dataclasses import dataclass

from dora.core.config_fields import Checked, price
from dora.core.errors import StrategyInvalid
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.fair_value import FairValue
from dora.core.quoting.ladder import NANO, NANO_PER_PRICE
from dora.core.quoting.memory import Memory, recall
from dora.core.quoting.reservation_price import reservation_price, skew
from dora.core.quoting.strategy import StoredMemory
from dora.core.quoting.two_sided import Wanted, two_sided
from dora.core.quoting.watch import Unquoted, watch
from dora.core.units import ONE_DOLLAR, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSettings(Checked):
    """What a market's item sets for this strategy."""

    improve_from: Price = price("0", "1", "0.05")
    """A book this wide is improved by a tick, a narrower one is joined. Change it to more where you are
    undercut at once."""
    skew_at_max: Price = price("0", "0.5", "0.05")
    """How far both quotes move at max_position near a fair value of one half. Change it to more where
    positions stay, to less where they are given up too cheaply."""


class Join:
    """`Strategy`. Memory is unchanged when the book could not be read or held no fair value."""

    settings = JoinSettings

    def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        """The ladders behind the touch, or why there are none."""
        seen = watch(inputs, memory)
        if isinstance(seen, Unquoted):
            return seen
        return _decide(inputs, _settings(inputs), *seen), seen.memory.stored()

    def mark(self, memory: StoredMemory) -> Price | None:
        """Fair value at the last look, rounded down to a price."""
        remembered = recall(memory)
        return None if remembered is None else Price(remembered.fair_e9 * ONE_DOLLAR // NANO)


def _settings(inputs: QuoteInputs) -> JoinSettings:
    own = inputs.config.settings
    if not isinstance(own, JoinSettings | None):
        raise StrategyInvalid(f"settings of kind {type(own).__name__}")
    return own or JoinSettings()


def _decide(inputs: QuoteInputs, settings: JoinSettings, fair: FairValue, memory: Memory) -> Decision:
    net, most = inputs.net, inputs.config.max_position
    fair_e9 = round(fair.value * NANO)
    reservation_e9 = round(reservation_price(fair.value, skew(net, most, settings.skew_at_max)) * NANO)
    shift_e9, grid = reservation_e9 - fair_e9, inputs.market.grid
    ticks = int(fair.ask - fair.bid >= settings.improve_from)
    bid_e9 = grid.moved(fair.bid, ticks) * NANO_PER_PRICE
    ask_e9 = grid.moved(fair.ask, -ticks) * NANO_PER_PRICE
    wanted = Wanted(fair_e9, bid_e9 + min(shift_e9, 0), ask_e9 + max(shift_e9, 0))
    targets, dropped = two_sided(inputs, fair, wanted)
    return Decision(
        ticker=inputs.market.ticker,
        targets=targets,
        dropped=dropped,
        fair_value=fair_e9 / NANO,
        fair_value_source=fair.source,
        spread=Price(fair.ask - fair.bid),
        speed=memory.speed,
        position=inputs.net,
        reservation_price=reservation_e9 / NANO,
    )
