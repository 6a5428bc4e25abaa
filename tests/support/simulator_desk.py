"""A trading desk for simulator tests: one signed member, one clock, a few markets."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange, MarketSpec, Request
from tests.simulator.knobs import Knobs
from tests.simulator.model import Event
from tests.simulator.wire import PREFIX

START_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
DOLLAR_E6 = 1_000_000
ORDERS = "/portfolio/events/orders"
GROUPS = "/portfolio/order_groups"
TICKER = "RAIN-A"

KEY = ed25519.Ed25519PrivateKey.generate()  # one for all tests: making keys is slow, signing is not


class Answer(NamedTuple):
    status: int
    body: Any

    @property
    def code(self) -> str:
        """The error code, whatever the envelope."""
        error = self.body.get("error", self.body)
        return error if isinstance(error, str) else error.get("code", "")


def public_pem(key: Any = KEY) -> str:
    encoded = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return str(encoded.decode())


def market(ticker: str = TICKER, **more: Any) -> MarketSpec:
    event = ticker.partition("-")[0]
    fields: dict[str, Any] = {
        "event_ticker": event,
        "series_ticker": f"S{event}",
        "open_ms": START_MS - HOUR_MS,
        "close_ms": START_MS + 24 * HOUR_MS,
    }
    return MarketSpec(ticker=ticker, **(fields | more))


class Desk:
    """RAIN-A and RAIN-B on shard 0, COIN-A on shard 2; money on both shards unless said otherwise."""

    def __init__(
        self, knobs: Knobs | None = None, *, tier: str = "prestige", cash: dict[int, int] | None = None
    ) -> None:
        self.clock = VirtualClock(START_MS)
        self.exchange = Exchange(clock=self.clock, knobs=knobs or Knobs(), seed=7)
        for spec in (market(), market("RAIN-B"), market("COIN-A", shard=2)):
            self.exchange.add_market(spec)
        dollars = {0: 1_000, 2: 1_000} if cash is None else cash
        cash_e6 = {shard: amount * DOLLAR_E6 for shard, amount in dollars.items()}
        self.member = self.exchange.add_member(
            key_id="desk", public_key_pem=public_pem(), cash_e6=cash_e6, tier=tier
        )
        self.events: list[Event] = []
        self.exchange.observers.append(self.events.append)
        self._made = 0

    @property
    def account(self) -> Any:
        return self.member.accounts[0]

    def signed(
        self, method: str, path: str, query: Any = (), body: Any = None, *, skew_ms: int = 0
    ) -> Request:
        stamp = str(self.clock.now_ms() + skew_ms)
        signature = base64.b64encode(KEY.sign(f"{stamp}{method}{PREFIX}{path}".encode())).decode()
        headers = {
            "KALSHI-ACCESS-KEY": "desk",
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": signature,
            "Content-Type": "application/json",
        }
        pairs = list(query.items()) if isinstance(query, dict) else list(query)
        data = b"" if body is None else json.dumps(body).encode()
        return Request(method, PREFIX + path, [(name, str(value)) for name, value in pairs], headers, data)

    def call(self, method: str, path: str, query: Any = (), body: Any = None) -> Answer:
        reply = self.exchange.handle(self.signed(method, path, query, body))
        return Answer(reply.status, json.loads(reply.body) if reply.body else {})

    def get(self, path: str, **query: Any) -> Answer:
        return self.call("GET", path, query)

    def order(
        self, side: str = "bid", price: str = "0.4000", count: str = "10.00", **more: Any
    ) -> dict[str, Any]:
        """A create body; its client id is new each time."""
        self._made += 1
        fields = {
            "ticker": TICKER,
            "client_order_id": f"t-{self._made}",
            "side": side,
            "count": count,
            "price": price,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "exchange_index": 0,
        }
        return {name: value for name, value in (fields | more).items() if value is not None}

    def place(self, side: str = "bid", price: str = "0.4000", count: str = "10.00", **more: Any) -> Answer:
        return self.call("POST", ORDERS, body=self.order(side, price, count, **more))

    def rest(self, side: str = "bid", price: str = "0.4000", count: str = "10.00", **more: Any) -> str:
        """Place an order that must rest; returns its id."""
        answer = self.place(side, price, count, **more)
        assert answer.status == 201, answer
        assert answer.body["remaining_count"] != "0.00"
        return str(answer.body["order_id"])

    def cancel(self, order_id: str, **query: Any) -> Answer:
        return self.call("DELETE", f"{ORDERS}/{order_id}", query or {"exchange_index": 0})

    def row(self, order_id: str) -> dict[str, Any]:
        answer = self.get(f"/portfolio/orders/{order_id}")
        assert answer.status == 200, answer
        row: dict[str, Any] = answer.body["order"]
        return row

    def listed(self, **query: Any) -> list[str]:
        return [row["order_id"] for row in self.get("/portfolio/orders", **query).body["orders"]]

    def group(self, limit: int = 100, shard: int = 0) -> str:
        answer = self.call(
            "POST", f"{GROUPS}/create", body={"contracts_limit": limit, "exchange_index": shard}
        )
        assert answer.status == 201, answer
        return str(answer.body["order_group_id"])

    def taken(self, side: str, price_e4: int, count_e2: int, ticker: str = TICKER) -> int:
        """Somebody else takes; `side` is theirs."""
        return self.exchange.background_take(ticker, side, price_e4, count_e2)


def pages(desk: Desk, path: str, name: str, **query: Any) -> list[Any]:
    """Every row of a list, page by page."""
    rows, cursor = [], ""
    while True:
        body = desk.get(path, **query, **({"cursor": cursor} if cursor else {})).body
        rows += body[name]
        cursor = body["cursor"]
        if not cursor:
            return rows
