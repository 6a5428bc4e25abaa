"""The settings of a run as people write them, defaults included."""

from collections.abc import Iterator, Mapping
from typing import Any

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.config_fields import keys_of
from dora.core.config_items import parse_global, parse_market
from dora.core.quoting.registry import STRATEGIES
from dora.core.units import format_scaled
from tests.house.setting_table import unit
from tests.world.config_items import Item

Row = tuple[str, str, str, bool]
"""(key, value, unit, whether it was written and not left at its default)"""


def settings_of(globals_: Item, market: Item) -> dict[str, list[Row]]:
    """By item: GLOBAL, a market's own keys, those of its strategy."""
    parsed = parse_market("MARKET#", "TICKER", _raw(market))
    return {
        "GLOBAL": list(_rows(GlobalConfig, parse_global(_raw(globals_)), globals_)),
        "MARKET": list(_rows(MarketConfig, parsed, market)),
        f"strategy {parsed.strategy}": list(
            _rows(STRATEGIES[parsed.strategy].settings, parsed.settings, market)
        ),
    }


def _raw(item: Item) -> dict[str, object]:
    return {key: own if isinstance(own, bool) else str(own) for key, own in item.items()}


def _rows(kind: type[Any], value: Any, written: Mapping[str, Any]) -> Iterator[Row]:
    for key, spec in keys_of(kind).items():
        own, rule = getattr(value, spec.name), spec.metadata.get("rule")
        decimals = rule.decimals if rule else 0
        text = format_scaled(own, decimals) if decimals else str(own).lower()
        yield key, text, unit(key, spec) if rule else "", key in written
