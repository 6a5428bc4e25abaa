"""The exchange over its REST interface, version 2: one API key, one subaccount, all shards."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from requests.adapters import BaseAdapter

from dora.core.errors import AuthRefused, ExchangeError, ExchangeRefused, RateLimited, WireInvalid
from dora.core.model import (
    BatchCancelResult,
    BatchPlaceResult,
    Book,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    Event,
    ExchangePosition,
    Fill,
    Limits,
    Market,
    Order,
    OrderGroup,
    OrderRequest,
    OrderStatus,
    Series,
    Settlement,
    ShardStatus,
)
from dora.core.ports import Clock, Facts
from dora.core.units import Count, Money, TimeMs
from dora.edge.kalshi import outcomes, wire_markets, wire_orders
from dora.edge.kalshi.listing import comma_lists, read_list, slices
from dora.edge.kalshi.refusals import NOT_FOUND
from dora.edge.kalshi.signing import Signer
from dora.edge.kalshi.transport import Call, Params, Transport
from dora.edge.kalshi.wire import Row, integer, name, of_subaccount, time_ms
from dora.edge.kalshi.wire_markets import BATCH_ROUTE, ORDER_ROUTE

BOOKS_PER_CALL = 100
EVENTS_PER_PAGE = 200
_STATUS_ON = frozenset({500, 503, 504})
_SECOND_MS = 1_000
_GROUP_ROUTE = "/portfolio/order_groups/{}"

T = TypeVar("T")


class KalshiExchange:
    """Implements `ports.Exchange`. Reads may run in parallel.

    `base_url` ends in /trade-api/v2. `adapter` takes the network's place: the simulator in process.
    """

    skew_ms: int = 0

    def __init__(
        self,
        base_url: str,
        signer: Signer,
        clock: Clock,
        facts: Facts,
        *,
        subaccount: int = 0,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self._transport = Transport(
            base_url, signer, clock, facts, adapter=adapter, note_skew=self._note_skew
        )
        self._facts, self._subaccount = facts, subaccount
        self._ours: Params = (("subaccount", subaccount),)

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far, by endpoint."""
        return self._transport.calls

    def until(self, deadline_ms: TimeMs) -> None:
        """From now on no request's timeout reaches past this time."""
        self._transport.deadline_ms = deadline_ms

    def _note_skew(self, skew_ms: int) -> None:
        self.skew_ms = skew_ms

    # --- our portfolio -----------------------------------------------------------------------------

    def user_data_time_ms(self) -> TimeMs:
        """When the exchange last validated orders, fills and positions; approximate."""
        return self._read("/exchange/user_data_timestamp").field("as_of_time", time_ms)

    def resting_orders(self) -> tuple[Order, ...]:
        """Resting orders on all shards."""
        return self._orders(("status", OrderStatus.RESTING.value))

    def orders_of(self, ticker: str) -> tuple[Order, ...]:
        """Orders of every status in one market."""
        return self._orders(("ticker", ticker))

    def order(self, order_id: str) -> Order | None:
        """One order; None when the exchange itself answers 404, not when something before it does."""
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
        """Fills at or after a time, of all shards, oldest first, each once."""
        fills = map(wire_orders.fill, self._portfolio("/portfolio/fills", "fills", _min_ts(since_ms)))
        once = {fill.fill_id: fill for fill in fills if fill.at_ms >= since_ms}
        return tuple(sorted(once.values(), key=lambda fill: (fill.at_ms, fill.fill_id)))

    def settlements_since(self, since_ms: TimeMs) -> tuple[Settlement, ...]:
        """Payouts at or after a time, oldest first, each once."""
        rows = self._portfolio("/portfolio/settlements", "settlements", _min_ts(since_ms))
        once = dict.fromkeys(map(wire_orders.settlement, rows))
        ours = [settlement for settlement in once if settlement.settled_ms >= since_ms]
        return tuple(sorted(ours, key=lambda settlement: (settlement.settled_ms, settlement.ticker)))

    def positions(self) -> tuple[ExchangePosition, ...]:
        """Unsettled markets in which we hold contracts."""
        rows = self._portfolio("/portfolio/positions", "market_positions", ("count_filter", "position"))
        positions = map(wire_orders.position, rows)
        return tuple({(held.shard, held.ticker): held for held in positions}.values())

    def cash(self) -> Mapping[int, Money]:
        """Spendable cash by shard; a shard that is not listed is unknown."""
        return wire_orders.balances(self._read("/portfolio/balance", params=self._ours))

    def order_groups(self) -> tuple[OrderGroup, ...]:
        """All groups of the account; this list has no pages."""
        rows = self._read("/portfolio/order_groups", params=self._ours).rows("order_groups")
        return tuple(map(wire_orders.order_group, of_subaccount(rows, self._subaccount)))

    def _orders(self, which: tuple[str, str]) -> tuple[Order, ...]:
        latest: dict[str, Order] = {}
        for order in map(wire_orders.order, self._portfolio("/portfolio/orders", "orders", which)):
            known = latest.get(order.order_id, order)
            latest[order.order_id] = max(known, order, key=_how_late)
        return tuple(latest.values())

    def _portfolio(self, route: str, key: str, which: tuple[str, str | int]) -> list[Row]:
        rows = read_list(self._transport, route, key, [which, *self._ours])
        return of_subaccount(rows, self._subaccount)

    # --- markets and the exchange ------------------------------------------------------------------

    def status(self) -> Mapping[int, ShardStatus]:
        """By shard. A failing exchange still says this much."""
        call = Call("GET", "/exchange/status", also_answers=_STATUS_ON)
        return wire_markets.shard_statuses(self._transport.read(call))

    def books(self, tickers: Sequence[str]) -> Mapping[str, Book]:
        """Books by ticker, 100 a call; a ticker whose book could not be read or understood is absent.

        Raises only when no call was answered, or when calling on would be wrong (401, 403, 429).
        """
        books: dict[str, Book] = {}
        failures: list[ExchangeError] = []
        parts = list(slices(tickers, BOOKS_PER_CALL))
        for part in parts:
            try:
                books |= self._books(part)
            except (AuthRefused, RateLimited):
                raise
            except ExchangeError as error:
                failures.append(error)
                self._say_unread("book", part, error)
        if parts and len(failures) == len(parts):
            raise failures[-1]
        return books

    def _books(self, tickers: Sequence[str]) -> dict[str, Book]:
        params = [("tickers", ticker) for ticker in tickers]
        rows = self._read("/markets/orderbooks", params=params).rows("orderbooks")
        parse = lambda row: wire_markets.book(row.field("ticker", name), row.row("orderbook_fp"))  # noqa: E731
        return {book.ticker: book for book in self._understood("book", rows, parse) if book.ticker in tickers}
