"""The quotes of one market: fair value, the skew of our position, a half-spread, and what a fill must earn.

    bid = floor(min(r - d, f - fee(bid) - least edge, best ask - tick))
    ask = ceil (max(r + d, f + fee(ask) + least edge, best bid + tick))

f is fair value, r the reservation price, d the half-spread. Model floats are settled to 1e-9 $ once; from
there on everything is exact, and every rounding goes outward, away from fair value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from dora.core.book import without
from dora.core.config import MarketConfig
from dora.core.fees import FeeTerms, maker_fee_per_contract
from dora.core.model import Book, Market, MarketStatus, Side, Slot, TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.fair_value import FairValue, fair_value
from dora.core.quoting.memory import Memory, recall, remember
from dora.core.quoting.reservation import reservation_price, skew
from dora.core.reasons import Reason
from dora.core.units import CONTRACT, ONE, Count, Price

_NANO = 10**9
_NANO_PER_PRICE = _NANO // ONE

_Quote = TargetOrder | Reason


@dataclass(frozen=True, slots=True)
class _Model:
    """Fair value, reservation price and half-spread in 1e-9 $."""

    fair: int
    reservation: int
    half: int


def quote(inputs: QuoteInputs, memory: Mapping[str, object] | None) -> tuple[Decision, dict[str, object]]:
    """What one market should rest, and what to remember of this look.

    Pure: the same inputs and memory give the same answer bit for bit. Memory is unchanged when the market
    was not looked at, or its book held no fair value.
    """
    before = recall(memory)
    blocked = _blocked(inputs)
    found = blocked or _priced(inputs)
    if isinstance(found, Reason):
        return Decision(ticker=inputs.market.ticker, skip=found), _stored(before)
    fair, book = found
    after = remember(before, fair, inputs.now_ms)
    return _decide(inputs, fair, book, after), after.stored()


def _stored(memory: Memory | None) -> dict[str, object]:
    return {} if memory is None else memory.stored()


def _blocked(inputs: QuoteInputs) -> Reason | None:
    """Why the market is not even priced."""
    market, config = inputs.market, inputs.config
    if not config.enabled:
        return Reason.MARKET_DISABLED
    if market.status is not MarketStatus.ACTIVE:
        return Reason.MARKET_NOT_ACTIVE
    if not market.plain:
        return Reason.MARKET_UNSUPPORTED
    if _ends_ms(market) - inputs.now_ms < config.close_guard_s * 1000:
        return Reason.NEAR_CLOSE
    return Reason.FEES_UNKNOWN if inputs.fees is None else None


def _ends_ms(market: Market) -> int:
    """Many markets are decided long before their formal close: the expected end counts if it is earlier."""
    expected = market.expected_expiration_ms
    return market.close_ms if expected is None else min(market.close_ms, expected)


def _priced(inputs: QuoteInputs) -> tuple[FairValue, Book] | Reason:
    if inputs.book is None or inputs.book.ticker != inputs.market.ticker:
        return Reason.BOOK_UNKNOWN
    book = without(inputs.book, inputs.own)
    fair = fair_value(book, inputs.config.max_spread)
    return fair if isinstance(fair, Reason) else (fair, book)


def _decide(inputs: QuoteInputs, fair: FairValue, book: Book, memory: Memory) -> Decision:
    ticker, config = inputs.market.ticker, inputs.config
    if not config.min_price <= fair.value * ONE <= config.max_price:
        return _skipped(ticker, Reason.FAIR_VALUE_OUT_OF_RANGE, fair)
    if memory.fast:
        return _skipped(ticker, Reason.TOO_FAST, fair)
    model = _model(inputs, fair, memory)
    if model is None:
        return _skipped(ticker, Reason.TARGET_INVALID, fair)
    quotes = _uncrossed({Slot(ticker, side): _quote(side, inputs, fair, model) for side in Side})
    return Decision(
        ticker=ticker,
        targets=tuple(target for target in quotes.values() if isinstance(target, TargetOrder)),
        dropped=tuple((slot, why) for slot, why in quotes.items() if isinstance(why, Reason)),
        fair_value=model.fair / _NANO,
        fair_value_source=fair.source,
        reservation_price=model.reservation / _NANO,
        half_spread=model.half / _NANO,
    )


def _skipped(ticker: str, why: Reason, fair: FairValue) -> Decision:
    return Decision(ticker=ticker, skip=why, fair_value=fair.value, fair_value_source=fair.source)


def _model(inputs: QuoteInputs, fair: FairValue, memory: Memory) -> _Model | None:
    """The model's floats as ints of 1e-9 $, None when one of them is no finite number."""
    config = inputs.config
    shift = skew(inputs.net, config.max_position, config.skew_at_max)
    wide = _half_spread(config, memory)
    reservation = reservation_price(fair.value, shift)
    if not all(isfinite(number) for number in (fair.value, reservation, wide)):
        return None
    return _Model(round(fair.value * _NANO), round(reservation * _NANO), round(wide * _NANO))


