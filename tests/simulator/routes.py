"""Which path is which call: authentication, bucket and handler of each endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from . import api_account, api_exchange, api_groups, api_markets, api_orders, api_portfolio
from .call import Call
from .costs import cost_of
from .wire import PREFIX, Reply, not_found

Handler = Callable[[Call], Reply]

PUBLIC = "public"  # read bucket, signature optional
READ = "read"
BALANCE = "balance"  # its own bucket
SINGLE = "single"  # an order write: billed to its shard
UNSCOPED = "unscoped"  # any other write
BATCH = "batch"  # billed per order
LEGACY = "legacy"
WRITES = (SINGLE, UNSCOPED, BATCH, LEGACY)


@dataclass(frozen=True)
class Route:
    """One endpoint. `pattern` writes parameters as `:name`."""

    method: str
    pattern: str
    billing: str
    handler: Handler
    segments: tuple[str, ...] = field(init=False)
    cost: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.pattern.strip("/").split("/")))
        object.__setattr__(self, "cost", cost_of(self.method, self.pattern))

    @property
    def is_write(self) -> bool:
        return self.billing in WRITES

    @property
    def name(self) -> str:
        return f"{self.method} {self.pattern}"

    @property
    def operation(self) -> str:
        """The name that parameter refusals carry."""
        words = [word for word in self.segments if not word.startswith(":")]
        return self.method.title() + "".join(word.title().replace("_", "") for word in words)

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """Path parameters when the path fits."""
        params: dict[str, str] = {}
        for wanted, got in zip(self.segments, segments, strict=True):
            if wanted.startswith(":"):
                params[wanted[1:]] = unquote(got)
            elif wanted != got:
                return None
        return params


def _past_routes() -> Iterator[Route]:
    """What is older than the cutoff."""
    yield Route("GET", "/historical/markets", PUBLIC, api_markets.historical_markets)
    candles = "/historical/markets/:ticker/candlesticks"
    yield Route("GET", candles, PUBLIC, api_markets.historical_candlesticks)
    yield Route("GET", "/historical/trades", PUBLIC, api_markets.historical_trades)
    yield Route("GET", "/historical/fills", READ, api_portfolio.historical_fills)
    yield Route("GET", "/historical/orders", READ, api_portfolio.historical_orders)


def _routes() -> Iterator[Route]:
    orders, groups = "/portfolio/events/orders", "/portfolio/order_groups"
    yield Route("GET", "/exchange/status", PUBLIC, api_exchange.status)
    yield Route("GET", "/exchange/schedule", PUBLIC, api_exchange.schedule)
    yield Route("GET", "/exchange/user_data_timestamp", PUBLIC, api_exchange.user_data_timestamp)
    yield Route("GET", "/historical/cutoff", PUBLIC, api_exchange.cutoff)
    yield Route("GET", "/account/endpoint_costs", PUBLIC, api_account.endpoint_costs)
    yield Route("GET", "/markets", PUBLIC, api_markets.markets)
    yield Route("GET", "/markets/orderbooks", PUBLIC, api_markets.orderbooks)
    yield Route("GET", "/markets/trades", PUBLIC, api_markets.trades)
    yield Route("GET", "/markets/:ticker", PUBLIC, api_markets.market)
    yield Route("GET", "/markets/:ticker/orderbook", PUBLIC, api_markets.orderbook)
    yield Route("GET", "/incentive_programs", PUBLIC, api_markets.incentive_programs)
    yield Route("GET", "/events", PUBLIC, api_markets.events)
    yield Route("GET", "/events/fee_changes", PUBLIC, api_markets.event_fee_changes)
    yield Route("GET", "/events/:event_ticker", PUBLIC, api_markets.event)
    yield Route("GET", "/series/fee_changes", PUBLIC, api_markets.series_fee_changes)
    yield Route("GET", "/series/:series_ticker", PUBLIC, api_markets.series)
    candles = "/series/:series_ticker/markets/:ticker/candlesticks"
    yield Route("GET", candles, PUBLIC, api_markets.candlesticks)
    yield Route("GET", "/account/limits", READ, api_account.limits)
    yield Route("GET", "/portfolio/balance", BALANCE, api_account.balance)
    yield Route("GET", "/portfolio/positions", READ, api_portfolio.positions)
    yield Route("GET", "/portfolio/fills", READ, api_portfolio.fills)
    yield Route("GET", "/portfolio/settlements", READ, api_portfolio.settlements)
    yield Route("GET", "/portfolio/orders", READ, api_portfolio.orders)
    yield Route("GET", "/portfolio/orders/queue_positions", READ, api_portfolio.queue_positions)
    yield Route("GET", "/portfolio/orders/:order_id", READ, api_portfolio.order)
    yield Route("GET", "/portfolio/orders/:order_id/queue_position", READ, api_portfolio.queue_position)
    yield from _past_routes()
    yield Route("GET", "/portfolio/target_balance_allocation", READ, api_account.get_allocation)
    yield Route("POST", "/portfolio/target_balance_allocation", UNSCOPED, api_account.set_allocation)
    yield Route("POST", "/portfolio/intra_exchange_instance_transfer", UNSCOPED, api_account.transfer)
    yield Route("POST", orders, SINGLE, api_orders.create)
    yield Route("DELETE", orders, UNSCOPED, api_orders.cancel_all)
    yield Route("POST", f"{orders}/batched", BATCH, api_orders.create_batch)
    yield Route("DELETE", f"{orders}/batched", BATCH, api_orders.cancel_batch)
    yield Route("DELETE", f"{orders}/:order_id", SINGLE, api_orders.cancel)
    yield Route("POST", f"{orders}/:order_id/amend", SINGLE, api_orders.amend)
    yield Route("POST", f"{orders}/:order_id/decrease", SINGLE, api_orders.decrease)
    yield Route("GET", groups, READ, api_groups.list_all)
    yield Route("POST", f"{groups}/create", UNSCOPED, api_groups.create)
    yield Route("GET", f"{groups}/:order_group_id", READ, api_groups.get)
    yield Route("DELETE", f"{groups}/:order_group_id", UNSCOPED, api_groups.delete)
    yield Route("PUT", f"{groups}/:order_group_id/reset", UNSCOPED, api_groups.reset)
    yield Route("PUT", f"{groups}/:order_group_id/trigger", UNSCOPED, api_groups.trigger)
    yield Route("PUT", f"{groups}/:order_group_id/limit", UNSCOPED, api_groups.limit)
    yield from _legacy()


def _legacy() -> Iterator[Route]:
    orders = "/portfolio/orders"
    for method, tail in (
        ("POST", ""),
        ("POST", "/batched"),
        ("DELETE", "/batched"),
        ("DELETE", "/:order_id"),
        ("POST", "/:order_id/amend"),
        ("POST", "/:order_id/decrease"),
    ):
        yield Route(method, orders + tail, LEGACY, api_orders.gone)


class Table:
    """Routes by method and number of path segments; fixed words come before parameters."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = {}
        for route in _routes():
            self._routes.setdefault((route.method, len(route.segments)), []).append(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a path and its parameters; a 404 refusal when there is none."""
        if path.startswith(PREFIX + "/"):
            segments = path[len(PREFIX) + 1 :].split("/")
            for route in self._routes.get((method, len(segments)), []):
                params = route.match(segments)
                if params is not None:
                    return route, params
        raise not_found()
