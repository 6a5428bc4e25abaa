"""Reads of our portfolio. Each is complete, or raises."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from dora.core.errors import ExchangeError, ExchangeRefused, WireInvalid
from dora.core.model import ExchangePosition, Fill, Order, OrderGroup, OrderStatus, Settlement
from dora.core.units import Money, TimeMs
from dora.edge.kalshi import wire_orders
from dora.edge.kalshi.caller import Caller
from dora.edge.kalshi.listing import read_list
from dora.edge.kalshi.refusals import NOT_FOUND
from dora.edge.kalshi.transport import Call
from dora.edge.kalshi.wire import Row, name, of_subaccount, time_ms
from dora.edge.kalshi.wire_markets import ORDER_ROUTE

_SECOND_MS = 1_000


class PortfolioReads(Caller):
    """Orders, fills, settlements, positions, cash and groups of one subaccount, on all shards."""

    def user_data_time_ms(self) -> TimeMs:
        """When the exchange last validated orders, fills and positions; approximate."""
        return self._read("/exchange/user_data_timestamp").field("as_of_time", time_ms)

    def resting_orders(self) -> tuple[Order, ...]:
        """The orders listed as resting. What an ExchangeError carries of them was read before it failed."""
        return self._orders([("status", OrderStatus.RESTING.value)])

    def orders_of(self, ticker: str, since_ms: TimeMs | None = None) -> tuple[Order, ...]:
        """Orders of every status in one market, made since then (or changed: which is not published)."""
        return self._orders(
            [("ticker", ticker), *([("min_ts", _min_ts(since_ms))] if since_ms is not None else [])]
        )

    def order(self, order_id: str) -> Order | None:
        """One order; None when the exchange itself says not_found, not on any 404 of a gateway."""
        try:
            row = self._read(ORDER_ROUTE, order_id).row("order")
        except ExchangeRefused as error:
            if (error.status, error.code) == (NOT_FOUND, "not_found"):
                return None
            raise
        if row.field("order_id", name) != order_id or not of_subaccount([row], self._subaccount):
            raise row.invalid("order_id", f"asked for {order_id} of subaccount {self._subaccount}")
        return wire_orders.order(row)

    def fills_since(self, since_ms: TimeMs) -> tuple[Fill, ...]:
        """Fills at or after a time, oldest first, each once."""
        rows = self._rows("/portfolio/fills", "fills", ("min_ts", _min_ts(since_ms)))
        fills = {fill.fill_id: fill for fill in map(wire_orders.fill, rows) if fill.at_ms >= since_ms}
        return tuple(sorted(fills.values(), key=lambda fill: (fill.at_ms, fill.fill_id)))

    def settlements_since(self, since_ms: TimeMs) -> tuple[Settlement, ...]:
        """Payouts at or after a time, oldest first, each once."""
        rows = self._rows("/portfolio/settlements", "settlements", ("min_ts", _min_ts(since_ms)))
        payouts = [paid for paid in map(wire_orders.settlement, rows) if paid.settled_ms >= since_ms]
        return tuple(sorted(dict.fromkeys(payouts), key=lambda paid: (paid.settled_ms, paid.ticker)))

    def positions(self) -> tuple[ExchangePosition, ...]:
        """Unsettled markets in which we hold contracts."""
        rows = self._rows("/portfolio/positions", "market_positions", ("count_filter", "position"))
        held = {(row.shard, row.ticker): row for row in map(wire_orders.position, rows)}
        return tuple(held.values())

    def cash(self) -> Mapping[int, Money]:
        """Spendable cash by shard; a shard that is not listed is unknown.

        Asked once: its bucket holds one call a second, so a second attempt would only meet a 429.
        """
        call = Call("GET", "/portfolio/balance", params=self._of_us)
        return wire_orders.balances(self._transport.send(call))

    def order_groups(self) -> tuple[OrderGroup, ...]:
        """All groups; this list has no pages."""
        rows = self._read("/portfolio/order_groups", params=self._of_us).rows("order_groups")
        return tuple(map(wire_orders.order_group, of_subaccount(rows, self._subaccount)))

    def _orders(self, which: list[tuple[str, str | int]]) -> tuple[Order, ...]:
        rows: list[Row] = []
        try:
            read_list(self._transport, "/portfolio/orders", "orders", [*which, *self._of_us], into=rows)
            return _latest(map(wire_orders.order, of_subaccount(rows, self._subaccount)))
        except ExchangeError as error:
            error.partial = _latest(_readable(rows, self._subaccount))
            raise

    def _rows(self, route: str, key: str, which: tuple[str, str | int]) -> list[Row]:
        rows = read_list(self._transport, route, key, [which, *self._of_us])
        return of_subaccount(rows, self._subaccount)


def _latest(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Each order once: pages shift while they are read, and its latest row counts."""
    latest: dict[str, Order] = {}
    for order in orders:
        latest[order.order_id] = max(latest.get(order.order_id, order), order, key=_finality)
    return tuple(latest.values())


def _readable(rows: Iterable[Row], subaccount: int) -> Iterator[Order]:
    """Orders of those rows that can be read, each by itself."""
    for row in rows:
        with suppress(WireInvalid):
            yield from map(wire_orders.order, of_subaccount([row], subaccount))


def _finality(order: Order) -> tuple[TimeMs, bool]:
    """Later rows win; at equal times a terminal one, for it is final."""
    return order.updated_ms, order.status is not OrderStatus.RESTING


def _min_ts(since_ms: TimeMs) -> int:
    """Whole seconds, one earlier than asked: whether the bound itself is included is not published."""
    return max(since_ms // _SECOND_MS - 1, 0)
