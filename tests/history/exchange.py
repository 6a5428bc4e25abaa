"""Reads of the exchange's past, one after another and slower than its smallest tier allows."""

from collections.abc import Iterator, Mapping
from typing import Any

from requests.adapters import BaseAdapter

from dora.core.errors import ExchangeError, ExchangeRefused
from dora.core.ports import Clock
from dora.core.units import TimeMs
from dora.edge.kalshi.pagination import read_list
from dora.edge.kalshi.signing import Signer
from dora.edge.kalshi.transport import Call, Params, Transport
from dora.edge.kalshi.wire import JsonObject, time_ms
from tests.history.options import HistoryError
from tests.simulator.tape_fields import BadField
from tests.simulator.tape_fields import time_ms as text_ms

BETWEEN_MS = 100
"""Ten calls a second are 100 of the 200 read tokens that the smallest tier refills."""
CANDLES_PER_CALL = 5_000
MINUTE_S = 60
READ_ATTEMPTS, BACKOFF_MS = 5, 500
EVENTS_PER_PAGE = 200
NOT_FOUND = 404


class Unsigned:
    """A signer without a key: what is public asks for none."""

    def headers(self, _at_ms: TimeMs, _method: str, _path: str) -> dict[str, str]:
        return {}


class Silent:
    """Nobody listens to the client's facts here: what fails is raised."""

    def emit(self, _event_type: str, **_fields: object) -> None: ...

    def count(self, _name: str, _value: float) -> None: ...

    def context(self, **_keys: str) -> None: ...


class PastReads:
    """The exchange's markets as they were. Raises HistoryError where it does not answer, and what to do."""

    def __init__(
        self, base_url: str, clock: Clock, signer: Signer | None = None, adapter: BaseAdapter | None = None
    ) -> None:
        self._clock = clock
        self._transport: Any = Transport(base_url, signer or Unsigned(), clock, Silent(), adapter=adapter)
        self._transport.retry_reads(READ_ATTEMPTS, BACKOFF_MS)
        self._transport.read = self._paced(self._transport.read)

    def _paced(self, read: Any) -> Any:
        def paced(call: Call) -> JsonObject:
            self._clock.sleep_ms(BETWEEN_MS)
            try:
                found: JsonObject = read(call)
            except ExchangeRefused as error:
                if error.status == NOT_FOUND:
                    raise
                raise HistoryError(f"the exchange refuses {call.target}: {error}; sign with a key") from error
            except ExchangeError as error:
                raise HistoryError(
                    f"the exchange does not answer {call.target}: {error}; try later"
                ) from error
            return found

        return paced

    def cutoffs_ms(self) -> tuple[TimeMs, TimeMs]:
        """From when on settled markets are listed, and trades are live."""
        found = self._transport.read(Call("GET", "/historical/cutoff"))
        return found.field("market_settled_ts", time_ms), found.field("trades_created_ts", time_ms)

    def series(self, ticker: str) -> Mapping[str, Any]:
        """A series object."""
        try:
            return raw(self._transport.read(Call("GET", "/series/{}", (ticker,))).row("series"))
        except ExchangeRefused as error:
            raise HistoryError(f"the exchange knows no series {ticker}: check its ticker") from error

    def archived_markets(self, series: str, since_ms: int, until_ms: int) -> list[Mapping[str, Any]]:
        """The same of markets that settled before the cutoff, whose list knows no filter of time."""
        rows = self._rows("/historical/markets", "markets", [("series_ticker", series)])
        return [row for row in rows if since_ms // 1000 <= closed_ms(row) // 1000 <= until_ms // 1000]

    def markets(self, series: str, since_ms: int, until_ms: int) -> list[Mapping[str, Any]]:
        """Market objects of a series that closed in this time, as far back as the cutoff."""
        params = [
            ("series_ticker", series),
            ("min_close_ts", since_ms // 1000),
            ("max_close_ts", until_ms // 1000),
        ]
        return self._rows("/markets", "markets", params)

    def events(self, series: str, wanted: frozenset[str]) -> list[Mapping[str, Any]]:
        """Event objects of a series, of those that are wanted."""
        rows = self._rows("/events", "events", [("series_ticker", series)], EVENTS_PER_PAGE)
        return [row for row in rows if row.get("event_ticker") in wanted]

    def trades(self, ticker: str, since_ms: int, until_ms: int, cutoff_ms: int) -> list[Mapping[str, Any]]:
        """Trades of a market, those from before the cutoff out of the exchange's own archive."""
        params = [("ticker", ticker), ("min_ts", since_ms // 1000), ("max_ts", until_ms // 1000)]
        found = self._rows("/markets/trades", "trades", params) if until_ms >= cutoff_ms else []
        if since_ms < cutoff_ms:
            found += self._rows("/historical/trades", "trades", params)
        return found

    def candles(self, series: str, ticker: str, since_ms: int, until_ms: int) -> Iterator[Mapping[str, Any]]:
        """One-minute candles that end in this time."""
        return self._candles("/series/{}/markets/{}/candlesticks", (series, ticker), since_ms, until_ms)

    def archived_candles(self, ticker: str, since_ms: int, until_ms: int) -> Iterator[Mapping[str, Any]]:
        """The same of a market that settled before the cutoff."""
        return self._candles("/historical/markets/{}/candlesticks", (ticker,), since_ms, until_ms)

    def _candles(
        self, route: str, where: tuple[str, ...], since_ms: int, until_ms: int
    ) -> Iterator[Mapping[str, Any]]:
        span_s = (CANDLES_PER_CALL - 1) * MINUTE_S
        for start_s in range(since_ms // 1000, until_ms // 1000 + 1, span_s + MINUTE_S):
            end_s = min(start_s + span_s, until_ms // 1000)
            params: Params = [("start_ts", start_s), ("end_ts", end_s), ("period_interval", 1)]
            found = self._transport.read(Call("GET", route, where, params))
            yield from map(raw, found.rows("candlesticks"))

    def _rows(self, route: str, key: str, params: Params, page_rows: int = 1_000) -> list[Mapping[str, Any]]:
        try:
            return [raw(row) for row in read_list(self._transport, route, key, params, page_rows)]
        except ExchangeError as error:
            raise HistoryError(f"GET {route} was not read whole: {error}; try later") from error


def closed_ms(market: Mapping[str, Any]) -> int:
    """When a market closed. Raises HistoryError."""
    return market_ms(market, "close_time")


def market_ms(market: Mapping[str, Any], name: str) -> int:
    """One of a market's times. Raises HistoryError."""
    try:
        return text_ms(market[name])
    except (BadField, KeyError) as error:
        raise HistoryError(f"market {market.get('ticker')} has no {name}: {error}") from error


def raw(row: JsonObject) -> Mapping[str, Any]:
    """An object of an answer as it came."""
    found: Mapping[str, Any] = row._fields()
    return found
