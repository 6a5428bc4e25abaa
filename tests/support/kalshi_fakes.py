"""A scripted exchange for tests of the client: replies are listed beforehand, requests are kept."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import CancelRequest, OrderRequest
from dora.core.units import Count, Price, TimeMs
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.signing import Signer
from tests.world.keys import ApiKey, KeyKind, fresh_key

BASE_URL = "http://exchange.test/trade-api/v2"
NOW_MS = 1_795_183_200_000
TICKER = "KXHIGHNY-26NOV21-T52"


class FakeClock:
    """Stands still; sleeping moves it."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.at_ms = now_ms
        self.slept: list[int] = []

    def now_ms(self) -> TimeMs:
        return TimeMs(self.at_ms)

    def sleep_ms(self, span_ms: int) -> None:
        self.slept.append(span_ms)
        self.at_ms += span_ms


class FakeFacts:
    """Keeps what was emitted."""

    def __init__(self) -> None:
        self.emitted: list[tuple[str, dict[str, object]]] = []

    def emit(self, event_type: str, **fields: object) -> None:
        self.emitted.append((event_type, fields))

    def count(self, name: str, value: float, unit: str = "Count") -> None:
        self.emitted.append((name, {"value": value, "unit": unit}))

    def context(self, **keys: str) -> None:
        self.emitted.append(("context", dict(keys)))

    def of(self, event_type: str) -> list[dict[str, object]]:
        return [fields for said, fields in self.emitted if said == event_type]


@dataclass(frozen=True)
class FakeReply:
    """A status and a body: a JSON value, or bytes as they are."""

    status: int
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = FakeReply | Exception | Callable[[requests.PreparedRequest], FakeReply]


