"""What the fault layer asks of a request: its name, who it is, what is in it, how long its client waits."""

import json
from typing import Any

from .wire import PREFIX, Request

PATIENCE_HEADER = "X-Patience-Ms"
"""How long the client will wait, where the driver can tell; the exchange itself ignores it."""
PATIENCE_MS = 5_000


def label(request: Request) -> str:
    return f"{request.method} {request.path.removeprefix(PREFIX)}"


def identity(request: Request) -> str:
    return f"{label(request)}?{sorted(request.query)}"


def patience_ms(request: Request) -> int:
    return int(request.header(PATIENCE_HEADER) or PATIENCE_MS)


def entries(request: Request) -> list[Any]:
    content = json.loads(request.body or b"{}")
    orders = content.get("orders", [])
    return orders if isinstance(orders, list) else []
