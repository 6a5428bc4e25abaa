"""What is seen of a run from outside, on the exchange itself: quotes, books, fills, inventory, profit."""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.simulator.book import ASK, BID, BookHalf
from tests.simulator.market import Market
from tests.world.books import DOLLAR_E4, Account
from tests.world.bot import Answer
from tests.world.world import World

SAMPLE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One market at one moment. Bid and ask are everybody else's; None: nobody there, or no quote of ours."""

    at_ms: int
    bid_e4: int | None
    ask_e4: int | None
    our_bid_e4: int | None
    our_ask_e4: int | None
    net_e2: int
    mark_e4: Fraction
    profit_e6: Fraction


@dataclass(frozen=True, slots=True)
class CycleRow:
    """One cycle: what it answered, and how many of our quotes stood right afterwards."""

    at_ms: int
    answer: Answer
    quoted: int


@dataclass
class Observation:
    """Everything a summary or a picture is made of."""

    tickers: tuple[str, ...]
    cycles: list[CycleRow] = field(default_factory=list)
    samples: dict[str, list[Sample]] = field(default_factory=dict)


class Watcher:
    """Looks at the exchange every 15 s of virtual time; looking changes nothing."""

    def __init__(self, world: World, tickers: tuple[str, ...], until_ms: int) -> None:
        self._world, self._until_ms = world, until_ms
        self.seen = Observation(tickers, samples={ticker: [] for ticker in tickers})
        self._accounts = {ticker: Account() for ticker in tickers}
        self._booked = 0
        self._marks: dict[str, Fraction] = {}
        self._look()

    def cycle_done(self, at_ms: int, answer: Answer) -> None:
        """Note one finished cycle."""
        slots = ((ticker, side) for ticker in self.seen.tickers for side in (BID, ASK))
        quoted = sum(len(self._world.resting(ticker, side)) == 1 for ticker, side in slots)
        self.seen.cycles.append(CycleRow(at_ms, answer, quoted))

    def sample(self) -> None:
        """Note every market as it stands."""
        self._book_fills()
        for ticker in self.seen.tickers:
            self.seen.samples[ticker].append(self._sample(ticker))

    def _look(self) -> None:
        self.sample()
        now_ms = self._world.clock.now_ms()
        if now_ms < self._until_ms:
            self._world.clock.at(now_ms + SAMPLE_MS, self._look)

    def _book_fills(self) -> None:
        fills = self._world.member.fills
        for fill in fills[self._booked :]:
            self._accounts[fill.trade.ticker].fill(fill)
        self._booked = len(fills)

    def _sample(self, ticker: str) -> Sample:
        market = self._world.exchange.venue.markets[ticker]
        bid_e4, ask_e4 = (_best_of_others(market.book.halves[side]) for side in (BID, ASK))
        ours = {side: _price(self._world, ticker, side) for side in (BID, ASK)}
        account = self._accounts[ticker]
        net_e2 = 0 if market.result else account.net_e2
        mark_e4 = self._mark_e4(market, bid_e4, ask_e4)
        profit_e6 = account.cash_e6 - account.fees_e6 + account.net_e2 * mark_e4
        now_ms = self._world.clock.now_ms()
        return Sample(now_ms, bid_e4, ask_e4, ours[BID], ours[ASK], net_e2, mark_e4, profit_e6)

    def _mark_e4(self, market: Market, bid_e4: int | None, ask_e4: int | None) -> Fraction:
        """The settled value; else the middle of everybody else's book; else the last middle there was."""
        if market.result:
            return Fraction(DOLLAR_E4 if market.result == "yes" else 0)
        if bid_e4 is not None and ask_e4 is not None:
            self._marks[market.ticker] = Fraction(bid_e4 + ask_e4, 2)
        return self._marks.get(market.ticker, Fraction(market.mid_e4()))


def _best_of_others(half: BookHalf) -> int | None:
    return next((price_e4 for price_e4, level in half.best_first() if level.background_e2 > 0), None)


def _price(world: World, ticker: str, side: str) -> int | None:
    mine = world.resting(ticker, side)
    return mine[0].price_e4 if mine else None
