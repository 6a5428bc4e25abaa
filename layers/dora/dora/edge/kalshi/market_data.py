"""Reads of the exchange, its markets and its limits."""

from collections.abc import Collection, Mapping, Sequence

from dora.core.exchange.account import Limits, ShardStatus
from dora.core.exchange.fee_changes import FeeChange
from dora.core.exchange.market import Book, Event, Market, OpenMarket, Series, Trade
from dora.core.exchange.public_data import IncentiveProgram, PublicTrade
from dora.core.units import TimeMs
from dora.edge.kalshi import wire_markets
from dora.edge.kalshi.pagination import comma_lists, read_list, understood
from dora.edge.kalshi.transport import BOOKS, MARKETS, Call, Transport
from dora.edge.kalshi.wire import JsonObject, name

EVENTS_PER_PAGE = 200
PROGRAMS_PER_PAGE = 10_000
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
        asked = dict.fromkeys(tickers)
        params = [("tickers", ticker) for ticker in asked]
        rows = self.read(Call("GET", "/markets/orderbooks", params=params, apart=BOOKS)).rows(BOOKS)
        known = self._known[BOOKS]
        found: list[Book] = understood(self._facts, rows, lambda row: known.value(row, _book))
        return {book.ticker: book for book in found if book.ticker in asked}

    def trades_since(self, ticker: str, since_ms: TimeMs) -> tuple[Trade, ...]:
        """Public trades of one market at or after a time; all or an ExchangeError."""
        since_s = since_ms // 1000 - 1
        rows = read_list(self, "/markets/trades", "trades", [("ticker", ticker), ("min_ts", since_s)])
        prints = tuple(map(wire_markets.parse_public_trade, rows))
        return tuple(found for found in prints if found.ticker == ticker and found.at_ms >= since_ms)

    def public_trades(
        self, since_ms: TimeMs, tickers: Collection[str], pages: int
    ) -> tuple[PublicTrade, ...]:
        """Public trades of these markets at or after a time, newest first; of several out of all trades.

        Raises ReadIncomplete where more pages than these hold any, and every other ExchangeError.
        """
        params: list[tuple[str, str | int]] = [("min_ts", since_ms // 1000 - 1)]
        params += [("ticker", ticker) for ticker in tickers] if len(tickers) == 1 else []
        rows = read_list(self, "/markets/trades", "trades", params, pages=pages)
        ours = [row for row in rows if row.readable("ticker", name) in tickers]
        return tuple(own for own in map(wire_markets.parse_trade_print, ours) if own.at_ms >= since_ms)

    def incentive_programs(self, tickers: Collection[str], pages: int) -> tuple[IncentiveProgram, ...]:
        """Running programs that pay the makers of these markets, of thousands; raises as `public_trades`."""
        params = [("status", "active"), ("type", "liquidity")]
        route, key = "/incentive_programs", "incentive_programs"
        rows = read_list(self, route, key, params, PROGRAMS_PER_PAGE, pages=pages)
        ours = [row for row in rows if row.readable("market_ticker", name) in tickers]
        return tuple(understood(self._facts, ours, wire_markets.parse_program))

    def markets(self, tickers: Sequence[str]) -> Mapping[str, Market]:
        """Market objects by ticker; one that is unknown or not understood is absent."""
        rows = [
            row
            for part in comma_lists(tickers)
            for row in read_list(self, "/markets", MARKETS, [("tickers", part)])
        ]
        asked = frozenset(tickers)
        known, parse = self._known[MARKETS], wire_markets.parse_market
        found: list[Market] = understood(self._facts, rows, lambda row: known.value(row, parse))
        return {market.ticker: market for market in found if market.ticker in asked}

    def open_markets(self, series_ticker: str) -> tuple[OpenMarket, ...]:
        """The open markets of a series, each once."""
        asked: list[tuple[str, str | int]] = [("series_ticker", series_ticker), ("status", "open")]
        rows = read_list(self, "/markets", MARKETS, asked)
        found = understood(self._facts, rows, wire_markets.parse_open_market)
        return tuple({one.market.ticker: one for one in found}.values())

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

    def fee_changes(self) -> tuple[FeeChange, ...]:
        """Every announced change of a series' terms or of an event's override."""
        rows = self._read("/series/fee_changes").rows("series_fee_change_arr")
        rows += read_list(self, "/events/fee_changes", "event_fee_changes", [])
        return tuple(understood(self._facts, rows, wire_markets.parse_fee_change))

    def limits(self) -> Limits:
        """What this account may spend, and what calls cost."""
        return wire_markets.parse_limits(self._read("/account/limits"), self._read("/account/endpoint_costs"))


def _book(row: JsonObject) -> Book:
    return wire_markets.parse_book(row.field("ticker", name), row.row("orderbook_fp"))