class ScriptedAdapter(BaseAdapter):
    """Answers with the script, one entry a request, the last one for ever."""

    def __init__(self, *script: Script) -> None:
        super().__init__()
        self.script = list(script)
        self.requests: list[requests.PreparedRequest] = []
        self.timeouts: list[tuple[float, float]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        step = self.script[min(len(self.requests), len(self.script) - 1)]
        self.requests.append(request)
        self.timeouts.append(options["timeout"])
        if isinstance(step, Exception):
            raise step
        return _response(request, step if isinstance(step, FakeReply) else step(request))

    def close(self) -> None:
        """Nothing is open."""

    def queries(self) -> list[list[tuple[str, str]]]:
        return [parse_qsl(urlsplit(request.url or "").query) for request in self.requests]

    def bodies(self) -> list[Any]:
        return [json.loads(request.body or b"null") for request in self.requests]

    def targets(self) -> list[str]:
        return [f"{request.method} {urlsplit(request.url or '').path}" for request in self.requests]


def _response(request: requests.PreparedRequest, reply: FakeReply) -> requests.Response:
    response = requests.Response()
    response.status_code = reply.status
    response.headers.update(reply.headers)
    response.url, response.request = request.url or "", request
    response.raw = HTTPResponse(body=io.BytesIO(reply.content()), status=reply.status, preload_content=False)
    return response


_key = cache(fresh_key)


def api_key(kind: KeyKind = "ed25519") -> ApiKey:
    """One key of each kind for all tests."""
    return _key(kind)


def signer(kind: KeyKind = "ed25519") -> Signer:
    return Signer.from_pem("key-1", api_key(kind).private_pem)


@dataclass
class Scripted:
    """A client and everything around it."""

    adapter: ScriptedAdapter
    clock: FakeClock
    facts: FakeFacts
    exchange: KalshiExchange


def scripted(*script: Script, subaccount: int = 0) -> Scripted:
    """A client whose exchange follows the script."""
    adapter, clock, facts = ScriptedAdapter(*script), FakeClock(), FakeFacts()
    exchange = KalshiExchange(BASE_URL, signer(), clock, facts, subaccount=subaccount, adapter=adapter)
    return Scripted(adapter, clock, facts, exchange)


def http_date(at_ms: int) -> str:
    return formatdate(at_ms // 1000, usegmt=True)


# --- rows as the exchange writes them ------------------------------------------------------------


def order_row(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": "order-1",
        "user_id": "user-1",
        "client_order_id": "dora-1",
        "ticker": TICKER,
        "outcome_side": "no",
        "book_side": "ask",
        "type": "limit",
        "status": "resting",
        "yes_price_dollars": "0.4600",
        "no_price_dollars": "0.5400",
        "fill_count_fp": "3.00",
        "remaining_count_fp": "7.00",
        "initial_count_fp": "10.00",
        "created_time": "2026-11-20T13:58:00Z",
        "last_update_time": "2026-11-20T13:59:58.5Z",
        "order_group_id": "group-1",
        "subaccount_number": 0,
        "exchange_index": 2,
    } | changes


def fill_row(**changes: Any) -> dict[str, Any]:
    return {
        "fill_id": "fill-1",
        "trade_id": "fill-1",
        "exchange_index": 2,
        "order_id": "order-1",
        "ticker": TICKER,
        "market_ticker": TICKER,
        "outcome_side": "no",
        "book_side": "ask",
        "count_fp": "3.00",
        "yes_price_dollars": "0.4600",
        "no_price_dollars": "0.5400",
        "is_taker": False,
        "fee_cost": "0.013041",
        "created_time": "2026-11-20T13:59:58Z",
    } | changes


def market_row(**changes: Any) -> dict[str, Any]:
    return {
        "ticker": TICKER,
        "event_ticker": "KXHIGHNY-26NOV21",
        "market_type": "binary",
        "status": "active",
        "open_time": "2026-11-20T15:00:00Z",
        "close_time": "2026-11-22T04:59:00Z",
        "notional_value_dollars": "1.0000",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        "settlement_bounds_type": "default",
        "exchange_index": 2,
    } | changes


def settlement_row(**changes: Any) -> dict[str, Any]:
    return {
        "ticker": TICKER,
        "exchange_index": 2,
        "market_result": "no",
        "revenue": 3000,
        "settled_time": "2026-11-22T12:00:00Z",
        "fee_cost": "0.1300",
        "value": 0,
    } | changes


def without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


# --- requests of ours --------------------------------------------------------------------------------


def order_request(number: int = 1, **changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "client_order_id": f"dora-{number}",
        "slot": Slot(TICKER, Side.ASK, number),
        "shard": 2,
        "price": Price(4600),
        "count": Count(1000),
        "group_id": "group-1",
        "expires_s": NOW_MS // 1000 + 300,
    }
    return OrderRequest(**(values | changes))


def cancel_request(number: int = 1) -> CancelRequest:
    return CancelRequest(
        order_id=f"order-{number}",
        client_order_id=f"dora-{number}",
        ticker=TICKER,
        shard=2,
        remaining=Count(700),
    )


def placed_entry(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": f"order-{number}",
        "client_order_id": f"dora-{number}",
        "fill_count": "0.00",
        "remaining_count": "10.00",
        "average_fill_price": None,
        "ts_ms": NOW_MS + number,
        "error": None,
    } | changes


def failed_entry(number: int | None = 1, code: str = "invalid_order", details: str = "") -> dict[str, Any]:
    return {
        "client_order_id": None if number is None else f"dora-{number}",
        "fill_count": None,
        "remaining_count": None,
        "ts_ms": None,
        "error": {"code": code, "message": code, "details": details},
    }


def cancelled_entry(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": f"order-{number}",
        "client_order_id": f"dora-{number}",
        "reduced_by": "7.00",
        "ts_ms": NOW_MS + number,
        "error": None,
    } | changes


def pages(key: str, *rows: Sequence[Mapping[str, Any]]) -> list[FakeReply]:
    """One reply a page, each but the last with a cursor."""
    cursors = [*(f"c{number}" for number in range(1, len(rows))), ""]
    return [FakeReply(200, {key: list(part), "cursor": c}) for part, c in zip(rows, cursors, strict=True)]
