"""The reservation strategy: fair value of the book, the skew of our position, a half-spread, a ladder a side.

Model floats are settled to 1e-9 $ once; from there on everything is exact (`ladder`).
"""

from dataclasses import dataclass
from math import isfinite

from dora.core.config_fields import Checked, price, whole_number
from dora.core.errors import StrategyInvalid
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.fair_value import FairValue
from dora.core.quoting.ladder import NANO
from dora.core.quoting.memory import Memory, recall
from dora.core.quoting.reservation_price import reservation_price, skew
from dora.core.quoting.strategy import StoredMemory
from dora.core.quoting.two_sided import Wanted, two_sided
from dora.core.quoting.watch import Unquoted, skipped, watch
from dora.core.reasons import Reason
from dora.core.units import ONE_DOLLAR, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationSettings(Checked):
    """What a market's item sets for this strategy."""

    min_half_spread: Price = price("0.0001", "0.5", "0.02")
    """Least distance of both quotes from the reservation price. Change it to more where markouts are
    negative, to less where nothing fills."""
    skew_at_max: Price = price("0", "0.5", "0.05")
    """How far the reservation price moves at max_position near a fair value of one half. Change it to more
    where positions stay, to less where they are given up too cheaply."""
    volatility_percent_of_move: int = whole_number("0", "1000", "100")
    """Half-spread added, as a share of the typical move of fair value over a minute. Change it to more where
    fills come just before the price runs."""


DEFAULTS = ReservationSettings()


Model = tuple[int, int, int]
"""Fair value, reservation price and half-spread in 1e-9 $."""


class Reservation:
    """`Strategy`. Memory is unchanged when the book could not be read or held no fair value."""

    settings = ReservationSettings

    def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        """The ladder around the reservation price, or why there is none."""
        settings, seen = _settings(inputs), watch(inputs, memory)
        if isinstance(seen, Unquoted):
            return seen
        return _decide(inputs, settings, *seen), seen.memory.stored()

    def mark(self, memory: StoredMemory) -> Price | None:
        """Fair value at the last look, rounded down to a price."""
        remembered = recall(memory)
        return None if remembered is None else Price(remembered.fair_e9 * ONE_DOLLAR // NANO)


def _settings(inputs: QuoteInputs) -> ReservationSettings:
    own = inputs.config.settings
    if own is None:
        return DEFAULTS
    if not isinstance(own, ReservationSettings):
        raise StrategyInvalid(f"settings of kind {type(own).__name__}")
    return own


def _decide(inputs: QuoteInputs, settings: ReservationSettings, fair: FairValue, memory: Memory) -> Decision:
    model = _model(inputs, settings, fair, memory)
    if model is None:
        return skipped(inputs, Reason.TARGET_INVALID, fair, memory)
    fair_e9, at_e9, half_e9 = model
    targets, dropped = two_sided(inputs, fair, Wanted(fair_e9, at_e9 - half_e9, at_e9 + half_e9))
    return Decision(
        ticker=inputs.market.ticker,
        targets=targets,
        dropped=dropped,
        fair_value=fair_e9 / NANO,
        fair_value_source=fair.source,
        spread=Price(fair.ask - fair.bid),
        speed=memory.speed,
        position=inputs.net,
        reservation_price=at_e9 / NANO,
        half_spread=half_e9 / NANO,
    )


def _model(
    inputs: QuoteInputs, settings: ReservationSettings, fair: FairValue, memory: Memory
) -> Model | None:
    """The model's floats as ints of 1e-9 $, None when one of them is no finite number."""
    shift = skew(inputs.net, inputs.config.max_position, settings.skew_at_max)
    wide = _half_spread(settings, memory)
    reservation = reservation_price(fair.value, shift)
    if not (isfinite(fair.value) and isfinite(reservation) and isfinite(wide)):
        return None
    return round(fair.value * NANO), round(reservation * NANO), round(wide * NANO)


def _half_spread(settings: ReservationSettings, memory: Memory) -> float:
    """The configured floor, twice that while memory is cold, plus a share of a minute's typical move."""
    floor = settings.min_half_spread * (1 if memory.warm else 2) / ONE_DOLLAR
    return floor + memory.typical_move * settings.volatility_percent_of_move / 100
