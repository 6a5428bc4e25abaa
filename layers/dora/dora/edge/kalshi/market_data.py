"""Reads of the exchange, its markets and its limits."""

from collections.abc import Mapping, Sequence

from dora.core.exchange.account import Limits, ShardStatus
from dora.core.exchange.market import Book, Event, Market, Series, Trade
from dora.core.units import TimeMs
from dora.edge.kalshi import wire_markets
from dora.edge.kalshi.pagination import comma_lists, read_list, understood
from dora.edge.kalshi.transport import Call, Transport
from dora.edge.kalshi.wire import JsonObject, name

EVENTS_PER_PAGE = 200
_STATUS_ALSO_ON = frozenset({500, 503, 504})


class MarketReads(Transport):
    """Markets that are not understood are left out and reported; they never spoil the others."""

    def status(self) -> Mapping[int, ShardStatus]:
        """By shard; one that is not listed or not understood is absent, which is as good as closed.

        Without the list (the document does not require it) the top-level flags stand, for shard 0. A failing
        exchange answers this one with a 5xx and a body that still says so.
        """
        answer = self.read(Call("GET", "/exchange/status", also_answers=_STATUS_ALSO_ON))
        shards = answer.rows("exchange_index_statuses", required=False)
        parse = wire_markets.parse_status
        statuses = understood(self._facts, shards, parse) if shards else [parse(answer, shard=0)]
        return {status.shard: status for status in statuses}

    def books(self, tickers: Sequence[str]) -> Mapping[str, Book]:
        """Books of at most BOOKS_PER_CALL tickers; one that could not be read or understood is absent."""
        if not tickers:
            return {}
        params = [("tickers", ticker) for ticker in dict.fromkeys(tickers)]
        rows = self._read("/markets/orderbooks", params=params).rows("orderbooks")
        return {book.ticker: book for book in understood(self._facts, rows, _book) if book.ticker in tickers}

    def trades_since(self, ticker: str, since_ms: TimeMs) -> tuple[Trade, ...]:
        """Public trades of one market at or after a time; all or an ExchangeError."""
        since_s = since_ms // 1000 - 1
        rows = read_list(self, "/markets/trades", "trades", [("ticker", ticker), ("min_ts", since_s)])
        prints = tuple(map(wire_markets.parse_public_trade, rows))
        return tuple(found for found in prints if found.ticker == ticker and found.at_ms >= since_ms)

    def markets(self, tickers: Sequence[str]) -> Mapping[str, Market]:
        """Market objects by ticker; one that is unknown or not understood is absent."""
        rows = [row for part in comma_lists(tickers) for row in self._list_markets("tickers", part)]
        asked = frozenset(tickers)
        found = understood(self._facts, rows, wire_markets.parse_market)
        return {market.ticker: market for market in found if market.ticker in asked}

    def open_markets(self, series_ticker: str) -> tuple[Market, ...]:
        """The open markets of a series, each once."""
        rows = self._list_markets("series_ticker", series_ticker, ("status", "open"))
        found = understood(self._facts, rows, wire_markets.parse_market)
        return tuple({market.ticker: market for market in found}.values())

    def _list_markets(self, by: str, value: str, *more: tuple[str, str]) -> list[JsonObject]:
        return read_list(self, "/markets", "markets", [(by, value), *more])

    def events(self, event_tickers: Sequence[str]) -> Mapping[str, Event]:
        """Events by ticker; one that is unknown or not understood is absent."""
        rows = [
            row
            for part in comma_lists(event_tickers)
            for row in read_list(self, "/events", "events", [("tickers", part)], EVENTS_PER_PAGE)
        ]
        asked = frozenset(event_tickers)
        found = understood(self._facts, rows, wire_markets.parse_event)
        return {event.event_ticker: event for event in found if event.event_ticker in asked}

    def series(self, series_ticker: str) -> Series:
        """The fee terms of one series."""
        row = self._read("/series/{}", series_ticker).row("series")
        series = wire_markets.parse_series(row)
        if series.ticker != series_ticker:
            raise row.invalid("ticker", f"asked for {series_ticker}")
        return series

    def limits(self) -> Limits:
        """What this account may spend, and what calls cost."""
        return wire_markets.parse_limits(self._read("/account/limits"), self._read("/account/endpoint_costs"))


def _book(row: JsonObject) -> Book:
    return wire_markets.parse_book(row.field("ticker", name), row.row("orderbook_fp"))
