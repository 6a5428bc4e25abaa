"""The real exchange as paper trading sees it: read with a person's key, and never written to.

Nothing here can write: `LiveReads` is made of the product's reads alone, and its one door to the network lets
GET through and nothing else. The bot beside it knows neither this key nor this address.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from requests.adapters import BaseAdapter

from dora.core.errors import ExchangeError
from dora.core.exchange.market import Market, MarketStatus, OpenMarket, Side
from dora.core.exchange.read_calls import BOOKS_PER_CALL
from dora.core.ports import Clock
from dora.core.units import TimeMs
from dora.edge.kalshi.market_data import MarketReads
from dora.edge.kalshi.signing import Signer
from dora.edge.kalshi.transport import Call
from dora.edge.kalshi.wire import JsonObject
from tests.history.exchange import Silent
from tests.local_stack.paper import Paper
from tests.simulator.exchange import Exchange
from tests.simulator.market import ACTIVE, INACTIVE, TRADABLE
from tests.simulator.model import MarketSpec
from tests.simulator.tape import Print

READ = "GET"
TRADE_PAGES = 3
STALE_MS = 60_000
"""A market whose book was not read for so long is shown as inactive: nobody quotes what nobody sees."""
OVER = (MarketStatus.DETERMINED, MarketStatus.AMENDED, MarketStatus.FINALIZED)


class WriteForbiddenError(Exception):
    """Somebody tried to change something on the real exchange. Nothing was sent."""


class LiveReads(MarketReads):
    """Markets, books and public trades of the real exchange."""

    def send(self, call: Call) -> JsonObject:
        """One request; whatever is no read is refused before anything is opened."""
        if call.method != READ:
            raise WriteForbiddenError(f"{call.method} {call.route}: paper trading only reads")
        return super().send(call)


def live_reads(base_url: str, signer: Signer, clock: Clock, adapter: BaseAdapter | None = None) -> LiveReads:
    """By a person's key."""
    return LiveReads(base_url, signer, clock, Silent(), adapter=adapter)


def busiest(reads: LiveReads, series: Iterable[str], most: int) -> list[OpenMarket]:
    """Open markets of these series that both sides quote, the most traded first. Raises ExchangeError."""
    listed = [own for ticker in series for own in reads.open_markets(ticker)]
    quoted = [own for own in listed if own.spread is not None and own.market.plain]
    return sorted(quoted, key=lambda own: (-(own.volume_24h or 0), own.market.ticker))[:most]


def specs_of(reads: LiveReads, markets: Sequence[Market]) -> tuple[MarketSpec, ...]:
    """The same markets for the local exchange, with the fee terms of their series. Raises ExchangeError."""
    events = reads.events(sorted({own.event_ticker for own in markets}))
    series = {own.series_ticker: reads.series(own.series_ticker) for own in events.values()}
    return tuple(
        MarketSpec(
            ticker=own.ticker,
            event_ticker=own.event_ticker,
            series_ticker=events[own.event_ticker].series_ticker,
            open_ms=own.open_ms,
            close_ms=own.close_ms,
            shard=own.shard,
            price_ranges=tuple((int(row.start), int(row.end), int(row.step)) for row in own.grid.ranges),
            mutually_exclusive=events[own.event_ticker].exclusive,
            fee_type=series[events[own.event_ticker].series_ticker].fee_type,
            fee_multiplier_e4=series[events[own.event_ticker].series_ticker].fee_multiplier_e4,
        )
        for own in markets
        if own.event_ticker in events
    )


@dataclass
class LiveFeed:
    """Brings what the real exchange shows to the local one. Times are of the local clock."""

    reads: LiveReads
    exchange: Exchange
    paper: Paper
    tickers: tuple[str, ...]
    told: list[str] = field(default_factory=list)
    """What could not be read, in words."""
    _since_ms: int = 0
    _seen: set[str] = field(default_factory=set)
    _read_ms: dict[str, int] = field(default_factory=dict)
    _paused: set[str] = field(default_factory=set)
    """Markets that the real exchange itself does not trade now."""

    def look(self, now_ms: int) -> None:
        """At everything. What cannot be read keeps its last state, and is inactive once that is old."""
        for part in _parts(self.tickers, BOOKS_PER_CALL):
            self._try("markets", partial(self._markets, part))
        since_ms, self._since_ms = self._since_ms or now_ms, now_ms
        for ticker in self.tickers:
            self._try("trades", partial(self._trades, ticker, since_ms))
        for part in _parts(self.tickers, BOOKS_PER_CALL):
            self._try("books", partial(self._books, part, now_ms))
        self._open_what_is_seen(now_ms)

    def _try(self, what: str, read: Callable[[], None]) -> None:
        try:
            read()
        except ExchangeError as error:
            self.told.append(f"{what}: {error}")

    def _markets(self, tickers: Sequence[str]) -> None:
        for ticker, own in self.reads.markets(tickers).items():
            local = self.exchange.venue.markets[ticker]
            (self._paused.discard if own.status is MarketStatus.ACTIVE else self._paused.add)(ticker)
            if own.status is MarketStatus.ACTIVE and own.close_ms != local.close_ms:
                self.exchange.move_close(ticker, own.close_ms)
            elif own.status in OVER and own.result and not local.result:
                self.exchange.settle(ticker, own.result)
            elif own.status is MarketStatus.CLOSED and local.status in TRADABLE:
                self.exchange.close_market(ticker)

    def _trades(self, ticker: str, since_ms: int) -> None:
        found = self.reads.public_trades(TimeMs(since_ms), [ticker], TRADE_PAGES)
        for own in reversed(found):
            if own.trade_id not in self._seen:
                self._seen.add(own.trade_id)
                buys = own.taker_side is Side.BID
                self.paper.printed(Print(own.at_ms, ticker, own.price, own.count, buys))

    def _books(self, tickers: Sequence[str], now_ms: int) -> None:
        for ticker, book in self.reads.books(tickers).items():
            self._read_ms[ticker] = now_ms
            if self.exchange.venue.markets[ticker].status in TRADABLE:
                self.paper.show(book, now_ms)

    def _open_what_is_seen(self, now_ms: int) -> None:
        for ticker in self.tickers:
            seen = now_ms - self._read_ms.get(ticker, 0) <= STALE_MS and ticker not in self._paused
            status, wanted = self.exchange.venue.markets[ticker].status, ACTIVE if seen else INACTIVE
            if status in TRADABLE and status != wanted:
                self.exchange.set_status(ticker, wanted)


def _parts(tickers: Sequence[str], size: int) -> list[Sequence[str]]:
    return [tickers[at : at + size] for at in range(0, len(tickers), size)]
