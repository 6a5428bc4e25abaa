"""One cycle of the product's own core over recorded books: `decide`, which reads only what it is given."""

from collections.abc import Iterable, Mapping, Sequence

from dora.core.config import MarketConfig
from dora.core.exchange.book import Resting
from dora.core.exchange.market import Book, Level, Market, Side
from dora.core.orders.journal import Journal
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.quoting.cool_off import STRIKES
from dora.core.risk.gates import Permission
from dora.core.state import ReferenceData
from dora.core.units import Count, Money, Price, TimeMs
from dora.flow.cycle.compute import decide
from dora.flow.cycle.inputs import Choice, Inputs, MemoryByTicker, expiry_of
from dora.flow.cycle.read import Snapshot
from tests.replay.cooling import Cooling
from tests.replay.desk import Desk
from tests.replay.settings import Setting
from tests.replay.tape import Tape

CASH = Money(10**15)
"""More than any order needs: a replay asks what a strategy earns, not what an account can afford."""


class Bot:
    """The core with one strategy and its settings, and the memory that it carries from cycle to cycle."""

    def __init__(self, tape: Tape, setting: Setting) -> None:
        self._markets = {ticker: track.market for ticker, track in tape.tracks.items()}
        self._configs = {ticker: setting.market_config(ticker) for ticker in tape.tracks}
        self._globals = setting.global_config()
        self._reference = ReferenceData(events=tape.events, series=tape.series)
        self._memory: MemoryByTicker = {}
        self._cooling = Cooling(self._markets)
        self._tickers: Sequence[str] = ()
        self._listed: Mapping[str, Market] = {}
        self._wanted: Mapping[str, MarketConfig] = {}
        self._inputs: Inputs | None = None

    def cycle(self, now_ms: TimeMs, tickers: Sequence[str], books: Mapping[str, Book], desk: Desk) -> Choice:
        """What the bot does in these markets, given what it reads of them and of its own orders."""
        if tickers is not self._tickers:
            self._tickers = tickers
            self._listed = {ticker: self._markets[ticker] for ticker in tickers}
            self._wanted = {ticker: self._configs[ticker] for ticker in tickers}
        self._inputs = Inputs(
            now_ms=now_ms,
            globals_=self._globals,
            wanted=self._wanted,
            reference=self._reference,
            snapshot=Snapshot(
                began_ms=now_ms, as_of_ms=now_ms, markets=self._listed, books=books, cash={0: CASH}
            ),
            view=ReconciledOrders(
                journal=Journal(desk.tracked),
                external=(),
                frozen=frozenset(),
                blocked=frozenset(),
                resolutions=(),
            ),
            positions={ticker: desk.positions[ticker] for ticker in tickers if ticker in desk.positions},
            nets=desk.nets,
            permission=Permission(),
            memory=self._memory,
        )
        choice = decide(self._inputs)
        strikes = self._cooling.after(books, desk, now_ms)
        self._memory = {**self._memory, **choice.memory, STRIKES: strikes}
        return choice

    def expires_ms(self, ticker: str) -> TimeMs:
        """When an order of the last cycle's expires."""
        if self._inputs is None:
            raise ValueError("there was no cycle yet")
        return expiry_of(self._inputs, self._markets[ticker])


def with_ours(book: Book, ours: Iterable[Resting]) -> Book:
    """The book as the exchange shows it: a recorder's book holds nobody's orders of ours."""
    bids, asks = list(book.bids), list(book.asks)
    for side, price, count in ours:
        _insert(bids if side is Side.BID else asks, side.sign, price, count)
    return Book(book.ticker, tuple(bids), tuple(asks))


def _insert(levels: list[Level], sign: int, price: Price, count: Count) -> None:
    """Into levels that stand best first; `sign` +1 where the highest price is the best."""
    for at, level in enumerate(levels):
        if level.price == price:
            levels[at] = Level(price, Count(level.count + count))
            return
        if (price - level.price) * sign > 0:
            levels.insert(at, Level(price, count))
            return
    levels.append(Level(price, count))
