"""The config table's items, parsed once and held to their rules: GLOBAL, SERIES#<ticker>, MARKET#<ticker>."""

from dataclasses import replace
from typing import Any

from dora.core.config import DEFAULT_STRATEGY, GlobalConfig, MarketConfig, SeriesConfig
from dora.core.config_fields import FRAME, Checked, RawItem, keys_of, read_as, unknown_key
from dora.core.errors import ConfigInvalid
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.strategy import Strategy

_MARKETS = "MARKET# and SERIES# items"


def parse_global(raw: RawItem) -> GlobalConfig:
    """The GLOBAL item. Raises ConfigInvalid."""
    _refuse_unknown("GLOBAL", raw, GlobalConfig)
    return read_as(GlobalConfig, "GLOBAL", raw)


def parse_market(where: str, ticker: str, raw: RawItem) -> MarketConfig:
    """A MARKET# item, or a series template for one market, with its strategy's settings.

    Raises ConfigInvalid.
    """
    strategy = _strategy(where, raw)
    _refuse_unknown(where, raw, MarketConfig, strategy.settings)
    own, rest = _divided(raw, strategy.settings)
    settings = read_as(strategy.settings, where, own)
    implied = settings.implied if isinstance(settings, Checked) else {}
    return read_as(MarketConfig, where, {**implied, **rest}, ticker=ticker, settings=settings)


def parse_series(ticker: str, raw: RawItem) -> SeriesConfig:
    """A SERIES# item; its template values are checked as a market's would be. Raises ConfigInvalid."""
    where = f"SERIES#{ticker}"
    own, template = _divided(raw, SeriesConfig)
    config = read_as(SeriesConfig, where, own, ticker=ticker, template=template)
    market_of(config, f"{ticker}-TEMPLATE")
    return config


def market_of(series: SeriesConfig, ticker: str) -> MarketConfig:
    """The template of a series applied to one of its markets, no faster than the series allows."""
    config = parse_market(f"SERIES#{series.ticker}", ticker, {"enabled": True, **series.template})
    fastest = series.fastest_percent
    if not 0 < fastest < config.max_speed_percent:
        return config
    resume = min(config.resume_speed_percent, fastest)
    return replace(config, max_speed_percent=fastest, resume_speed_percent=resume)


def _strategy(where: str, raw: RawItem) -> Strategy:
    name = raw.get("strategy", DEFAULT_STRATEGY)
    found = STRATEGIES.get(name.strip()) if isinstance(name, str) else None
    if found is None:
        raise ConfigInvalid(where, f"strategy is {name!r}", f"write one of: {', '.join(sorted(STRATEGIES))}")
    return found


def _divided(raw: RawItem, kind: type[Any]) -> tuple[dict[str, object], dict[str, object]]:
    """The keys of a kind, and all others; what belongs to the frame of every item is in neither."""
    own = {name: value for name, value in raw.items() if name in keys_of(kind)}
    return own, {name: value for name, value in raw.items() if name not in own.keys() | FRAME}


def _refuse_unknown(where: str, raw: RawItem, *kinds: type[Any]) -> None:
    known = FRAME.union(*map(keys_of, kinds))
    for name in raw:
        if name not in known:
            raise unknown_key(where, name, _homes(where, kinds), kinds[0])


def _homes(where: str, kinds: tuple[type[Any], ...]) -> dict[type[Any], str]:
    """Where the keys of each kind belong."""
    series = _MARKETS if where.startswith("SERIES#") else "SERIES# items"
    homes: dict[type[Any], str] = {
        GlobalConfig: "the GLOBAL item",
        MarketConfig: _MARKETS,
        SeriesConfig: series,
    }
    homes |= dict.fromkeys((kind for kind in kinds if kind not in homes), _MARKETS)
    for name, strategy in STRATEGIES.items():
        chosen = strategy.settings in kinds or MarketConfig not in kinds
        homes.setdefault(strategy.settings, _MARKETS if chosen else f"markets whose strategy is {name!r}")
    return homes
