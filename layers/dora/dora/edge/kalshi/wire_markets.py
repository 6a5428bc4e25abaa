"""What the exchange says about itself and its markets, as core values."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

from dora.core.errors import NumberInvalid, WireInvalid
from dora.core.exchange.account import Limits, ShardStatus
from dora.core.exchange.fee_changes import UNREADABLE, FeeChange
from dora.core.exchange.market import (
    Book,
    Event,
    Level,
    Market,
    MarketStatus,
    OpenMarket,
    Series,
    Side,
    Trade,
)
from dora.core.exchange.public_data import IncentiveProgram, PublicTrade
from dora.core.exchange.read_calls import BOOK_LEVELS
from dora.core.units import (
    ONE_DOLLAR,
    Money,
    Price,
    PriceGrid,
    PriceRange,
    complement,
    parse_count,
    parse_counts,
    parse_price,
)
from dora.edge.kalshi.wire import (
    JsonObject,
    array,
    flag,
    integer,
    multiplier_e4,
    name,
    outcome,
    text,
    time_ms,
)

ORDERS_ROUTE = "/portfolio/events/orders"
BATCH_ROUTE = ORDERS_ROUTE + "/batched"
ORDER_ROUTE = "/portfolio/orders/{}"
_PREFIX = "/trade-api/v2"
_PRICES, _GRIDS = 10_000, 64
MONEY_PER_E4 = 100


def parse_market(row: JsonObject) -> Market:
    """A market object; one without a shard is refused, for it decides where orders go."""
    return Market(
        ticker=row.field("ticker", name),
        event_ticker=row.field("event_ticker", name),
        shard=row.field("exchange_index", integer),
        status=row.field("status", MarketStatus),
        grid=_grid(row),
        open_ms=row.field("open_time", time_ms),
        close_ms=row.field("close_time", time_ms),
        plain=_is_plain(row),
        expected_expiration_ms=row.optional("expected_expiration_time", time_ms),
        fee_waiver_until_ms=row.optional("fee_waiver_expiration_time", time_ms),
        result=row.optional("result", text) or "",
        last_price=row.optional("last_price_dollars", parse_price) or None,
    )


def parse_open_market(row: JsonObject) -> OpenMarket:
    """A row of a series' list. Prices and volume that are not understood are as good as not told."""
    return OpenMarket(
        market=parse_market(row),
        bid=row.readable("yes_bid_dollars", parse_price) or Price(0),
        ask=row.readable("yes_ask_dollars", parse_price) or ONE_DOLLAR,
        volume_24h=row.readable("volume_24h_fp", parse_count),
    )


def parse_fee_change(row: JsonObject) -> FeeChange:
    """A row of either list of changes. One whose terms or time are not understood holds from now on."""
    series, event = row.field("series_ticker", name), row.optional("event_ticker", name) or ""
    suffix = "_override" if event else ""
    try:
        return FeeChange(
            series,
            event,
            row.field("scheduled_ts", time_ms),
            row.optional(f"fee_type{suffix}", name),
            row.optional(f"fee_multiplier{suffix}", multiplier_e4),
        )
    except WireInvalid:
        return FeeChange(series, event, 0, UNREADABLE, 0)


def _is_plain(row: JsonObject) -> bool:
    """Binary, $1, and said to have no settlement bounds; a market that does not say is not plain."""
    return (
        row.field("market_type", text) == "binary"
        and row.field("notional_value_dollars", parse_price) == ONE_DOLLAR
        and row.optional("settlement_bounds_type", text) == "default"
    )


def _grid(row: JsonObject) -> PriceGrid:
    texts = [
        (part.field("start", text), part.field("end", text), part.field("step", text))
        for part in row.rows("price_ranges")
    ]
    try:
        return _grid_of(tuple(texts))
    except NumberInvalid as error:
        raise row.invalid("price_ranges", error) from error


@lru_cache(maxsize=_GRIDS)
def _grid_of(texts: tuple[tuple[str, str, str], ...]) -> PriceGrid:
    """Of start, end and step of each range. Kept by its texts: a thousand markets have the same few grids."""
    ranges = [PriceRange(*map(parse_price, row)) for row in texts]
    return PriceGrid(tuple(sorted(ranges, key=lambda part: part.start)))


def parse_book(ticker: str, row: JsonObject) -> Book:
    """The best BOOK_LEVELS prices a side of an `orderbook_fp` object.

    Both its arrays are bids: those for NO stand as asks at the complement. Levels further out, which nothing
    looks at, are not read: one that is not understood there spoils nothing.
    """
    bids, asks = _levels(row, "yes_dollars", _bid_price), _levels(row, "no_dollars", _ask_price)
    bids.sort(key=itemgetter(0), reverse=True)
    asks.sort(key=itemgetter(0))
    return Book(ticker, tuple(bids[:BOOK_LEVELS]), tuple(asks[:BOOK_LEVELS]))


def _levels(row: JsonObject, side: str, price_of: Callable[[str], Price]) -> list[Level]:
    # An empty side is written as [], as null, or, though the document requires both, not at all: a side that
    # is missing leads to no quote, so nothing rests on the difference.
    return row.optional(side, lambda value: levels_of(_best(array(value)), price_of)) or []


def _best(levels: list[Any]) -> list[Any]:
    """The best BOOK_LEVELS of bids that are written best last, as measured; all of any others.

    Prices below $1 sort as texts as they do as numbers.
    """
    if len(levels) <= BOOK_LEVELS:
        return levels
    prices = [pair[0] for pair in levels]
    best = prices[-BOOK_LEVELS:]
    return levels[-BOOK_LEVELS:] if max(prices[:-BOOK_LEVELS]) <= min(best) else levels


