"""What a quote is computed from, and what comes out of it."""

from collections.abc import Iterable
from typing import NamedTuple

from dora.core.config import MarketConfig
from dora.core.exchange.book import Resting, without
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Book, Market, Slot
from dora.core.incentives.programs import Reward
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.fair_value import LEVELS
from dora.core.reasons import Reason
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs


class QuoteInputs(NamedTuple):
    """One market at one moment. `book` is as the exchange shows it, our own orders included.

    It holds the best BOOK_LEVELS prices a side.
    """

    market: Market
    config: MarketConfig
    book: Book | None
    """None: it could not be read."""
    own: tuple[Resting, ...]
    """Everything our account rests in this market, this bot's or not."""
    others: Book | None
    """The best LEVELS prices a side of that book as others make them: what is ours is taken off."""
    net: Count
    """Net YES contracts, fills that are not booked yet included."""
    fees: FeeTerms
    now_ms: TimeMs
    reward: Reward | None = None
    """The liquidity program that pays makers there; None: none is known, or nobody asks for it."""


def others_in(book: Book | None, own: Iterable[Resting]) -> Book | None:
    """What `QuoteInputs.others` is of a book: worked out once, for all who ask where others stand."""
    return None if book is None else without(book, own, LEVELS)


class Decision(NamedTuple):
    """The quotes wanted in one market, or why there are none. Model values are dollars, exact to 1e-9."""

    ticker: str
    targets: tuple[TargetOrder, ...] = ()
    skip: Reason | None = None
    """Why the whole market is not quoted."""
    until_ms: TimeMs | None = None
    """When that is over, where it is known."""
    since_ms: TimeMs | None = None
    """Since when nothing is quoted there, for this reason."""
    dropped: tuple[tuple[Slot, Reason], ...] = ()
    """Levels that are not quoted although the market is, or would be; those that risk refused among them."""
    cut: tuple[tuple[Slot, Reason, Count], ...] = ()
    """Levels that risk cut, why, and how many contracts were wanted; `targets` has what is left."""
    error: str = ""
    """What was raised or did not hold while this market was computed."""
    fair_value: float | None = None
    fair_value_source: str = ""
    reservation_price: float | None = None
    half_spread: float | None = None
    spread: Price | None = None
    """Between the best prices of others."""
    speed: float | None = None
    """Mean move of the mid a minute, as a multiple of the book's half-spread."""
    position: Count = Count(0)
    """Net YES contracts that it was decided with."""
    bid_improvement: int | None = None
    """Ticks that our best bid stands above that of others, below zero behind it; None: one is missing."""
    ask_improvement: int | None = None
    """Ticks that the best ask stands below theirs, likewise."""
    reward_value: Money | None = None
    """What its program is expected to add to what is paid: an estimate. None: it is not quoted for one."""
    reward_cost: Money | None = None
    """What the fills on the way are expected to lose."""
    reward_rate: int = 0
    """What is left of the one after the other, in 1e-6 $ per dollar at risk."""
    reward_floor: Count = Count(0)
    """No quote of fewer contracts is worth having there."""


def fair_prices(decisions: Iterable[Decision]) -> dict[str, Price]:
    """By ticker, the fair value of markets in which something is wanted, as the nearest price."""
    return {
        decision.ticker: Price(round(decision.fair_value * ONE_DOLLAR))
        for decision in decisions
        if decision.targets and decision.fair_value is not None
    }
