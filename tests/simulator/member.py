"""An API user: keys, subaccounts, orders, fills, order groups and token buckets."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from .account import Account
from .auth import Verifier, load_verifier
from .buckets import Buckets

if TYPE_CHECKING:
    from .groups import Group
    from .model import Fill, Order, Settlement


class Member:
    """Everything the exchange knows of one API user."""

    def __init__(
        self, key_id: str, public_key_pem: str, accounts: dict[int, Account], buckets: Buckets, at_ms: int
    ) -> None:
        self.key_id = key_id
        self.user_id = f"u-{key_id}"
        self.verifier: Verifier = load_verifier(public_key_pem)
        self.accounts = accounts
        self.buckets = buckets
        self.fair_buckets = Buckets(buckets.tier, at_ms)  # its own spending: no draining, no copies
        self.orders: list[Order] = []  # by sequence
        self.by_id: dict[str, Order] = {}
        self.by_ticker: dict[str, list[Order]] = defaultdict(list)
        self.resting: dict[str, Order] = {}
        self.live: dict[tuple[str, str], dict[str, Order]] = defaultdict(dict)  # (ticker, side)
        self.client_ids: dict[str, Order | None] = {}  # None: spent without an order
        self.changes: list[tuple[int, Order]] = []
        self.fills: list[Fill] = []
        self.fills_by_ticker: dict[str, list[Fill]] = defaultdict(list)
        self.settlements: list[Settlement] = []
        self.groups: dict[str, Group] = {}
        self.transfer_ids: set[str] = set()
        self.allocations: list[dict[str, int]] = []
        self.allocation_mode = "none"
        self.cancel_all_until_ms = 0
        self.active_ms = 0

    def adopt(self, order: Order) -> None:
        """Enter a new order in the member's books."""
        self.orders.append(order)
        self.by_id[order.id] = order
        self.by_ticker[order.market.ticker].append(order)
        if order.client_order_id:
            self.client_ids[order.client_order_id] = order

    def rest(self, order: Order) -> None:
        self.resting[order.id] = order
        self.live[order.market.ticker, order.side][order.id] = order

    def unrest(self, order: Order) -> None:
        self.resting.pop(order.id, None)
        self.live[order.market.ticker, order.side].pop(order.id, None)

    def changed(self, order: Order, at_ms: int) -> None:
        """Stamp the order's new state for lagging reads."""
        order.stamp(at_ms)
        self.active_ms = at_ms
        self.changes.append((at_ms, order))

    def changed_since(self, at_ms: int) -> list[Order]:
        """Orders whose state moved after `at_ms`; a read of that time may show them otherwise."""
        if not self.changes or self.changes[-1][0] <= at_ms:
            return []
        first = bisect_right(self.changes, at_ms, key=lambda change: change[0])
        return [order for _, order in self.changes[first:]]
