"""Changes successful replies of the simulator, to see who notices."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from tests.simulator.exchange import Exchange
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request

REFUSED = 400


class _Doctor(Faults):
    def __init__(self, changes: Mapping[str, object], method: str) -> None:
        self._changes, self._method = changes, method

    def after(self, request: Request, reply: Reply) -> Reply:
        if request.method != self._method or reply.status >= REFUSED:
            return reply
        fields = json.loads(reply.body) | self._changes
        told = {name: value for name, value in fields.items() if value is not None}
        return replace(reply, body=json.dumps(told).encode())


@contextmanager
def doctored(exchange: Exchange, changes: Mapping[str, object], method: str = "POST") -> Iterator[None]:
    """Lay the changes over the body of each success of one method; None takes a field away."""
    exchange.faults = _Doctor(changes, method)
    try:
        yield
    finally:
        exchange.faults = Faults()
