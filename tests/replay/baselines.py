"""What a strategy must beat: join the touch, and the rule of an older system. (Doing nothing needs no code.)

They are strategies like any other and run through the same risk, diff and fill models.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import pstdev
from typing import NamedTuple, cast

from dora.core.config_fields import Checked
from dora.core.exchange.book import is_crossed
from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.strategy import StoredMemory, Strategy
from dora.core.reasons import Reason
from dora.core.units import CONTRACT, Count, Price
from tests.replay.settings import Raw, Setting, for_any_strategy, setting
from tests.replay.tape import Tape
from tests.simulator.tape import Print

TOUCH, OLDER, NOTHING = "join_the_touch", "older_system", "nothing"
LEVELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSettings(Checked):
    """A strategy that cannot be set."""


class Touch(NamedTuple):
    """The best prices of others."""

    bid: Price
    ask: Price

    @property
    def spread(self) -> int:
        return self.ask - self.bid


def touch_of(inputs: QuoteInputs) -> Touch | Reason:
    """The best prices without our own orders, or why there are none to quote by."""
    book = inputs.others
    if book is None:
        return Reason.BOOK_UNKNOWN
    if not (book.bids and book.asks):
        return Reason.BOOK_ONE_SIDED
    if is_crossed(book):
        return Reason.BOOK_CROSSED
    return Touch(book.bids[0].price, book.asks[0].price)


class JoinTheTouch:
    """Rests at the best bid and the best ask, within the market's bounds of price and spread."""

    settings = NoSettings

    def quote(self, inputs: QuoteInputs, _memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        """Both sides, one level."""
        ticker, config, touch = inputs.market.ticker, inputs.config, touch_of(inputs)
        if isinstance(touch, Reason):
            return Decision(ticker=ticker, skip=touch), {}
        if touch.spread > config.max_spread:
            return Decision(ticker=ticker, skip=Reason.BOOK_TOO_WIDE), {}
        if not config.min_price <= (touch.bid + touch.ask) / 2 <= config.max_price:
            return Decision(ticker=ticker, skip=Reason.FAIR_VALUE_OUT_OF_RANGE), {}
        targets = tuple(
            TargetOrder(slot=Slot(ticker, side), price=price, count=config.quote_size)
            for side, price in ((Side.BID, touch.bid), (Side.ASK, touch.ask))
        )
        return Decision(ticker=ticker, targets=targets), {}

    def mark(self, _memory: StoredMemory) -> Price | None:
        """Nothing is remembered."""
        return None


MIN_SPREAD, INSIDE_FROM, SKEW_FACTOR = Price(600), Price(600), 0.25
BASE, LIMIT = Count(10 * CONTRACT), Count(100 * CONTRACT)
TAPER_FROM = Count(80 * CONTRACT)
TRADES, HALF_LIFE_MS, OLDEST_MS, CALM_MS = 5, 12 * 3_600_000, 24 * 3_600_000, 12 * 3_600_000
CALM_LOW, CALM_HIGH = Price(300), Price(800)


class OlderSystem:
    """Quotes a tick inside books of 6 c and more, 10 contracts a side, and only gets out in narrower ones.

    Fair value is the mean of the last trades, weighted by the root of their size and by age; without trades
    the mid. Where its quotes would stand closer than 6 c, only the side that reduces the position is quoted.
    Its exception to the volatility gate (a position that can leave at a profit) needs an entry price, which
    no strategy is given, and is left out.
    """

    settings = NoSettings

    def __init__(self, tape: Tape) -> None:
        self._trades = {
            ticker: [moment for moment in track.moments if isinstance(moment, Print)]
            for ticker, track in tape.tracks.items()
        }
        self._times = {ticker: [trade.at_ms for trade in found] for ticker, found in self._trades.items()}

    def quote(self, inputs: QuoteInputs, _memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        """One level a side at most."""
        ticker, touch = inputs.market.ticker, touch_of(inputs)
        if isinstance(touch, Reason):
            return Decision(ticker=ticker, skip=touch), {}
        trades = self._before(ticker, inputs.now_ms)
        if _volatility(trades, inputs.now_ms) > min(max(touch.spread, CALM_LOW), CALM_HIGH):
            return Decision(ticker=ticker, skip=Reason.TOO_FAST), {}
        prices = _prices(inputs, touch, older_fair_value(trades, touch, inputs.now_ms))
        counts = _counts(inputs.net, only_out=touch.spread < MIN_SPREAD)
        sides = _sides(inputs.net, prices, only_out=touch.spread < MIN_SPREAD)
        targets = tuple(
            TargetOrder(slot=Slot(ticker, side), price=prices[side], count=counts[side])
            for side in sides
            if counts[side] > 0 and prices[side] in inputs.market.grid
        )
        if not targets:
            return Decision(ticker=ticker, skip=Reason.NO_EDGE), {}
        return Decision(ticker=ticker, targets=targets), {}

    def mark(self, _memory: StoredMemory) -> Price | None:
        """Nothing is remembered."""
        return None

    def _before(self, ticker: str, now_ms: int) -> Sequence[Print]:
        """What was printed up to now."""
        return self._trades[ticker][: bisect_right(self._times[ticker], now_ms)]


def _volatility(trades: Sequence[Print], now_ms: int) -> float:
    """Standard deviation of the last trades or of those of 12 hours, whichever are more, in 1e-4 $."""
    recent = [trade for trade in trades[-1_000:] if now_ms - trade.at_ms <= CALM_MS]
    sample = max(recent, trades[-TRADES:], key=len)
    return pstdev(trade.price_e4 for trade in sample) if len(sample) > 1 else 0.0


def older_fair_value(trades: Sequence[Print], touch: Touch, now_ms: int) -> float:
    """In 1e-4 $: by the last trades of a day, else by the last one, else the mid."""
    recent = [trade for trade in trades[-TRADES:] if now_ms - trade.at_ms <= OLDEST_MS]
    if not recent:
        return trades[-1].price_e4 if trades else (touch.bid + touch.ask) / 2
    weights = [
        sqrt(trade.count_e2) * exp(-log(2) / HALF_LIFE_MS * (now_ms - trade.at_ms)) for trade in recent
    ]
    weighted = sum(weight * trade.price_e4 for weight, trade in zip(weights, recent, strict=True))
    return weighted / sum(weights)


def _prices(inputs: QuoteInputs, touch: Touch, fair: float) -> Mapping[Side, Price]:
    """Inside a wide book by a tick, shifted by the position, no worse than the touch, no better than fair."""
    grid = inputs.market.grid
    shift = max(min(inputs.net / LIMIT, 1.0), -1.0) * SKEW_FACTOR * MIN_SPREAD
    wide = touch.spread >= INSIDE_FROM
    bid = (grid.above(touch.bid) if wide else touch.bid) - shift
    ask = (grid.below(touch.ask) if wide else touch.ask) - shift
    return {
        Side.BID: grid.floor(Price(int(min(max(bid, touch.bid), fair)))),
        Side.ASK: grid.ceil(Price(-int(-max(min(ask, touch.ask), fair)))),
    }


def _counts(net: Count, *, only_out: bool) -> Mapping[Side, Count]:
    """What adds is tapered near the limit; what reduces may close the whole position."""
    adding = min(BASE, BASE * max(LIMIT - abs(net), 0) // (LIMIT - TAPER_FROM))
    counts = {}
    for side in Side:
        reduces = side.sign * net < 0
        size = (abs(net) if only_out else max(BASE, abs(net))) if reduces else adding
        counts[side] = Count(min(size, LIMIT) // CONTRACT * CONTRACT)
    return counts


def _sides(net: Count, prices: Mapping[Side, Price], *, only_out: bool) -> Sequence[Side]:
    if only_out or prices[Side.ASK] - prices[Side.BID] < MIN_SPREAD:
        return [side for side in Side if side.sign * net < 0]
    return tuple(Side)


EXACT: Raw = {
    "price_tolerance_ticks": "0",
    "refill_below_percent": "100",
    "max_improve_ticks": "50",
    "cool_off_s": "0",
}
"""A baseline's quotes are moved at once to where it wants them, however far inside; no event cools off."""
OLDER_ITEM: Raw = {
    **EXACT,
    "quote_size": "100",
    "max_position": "100",
    "min_edge_dollars": "0",
    "max_spread_dollars": "1",
}
"""An order that closes its position may be as large as its limit."""


def baselines(raw: Raw) -> tuple[Setting, ...]:
    """The baselines beside a strategy that is run with these keys: the same, where they mean something.

    They must be registered first. Raises ConfigInvalid.
    """
    common = for_any_strategy(raw)
    older = setting(OLDER, {**common, **OLDER_ITEM}, side_contracts=BASE // CONTRACT)
    return setting(TOUCH, {**EXACT, **common, "levels": "1"}), older


@contextmanager
def registered(tape: Tape) -> Iterator[None]:
    """The baselines as strategies of the product's registry, for as long as this recording is replayed."""
    registry = cast(dict[str, Strategy], STRATEGIES)
    registry |= {TOUCH: JoinTheTouch(), OLDER: OlderSystem(tape)}
    try:
        yield
    finally:
        del registry[TOUCH], registry[OLDER]
