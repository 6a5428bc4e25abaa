"""An exchange that has something against one market."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.simulator.faults import Faults
from tests.simulator.wire import Refusal, Reply, Request, dated


class OrdersRefused(Faults):
    """Batches with a create in this market are refused whole, with this code. Send orders one by one."""

    def __init__(self, ticker: str, code: str, now_ms: Callable[[], int]) -> None:
        self._ticker, self._code, self._now_ms = ticker.encode(), code, now_ms

    def before(self, request: Request) -> Reply | None:
        creates = request.method == "POST" and request.path.endswith("/events/orders/batched")
        if not creates or self._ticker not in request.body:
            return None
        return dated(Refusal(400, self._code).reply(), self._now_ms())


class MarketLeftOut(Faults):
    """Lists of markets and of books lack this one."""

    def __init__(self, ticker: str) -> None:
        self._ticker = ticker

    def after(self, request: Request, reply: Reply) -> Reply:
        if not request.path.endswith(("/markets", "/markets/orderbooks")):
            return reply
        content: dict[str, Any] = json.loads(reply.body)
        for name, rows in content.items():
            if isinstance(rows, list):
                content[name] = [row for row in rows if row["ticker"] != self._ticker]
        return replace(reply, body=json.dumps(content).encode())