def levels_of(pairs: list[Any], price_of: Callable[[str], Price]) -> list[Level]:
    """Pairs of price and count as levels, all or none. Whole columns: a cycle reads tens of thousands.

    Raises ValueError, TypeError or NumberInvalid for a pair that is none.
    """
    if not pairs:
        return []
    if set(map(type, pairs)) != {list}:
        raise ValueError("a level is not a price and a count")
    prices = [price_of(price) for price, _ in pairs]
    counts = parse_counts([count for _, count in pairs])
    if min(counts) <= 0:
        raise ValueError("a level without contracts")
    return list(map(Level, prices, counts))


@lru_cache(maxsize=_PRICES)
def _bid_price(text: str) -> Price:
    """Of a bid for YES. Kept by its text: a thousand books write the same prices."""
    price = parse_price(text)
    if not 0 < price < ONE_DOLLAR:
        raise ValueError("a level outside 0 to $1")
    return price


@lru_cache(maxsize=_PRICES)
def _ask_price(text: str) -> Price:
    """Of a bid for NO, as an ask."""
    return complement(_bid_price(text))


def parse_event(row: JsonObject) -> Event:
    """An event; exclusive only when both fields say so."""
    return Event(
        event_ticker=row.field("event_ticker", name),
        series_ticker=row.field("series_ticker", name),
        exclusive=row.field("mutually_exclusive", flag)
        and row.field("collateral_return_type", text) == "MECNET",
        fee_type_override=row.optional("fee_type_override", name),
        fee_multiplier_override_e4=row.optional("fee_multiplier_override", multiplier_e4),
    )


def parse_public_trade(row: JsonObject) -> Trade:
    """A public trade; the side it took is the one the taker was not on."""
    taker = row.optional("taker_book_side", Side) or row.field("taker_outcome_side", outcome)
    return Trade(
        ticker=row.field("ticker", name),
        maker_side=Side.ASK if taker is Side.BID else Side.BID,
        price=row.field("yes_price_dollars", parse_price),
        at_ms=row.field("created_time", time_ms),
    )


def parse_trade_print(row: JsonObject) -> PublicTrade:
    """A public trade with its id and count."""
    trade = parse_public_trade(row)
    return PublicTrade(
        trade_id=row.field("trade_id", name),
        ticker=trade.ticker,
        taker_side=Side.ASK if trade.maker_side is Side.BID else Side.BID,
        price=trade.price,
        count=row.field("count_fp", parse_count),
        at_ms=trade.at_ms,
    )


def parse_program(row: JsonObject) -> IncentiveProgram:
    """A program; its amounts count 1/10,000 $."""
    most = row.optional("max_reward_per_account", integer)
    return IncentiveProgram(
        program_id=row.field("id", name),
        ticker=row.field("market_ticker", name),
        kind=row.field("incentive_type", name),
        start_ms=row.field("start_date", time_ms),
        end_ms=row.field("end_date", time_ms),
        reward=Money(row.field("period_reward", integer) * MONEY_PER_E4),
        target=row.optional("target_size_fp", parse_count),
        discount_bps=row.optional("discount_factor_bps", integer),
        most=None if most is None else Money(most * MONEY_PER_E4),
    )


def parse_series(row: JsonObject) -> Series:
    """The fee terms of a series."""
    return Series(
        ticker=row.field("ticker", name),
        fee_type=row.field("fee_type", name),
        fee_multiplier_e4=row.field("fee_multiplier", multiplier_e4),
    )


def parse_status(row: JsonObject, shard: int | None = None) -> ShardStatus:
    """The flags of one shard, which the row names where the caller does not."""
    shard = row.field("exchange_index", integer) if shard is None else shard
    return ShardStatus(shard, row.field("exchange_active", flag), row.field("trading_active", flag))


def parse_limits(account: JsonObject, costs: JsonObject) -> Limits:
    """Rates and capacities, and what the three calls that come by the hundred cost."""
    read, write = account.row("read"), account.row("write")
    cost = _cost_of(costs)
    return Limits(
        tier=account.field("usage_tier", name),
        read_rate=read.field("refill_rate", integer),
        read_capacity=read.field("bucket_capacity", integer),
        write_rate=write.field("refill_rate", integer),
        write_capacity=write.field("bucket_capacity", integer),
        default_cost=costs.field("default_cost", integer),
        create_cost=cost("POST", BATCH_ROUTE),
        cancel_cost=cost("DELETE", BATCH_ROUTE),
        order_read_cost=cost("GET", ORDER_ROUTE),
    )


def _cost_of(costs: JsonObject) -> Callable[[str, str], int]:
    """What a call costs: as listed, and the default when the list is silent about it.

    Rows of calls that are never made are not read further than that.
    """
    listed: Mapping[tuple[str | None, str], JsonObject] = {
        (row.readable("method", name), _anonymous(row.readable("path", name) or "")): row
        for row in costs.rows("endpoint_costs")
    }
    default = costs.field("default_cost", integer)

    def cost(method: str, route: str) -> int:
        row = listed.get((method, _PREFIX + route))
        return default if row is None else row.field("cost", integer)

    return cost


def _anonymous(path: str) -> str:
    """`/orders/:order_id` and `/orders/{order_id}` -> `/orders/{}`."""
    return "/".join("{}" if part[:1] in {":", "{"} else part for part in path.split("/"))
