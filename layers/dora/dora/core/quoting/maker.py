"""The quotes of one market: fair value, the skew of our position, a half-spread, and a ladder on each side.

Model floats are settled to 1e-9 $ once; from there on everything is exact (`ladder`).
"""

from collections.abc import Mapping
from math import isfinite

from dora.core.config import MarketConfig
from dora.core.exchange.book import without
from dora.core.exchange.market import Book, Market, MarketStatus, Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.fair_value import FairValue, fair_value
from dora.core.quoting.ladder import NANO, Model, Quote, ladder
from dora.core.quoting.memory import Memory, judged, recall, remember
from dora.core.quoting.reservation import reservation_price, skew
from dora.core.reasons import Reason
from dora.core.units import ONE_DOLLAR


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
    after = judged(remember(before, fair, inputs.now_ms), inputs.config)
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
    if not config.min_price <= fair.value * ONE_DOLLAR <= config.max_price:
        return _skipped(ticker, Reason.FAIR_VALUE_OUT_OF_RANGE, fair)
    if memory.fast:
        return _skipped(ticker, Reason.TOO_FAST, fair)
    model = _model(inputs, fair, memory)
    if model is None:
        return _skipped(ticker, Reason.TARGET_INVALID, fair)
    quotes = _uncrossed(
        {slot: found for side in Side for slot, found in ladder(side, inputs, fair, model).items()}
    )
    return Decision(
        ticker=ticker,
        targets=tuple(target for target in quotes.values() if isinstance(target, TargetOrder)),
        dropped=tuple((slot, why) for slot, why in quotes.items() if isinstance(why, Reason)),
        fair_value=model.fair / NANO,
        fair_value_source=fair.source,
        reservation_price=model.reservation / NANO,
        half_spread=model.half / NANO,
    )


def _skipped(ticker: str, why: Reason, fair: FairValue) -> Decision:
    return Decision(ticker=ticker, skip=why, fair_value=fair.value, fair_value_source=fair.source)


def _model(inputs: QuoteInputs, fair: FairValue, memory: Memory) -> Model | None:
    """The model's floats as ints of 1e-9 $, None when one of them is no finite number."""
    config = inputs.config
    shift = skew(inputs.net, config.max_position, config.skew_at_max)
    wide = _half_spread(config, memory)
    reservation = reservation_price(fair.value, shift)
    if not all(isfinite(number) for number in (fair.value, reservation, wide)):
        return None
    return Model(round(fair.value * NANO), round(reservation * NANO), round(wide * NANO))


def _half_spread(config: MarketConfig, memory: Memory) -> float:
    """The configured floor, twice that while memory is cold, plus a share of a minute's typical move."""
    floor = config.min_half_spread * (1 if memory.warm else 2) / ONE_DOLLAR
    return floor + memory.typical_move * config.volatility_percent_of_move / 100


def _uncrossed(quotes: Mapping[Slot, Quote]) -> Mapping[Slot, Quote]:
    """Our own best bid meeting our own best ask drops every level."""
    targets = [found for found in quotes.values() if isinstance(found, TargetOrder)]
    bids, asks = ([t.price for t in targets if t.slot.side is side] for side in (Side.BID, Side.ASK))
    if bids and asks and max(bids) >= min(asks):
        return dict.fromkeys(quotes, Reason.SELF_CROSS)
    return quotes
