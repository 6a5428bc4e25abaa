"""A bot of a hundred lines that quotes fixed prices: it shows a world to be sound before any real bot does.

Give it a flaw, and the world's judge must see that flaw: a judge that cannot is itself the defect.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, cast

import boto3
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests.adapters import BaseAdapter

from dora.core.orders.journal import order_prefix
from tests.world.books import BookedPosition
from tests.world.bot import Answer, Deployment, Env
from tests.world.bot_clock import BotClock
from tests.world.lambda_context import LambdaContext

PATH = "/trade-api/v2"
GROUP_LIMIT = 100_000
FLAWS = ("doubles", "oversizes", "forgets the group", "loses the books", "lives on", "dawdles")


class CrudeBot:
    """Places one bid and one ask a market in its first cycle and never looks again."""

    def __init__(self, env: Env, clock: BotClock, adapter: BaseAdapter | None, flaw: str) -> None:
        secret = boto3.client("secretsmanager").get_secret_value(SecretId=env["KALSHI_SECRET_ID"])
        fields = json.loads(secret["SecretString"])
        self._key_id = fields["key_id"]
        self._key = cast(Ed25519PrivateKey, load_pem_private_key(fields["private_key_pem"].encode(), None))
        self._base, self._clock, self._flaw = env["KALSHI_BASE_URL"].removesuffix(PATH), clock, flaw
        self.http = requests.Session()
        if adapter is not None:
            self.http.mount("http://", adapter)
        self._prefix, self._numbers = order_prefix(env["BOT"], env["STAGE"]), count()
        self._tickers = _enabled(env)
        self._groups: dict[int, str] = {}

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """Start makes one group; teardown triggers it."""
        if event["action"] == "start":
            body = {"contracts_limit_fp": f"{GROUP_LIMIT}.00", "exchange_index": 0}
            self._groups[0] = self._send("POST", "/portfolio/order_groups/create", body)["order_group_id"]
            return {"status": "active", "session_id": "s"}
        if self._flaw != "lives on":
            self._send("PUT", f"/portfolio/order_groups/{self._groups[0]}/trigger?exchange_index=0", {})
        return {"status": "closed"}

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """Quote everything once."""
        orders = [order for ticker in self._tickers for order in self._orders(ticker)]
        self._tickers = ()
        if orders:
            self._send("POST", "/portfolio/events/orders/batched", {"orders": orders})
        if self._flaw == "dawdles":
            self._clock.sleep_ms(context.get_remaining_time_in_millis() + 1)
        return {"status": "completed", "reason": "", "placed": len(orders), **dict.fromkeys(_OTHERS, 0)}

    def positions(self) -> Mapping[str, BookedPosition]:
        """It keeps no books: it asks the exchange, which is right by definition."""
        booked: dict[str, BookedPosition] = {}
        if self._flaw == "loses the books":
            return booked
        for fill in self._send("GET", "/portfolio/fills")["fills"]:
            ticker = fill["ticker"]
            booked[ticker] = _Crude(booked.get(ticker), fill)
        return booked

    def books(self) -> None:
        """None are kept."""

    def _orders(self, ticker: str) -> list[dict[str, Any]]:
        copies = 2 if self._flaw == "doubles" else 1
        size = "2000.00" if self._flaw == "oversizes" else "20.00"
        return [self._order(ticker, side, price, size) for side, price in _PRICES for _ in range(copies)]

    def _order(self, ticker: str, side: str, price: str, size: str) -> dict[str, Any]:
        group = {} if self._flaw == "forgets the group" else {"order_group_id": self._groups[0]}
        return {
            "client_order_id": f"{self._prefix}{next(self._numbers)}",
            "ticker": ticker,
            "side": side,
            "price": price,
            "count": size,
            "exchange_index": 0,
            "post_only": True,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            **group,
        }

    def _send(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        stamp = str(self._clock.now_ms())
        text = f"{stamp}{method}{PATH}{path.split('?', maxsplit=1)[0]}"
        headers = {
            "KALSHI-ACCESS-KEY": self._key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(self._key.sign(text.encode())).decode(),
        }
        answer = self.http.request(method, self._base + PATH + path, json=body, headers=headers, timeout=5)
        answer.raise_for_status()
        fields: dict[str, Any] = answer.json() if answer.content else {}
        return fields


_PRICES = (("bid", "0.4000"), ("ask", "0.6000"))
_OTHERS = ("cancelled", "kept", "failed", "unknown")


class _Crude:
    """A position counted from fill rows."""

    settled = False

    def __init__(self, before: BookedPosition | None, fill: Mapping[str, Any]) -> None:
        count_e2, price_e4 = _scaled(fill["count_fp"], 2), _scaled(fill["yes_price_dollars"], 4)
        signed_e2 = count_e2 if fill["book_side"] == "bid" else -count_e2
        self.net = signed_e2 + (before.net if before else 0)
        self.cash = (before.cash if before else 0) - signed_e2 * price_e4
        self.fees = (before.fees if before else 0) + _scaled(fill["fee_cost"], 6)
        self.traded = (before.traded if before else 0) + count_e2


def _scaled(text: str, decimals: int) -> int:
    blocked_by, _, part = text.partition(".")
    return int(blocked_by + part.ljust(decimals, "0"))


def _enabled(env: Env) -> tuple[str, ...]:
    items = boto3.client("dynamodb").scan(TableName=env["CONFIG_TABLE"], ConsistentRead=True)["Items"]
    keys = sorted(item["sk"]["S"] for item in items)
    return tuple(key.removeprefix("MARKET#") for key in keys if key.startswith("MARKET#"))


def crude(flaw: str = "") -> Deployment:
    """A deployment of the crude bot with this flaw ("" for none)."""
    assert flaw in ("", *FLAWS)

    @contextmanager
    def deploy(env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[CrudeBot]:
        bot = CrudeBot(env, clock, adapter, flaw)
        try:
            yield bot
        finally:
            bot.http.close()

    return deploy
