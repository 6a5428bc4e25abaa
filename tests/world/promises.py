"""What the configs promise, told to the exchange's judge: it cannot know them by itself."""

from collections.abc import Mapping
from decimal import Decimal

from dora.core.config import MarketConfig
from dora.core.config_items import parse_market
from dora.core.orders.journal import order_prefix
from tests.simulator.expectations import Expectations
from tests.world.config_items import Human, Item, market_sort_key
from tests.world.setup import STAGE, Setup

SIDES = ("bid", "ask")


def declare(expectations: Expectations, setup: Setup) -> None:
    """I1 and I2 from the market items; nothing may live in a market that has none."""
    expectations.prefix = order_prefix(setup.bot, STAGE)
    expectations.most_live_orders = 0
    for ticker, item in setup.items.items():
        declare_market(expectations, ticker, item)


def declare_market(expectations: Expectations, ticker: str, item: Item) -> None:
    """One order and one quote size per side and level; the position cap if every live order fills."""
    config = read_as_the_bot_does(ticker, item)
    for side in SIDES:
        expectations.live_orders[ticker, side] = config.levels
        expectations.live_contracts_e2[ticker, side] = config.levels * config.quote_size
    expectations.level_contracts_e2[ticker] = (config.quote_size,) * config.levels
    expectations.market_caps_e2[ticker] = config.max_position


def read_as_the_bot_does(ticker: str, item: Item) -> MarketConfig:
    """The item in exact units."""
    raw: Mapping[str, object] = {name: _as_stored(value) for name, value in item.items()}
    return parse_market(market_sort_key(ticker), ticker, raw)


def _as_stored(value: Human) -> object:
    return str(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else value
