"""Reads of our portfolio. Each is read to its last page, or raises; rows that are not understood stand apart.

Of the lists read here the published document requires `orders`, `fills`, `settlements` and `market_positions`
in every answer, so one that is left out is an error; `order_groups` it does not, so it may be left out where
it is empty. Any of them may be null where it is empty. Cash that is in no row is unknown, not zero.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from dora.core.errors import ExchangeError, ExchangeRefused, WireInvalid
from dora.core.exchange.account import ExchangePosition, Fill, Order, OrderGroup, OrderStatus, Settlement
from dora.core.exchange.error_codes import NOT_FOUND
from dora.core.exchange.listed import Listed, UnreadableRow
from dora.core.orders.ownership import ORDERS, POSITIONS, SETTLEMENTS
from dora.core.units import Money, TimeMs
from dora.edge.kalshi import wire_orders
from dora.edge.kalshi.error_codes import NOT_FOUND as HTTP_NOT_FOUND
from dora.edge.kalshi.pagination import read_list, understood
from dora.edge.kalshi.transport import Call, Transport
from dora.edge.kalshi.wire import JsonObject, is_of_subaccount, name, time_ms
from dora.edge.kalshi.wire_markets import ORDER_ROUTE
from dora.edge.kalshi.wire_orders import GROUPS

_SECOND_MS = 1_000

Item = TypeVar("Item")


class PortfolioReads(Transport):
    """Orders, fills, settlements, positions, cash and groups of one subaccount, on all shards."""

    def user_data_time_ms(self) -> TimeMs:
        """When the exchange last validated orders, fills and positions; approximate."""
        return self._read("/exchange/user_data_timestamp").field("as_of_time", time_ms)

    def resting_orders(self) -> Listed[Order]:
        """The orders listed as resting. An ExchangeError carries those that were read before it."""
        return self._orders([("status", OrderStatus.RESTING.value)])

    def orders_of(self, ticker: str, since_ms: TimeMs | None = None) -> Listed[Order]:
        """Orders of every status in one market, made since then (or changed: which is not published)."""
        since: list[tuple[str, str | int]] = [] if since_ms is None else [("min_ts", _min_ts(since_ms))]
        return self._orders([("ticker", ticker), *since])

    def order(self, order_id: str) -> Order | None:
        """One order; None when the exchange itself says not_found, not on any 404 of a gateway."""
        try:
            row = self._read(ORDER_ROUTE, order_id).row("order")
        except ExchangeRefused as error:
            if (error.status, error.code) == (HTTP_NOT_FOUND, NOT_FOUND):
                return None
            raise
        if row.field("order_id", name) != order_id or not is_of_subaccount(row, self._subaccount):
            raise row.invalid("order_id", f"asked for {order_id} of subaccount {self._subaccount}")
        return wire_orders.parse_order(row)

    def fills_since(self, since_ms: TimeMs) -> Listed[Fill]:
        """Fills at or after a time, oldest first, each once."""
        listed = self._list(
            "/portfolio/fills", "fills", wire_orders.parse_fill, ("min_ts", _min_ts(since_ms))
        )
        fills = {fill.fill_id: fill for fill in listed.rows if fill.at_ms >= since_ms}
        return listed._replace(
            rows=tuple(sorted(fills.values(), key=lambda fill: (fill.at_ms, fill.fill_id)))
        )

    def settlements_since(self, since_ms: TimeMs) -> Listed[Settlement]:
        """Payouts at or after a time, oldest first, each once."""
        bound = ("min_ts", _min_ts(since_ms))
        listed = self._list("/portfolio/settlements", SETTLEMENTS, wire_orders.parse_settlement, bound)
        payouts = dict.fromkeys(paid for paid in listed.rows if paid.settled_ms >= since_ms)
        return listed._replace(rows=tuple(sorted(payouts, key=lambda paid: (paid.settled_ms, paid.ticker))))

    def positions(self) -> Listed[ExchangePosition]:
        """Unsettled markets in which we hold contracts."""
        which = ("count_filter", "position")
        listed = self._list("/portfolio/positions", POSITIONS, wire_orders.parse_position, which)
        held = {(row.shard, row.ticker): row for row in listed.rows}
        return listed._replace(rows=tuple(held.values()))

    def cash(self) -> Mapping[int, Money]:
        """Spendable cash by shard; a shard that is not listed, or not understood, is unknown.

        Raises WireInvalid when no shard is listed at all: an account has cash somewhere, if only 0.
        Asked once: its bucket holds one call a second, so a second attempt at once would only meet a 429.
        Who asks again first waits for that bucket, like `flow.shared.reads.cash_again`.
        """
        call = Call("GET", "/portfolio/balance", params=self._of_us)
        answer = self.send(call)
        rows = answer.rows("balance_breakdown")
        if not rows:
            raise answer.invalid("balance_breakdown", "names no shard")
        return dict(understood(self._facts, rows, wire_orders.parse_balance))

    def order_groups(self) -> Listed[OrderGroup]:
        """All groups; this list has no pages."""
        answer = self._read("/portfolio/order_groups", params=self._of_us)
        return self._listed(
            GROUPS, answer.rows(GROUPS, required=False), self._ours(wire_orders.parse_order_group)
        )

    def _orders(self, which: list[tuple[str, str | int]]) -> Listed[Order]:
        rows: list[JsonObject] = []
        try:
            read_list(self, "/portfolio/orders", ORDERS, [*which, *self._of_us], into=rows)
        except ExchangeError as error:
            error.partial = self._latest(rows).rows
            raise
        return self._latest(rows)

    def _latest(self, rows: Iterable[JsonObject]) -> Listed[Order]:
        """Each order once: pages shift while they are read, and its latest row counts."""
        known, ours = self._known[ORDERS], self._ours(wire_orders.parse_order)
        listed, latest = self._listed(ORDERS, rows, lambda row: known.value(row, ours)), dict[str, Order]()
        for order in listed.rows:
            before = latest.setdefault(order.order_id, order)
            if before is not order:
                latest[order.order_id] = max(before, order, key=_finality)
        return listed._replace(rows=tuple(latest.values()))

    def _ours(self, parse: Callable[[JsonObject], Item]) -> Callable[[JsonObject], Item | None]:
        """What rows of our subaccount say; None for those of others."""
        return lambda row: parse(row) if is_of_subaccount(row, self._subaccount) else None

    def _list(
        self, route: str, key: str, parse: Callable[[JsonObject], Item], which: tuple[str, str | int]
    ) -> Listed[Item]:
        return self._listed(key, read_list(self, route, key, [which, *self._of_us]), self._ours(parse))

    def _listed(
        self, key: str, rows: Iterable[JsonObject], read: Callable[[JsonObject], Item | None]
    ) -> Listed[Item]:
        """Our subaccount's rows; what is not understood is no reason to drop or to refuse the others."""
        understood: list[Item] = []
        others: dict[UnreadableRow, None] = {}
        for row in rows:
            try:
                item = read(row)
            except WireInvalid as error:
                others[wire_orders.unreadable(key, row, error)] = None
                continue
            if item is not None:
                understood.append(item)
        return Listed(tuple(understood), tuple(others))


def _finality(order: Order) -> tuple[TimeMs, bool]:
    """Later rows win; at equal times a terminal one, for it is final."""
    return order.updated_ms, order.status is not OrderStatus.RESTING


def _min_ts(since_ms: TimeMs) -> int:
    """Whole seconds, one earlier than asked: whether the bound itself is included is not published."""
    return max(since_ms // _SECOND_MS - 1, 0)
