"""What a replay is run with: items of a config table, as a person would write them, and what it leaves out.

No limit of the day, of an event or of the account holds unless it is asked for: a recording of a hundred
markets says more about a strategy than about an account's size.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.config_fields import keys_of
from dora.core.config_items import parse_global, parse_market
from dora.core.errors import ConfigInvalid
from dora.core.units import CONTRACT

Raw = Mapping[str, str]

ENDLESS_GLOBAL: Raw = {
    "group_burst_limit": "1000000",
    "max_event_loss_dollars": "1000000",
    "max_total_loss_dollars": "10000000",
    "max_daily_loss_dollars": "1000000",
    "max_open_orders": "200000",
    "order_life_s": "21600",
    "extend_expiry": "false",
}
REPLAYED_GLOBAL = frozenset(
    {
        "max_event_loss_dollars",
        "max_total_loss_dollars",
        "max_daily_loss_dollars",
        "max_open_orders",
        "order_life_s",
        "extend_expiry",
    }
)
"""Keys of the GLOBAL item that a replay obeys."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A strategy and its items: the keys of a market's item, and those of the GLOBAL item."""

    strategy: str
    market: Raw
    globals_: Raw
    side_contracts: float
    """Contracts that it quotes on a side."""

    def market_config(self, ticker: str) -> MarketConfig:
        """One market's config. Raises ConfigInvalid."""
        raw = {**{key: flagged(value) for key, value in self.market.items()}, "strategy": self.strategy}
        return parse_market("SET", ticker, {"enabled": True, **raw})

    def global_config(self) -> GlobalConfig:
        """The GLOBAL item. Raises ConfigInvalid."""
        raw = {key: flagged(value) for key, value in {**ENDLESS_GLOBAL, **self.globals_}.items()}
        return parse_global({"trading_enabled": True, **raw})


def setting(strategy: str, raw: Raw, side_contracts: float | None = None) -> Setting:
    """A strategy with the keys of both kinds of items, checked. Raises ConfigInvalid.

    `side_contracts` None: all levels of a side at their full size.
    """
    of_global = keys_of(GlobalConfig)
    globals_ = {key: value for key, value in raw.items() if key in of_global}
    for key in globals_:
        if key not in REPLAYED_GLOBAL:
            names = ", ".join(sorted(REPLAYED_GLOBAL))
            raise ConfigInvalid("SET", f"{key} means nothing in a replay", f"of GLOBAL it obeys: {names}")
    own = {key: value for key, value in raw.items() if key not in of_global}
    made = Setting(strategy, own, globals_, side_contracts or 0.0)
    made.global_config()
    config = made.market_config("TICKER")
    return (
        made if side_contracts else replace(made, side_contracts=config.quote_size * config.levels / CONTRACT)
    )


def for_any_strategy(raw: Raw) -> Raw:
    """Of these keys those that every strategy's markets have."""
    known = keys_of(MarketConfig).keys() | keys_of(GlobalConfig).keys()
    return {key: value for key, value in raw.items() if key in known - {"strategy"}}


def read_pairs(text: str) -> dict[str, str]:
    """`key=value key=value` as written on a command line. Raises ConfigInvalid."""
    pairs = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            raise ConfigInvalid("SET", f"{word!r} is no key=value", "write for example max_position=50")
        pairs[key] = value
    return pairs


def flagged(value: str) -> object:
    """A value as an item of the config table holds it."""
    return {"true": True, "false": False}.get(value, value)
