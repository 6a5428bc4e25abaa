"""The order requests of a run, one line each: two versions of the bot that quote alike have them in common.

A line holds the virtual time, the verb, market, side, price and count. Generated ids are left out, so equal
decisions make equal lines.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.demo.options import iso
from tests.simulator.exchange import Exchange
from tests.simulator.faults import Faults
from tests.simulator.member import Member
from tests.simulator.wire import PREFIX, Reply, Request

ORDERS = f"{PREFIX}/portfolio/events/orders"


class OrderRequests(Faults):
    """Stands before the exchange, lets everything through, and keeps a line for each order asked about."""

    def __init__(self, exchange: Exchange, member: Member) -> None:
        self._exchange, self._member = exchange, member
        self.lines: list[str] = []

    def before(self, request: Request) -> Reply | None:
        """Note what is asked, before anything is checked."""
        if request.method != "GET" and request.path.startswith(ORDERS):
            now = iso(self._exchange.venue.now_ms())
            self.lines += [f"{now} {line}" for line in self._lines(request)]
        return None

    def _lines(self, request: Request) -> Iterator[str]:
        asked = json.loads(request.body or b"{}")
        if request.method == "DELETE":
            return (f"cancel {self._known(entry['order_id'])}" for entry in asked["orders"])
        if "orders" in asked:
            return (f"create {_created(entry)}" for entry in asked["orders"])
        *_, order_id, verb = request.path.split("/")
        if order_id in self._member.by_id:
            return iter([f"{verb} {self._known(order_id)} {asked.get('reduce_to', '')}".rstrip()])
        return iter([f"create {_created(asked)}"])

    def _known(self, order_id: str) -> str:
        order = self._member.by_id.get(order_id)
        if order is None:
            return "an unknown order"
        return f"{order.market.ticker} {order.side} {order.price_e4} {order.remaining_e2}"


def _created(entry: dict[str, Any]) -> str:
    return f"{entry['ticker']} {entry['side']} {entry['price']} {entry['count']}"