def _half_spread(config: MarketConfig, memory: Memory) -> float:
    """The configured floor, twice that while memory is cold, plus a share of a minute's typical move."""
    floor = config.min_half_spread * (1 if memory.warm else 2) / ONE
    return floor + memory.typical_move * config.volatility_percent_of_move / 100


def _quote(side: Side, inputs: QuoteInputs, fair: FairValue, model: _Model) -> _Quote:
    fees = inputs.fees
    count = _count(side, inputs)
    if count <= 0:
        return Reason.POSITION_CAP
    if fees is None:
        return Reason.FEES_UNKNOWN
    price = _outermost(side, inputs, fair, model)
    while 0 < price < ONE:
        edge = _edge(side, price, count, fees, model)
        if edge >= inputs.config.min_edge:
            slot = Slot(inputs.market.ticker, side)
            return _checked(inputs, TargetOrder(slot=slot, price=price, count=count, edge=edge))
        price = _outward(side, inputs, price)
    return Reason.NO_EDGE


def _count(side: Side, inputs: QuoteInputs) -> Count:
    """The quote size, cut to whole contracts where a full fill would pass the largest position."""
    room = inputs.config.max_position - side.sign * inputs.net
    size = inputs.config.quote_size
    return size if size <= room else Count(max(room, 0) // CONTRACT * CONTRACT)


def _outermost(side: Side, inputs: QuoteInputs, fair: FairValue, model: _Model) -> Price:
    """The best price that keeps the half-spread and does not meet the other side of the book."""
    grid = inputs.market.grid
    if side is Side.BID:
        highest = Price((model.reservation - model.half) // _NANO_PER_PRICE)
        return min(grid.floor(highest), grid.below(fair.ask))
    lowest = Price(-((-model.reservation - model.half) // _NANO_PER_PRICE))
    return max(grid.ceil(lowest), grid.above(fair.bid))


def _outward(side: Side, inputs: QuoteInputs, price: Price) -> Price:
    grid = inputs.market.grid
    return grid.below(price) if side is Side.BID else grid.above(price)


def _edge(side: Side, price: Price, count: Count, fees: FeeTerms, model: _Model) -> Price:
    """What a full fill earns per contract against fair value, after fees, rounded down."""
    gain = side.sign * (model.fair - price * _NANO_PER_PRICE) // _NANO_PER_PRICE
    return Price(gain - maker_fee_per_contract(fees, price, count, side))


def _uncrossed(quotes: Mapping[Slot, _Quote]) -> Mapping[Slot, _Quote]:
    """Our own bid meeting our own ask drops both."""
    prices = {slot.side: target.price for slot, target in quotes.items() if isinstance(target, TargetOrder)}
    if len(prices) == len(Side) and prices[Side.BID] >= prices[Side.ASK]:
        return dict.fromkeys(quotes, Reason.SELF_CROSS)
    return quotes


def _checked(inputs: QuoteInputs, target: TargetOrder) -> _Quote:
    """The last look before a price leaves the model."""
    within = 0 < target.count <= inputs.config.quote_size
    return target if within and target.price in inputs.market.grid else Reason.TARGET_INVALID
