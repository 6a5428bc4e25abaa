"""Items of the config table, written the way a person writes them: dollars, contracts, flags, words.

Numbers are given as Decimal or int, flags as bool, words as str.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Human = Decimal | int | bool | str
Item = Mapping[str, Human]

GLOBAL_SORT_KEY = "GLOBAL"

GLOBAL: Item = {
    "trading_enabled": True,
    "group_burst_limit": 2000,
    "session_contract_limit": 100_000,
    "max_event_loss_dollars": 1000,
    "max_total_loss_dollars": 10_000,
    "max_open_orders": 2000,
}
SAMPLE: Item = {"enabled": True, "quote_size": 10, "max_position": 100}
"""What a person writes who leaves everything else as it is; these sizes are the defaults."""
MARKET: Item = {
    "enabled": True,
    "quote_size": 10,
    "max_position": 200,
    "min_half_spread_dollars": Decimal("0.005"),
    "min_edge_dollars": Decimal("0.005"),
    "volatility_percent_of_move": 50,
    "price_tolerance_ticks": 0,
    "max_spread_dollars": Decimal("0.30"),
    "max_improve_ticks": 50,
    "min_book_width_dollars": 0,
    "warm_up_minutes": 0,
    "min_price_dollars": Decimal("0.01"),
    "max_price_dollars": Decimal("0.99"),
}
"""For tests of everything but quoting: near to fair value, and from the first cycle on."""


def market_sort_key(ticker: str) -> str:
    return f"MARKET#{ticker}"


def as_attributes(bot: str, sort_key: str, item: Item) -> dict[str, dict[str, Any]]:
    """The item in DynamoDB's own notation."""
    keys = {"pk": {"S": bot}, "sk": {"S": sort_key}}
    return keys | {name: _attribute(value) for name, value in item.items()}


def _attribute(value: Human) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}
