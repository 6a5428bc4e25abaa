"""The config table of one bot, read completely and parsed; the bot has no way to write it.

People edit these items in a console, so each problem is reported with the item it is in, and costs only what
that item governs.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dora.core.config import GlobalConfig, MarketConfig, SeriesConfig
from dora.core.config_fields import RawItem
from dora.core.config_items import parse_global, parse_market, parse_series
from dora.core.errors import ConfigInvalid
from dora.core.plain_text import FIX, as_meant, foreign_character
from dora.core.state import Configs
from dora.edge.dynamo.codec import key_of
from dora.edge.dynamo.table import Client, Table

GLOBAL, SERIES, MARKET = "GLOBAL", "SERIES#", "MARKET#"
CONFIG_SCHEMA = "1"
"""What an item's `v` may say; people mostly leave it out."""
_Parsed = GlobalConfig | MarketConfig | SeriesConfig | ConfigInvalid
_Kind = TypeVar("_Kind", MarketConfig, SeriesConfig)


class DynamoConfigs:
    """`ports.ConfigStore`. An item that reads the same as last time is not parsed again."""

    def __init__(self, client: Client, table: str, bot: str) -> None:
        self._table = Table(client, table)
        self._bot = bot
        self._known: dict[str, tuple[Mapping[str, Any], _Parsed]] = {}

    def load(self) -> Configs:
        """All items, to the last page, consistent. Raises StateUnavailable: never an empty config instead.

        An item that breaks a rule counts for nothing, whatever stood there before: what a function did would
        else depend on whether it had seen the earlier one.
        """
        items = {key_of(item)[1]: item for item in self._table.query(self._bot)}
        self._known = {sk: (item, self._parsed(sk, item)) for sk, item in items.items()}
        parsed = {sk: own for sk, (_, own) in self._known.items()}
        globals_ = parsed.get(GLOBAL)
        problems = tuple(own for own in parsed.values() if isinstance(own, ConfigInvalid))
        doubted = any(problem.where == GLOBAL for problem in problems)
        return Configs(
            globals_=globals_ if isinstance(globals_, GlobalConfig) and not doubted else None,
            markets=_by_ticker(parsed, MarketConfig),
            series=_by_ticker(parsed, SeriesConfig),
            problems=problems,
        )

    def _parsed(self, sk: str, item: Mapping[str, Any]) -> _Parsed:
        known = self._known.get(sk)
        if known is not None and known[0] == item:
            return known[1]
        try:
            return _parse(sk, _raw(sk, item))
        except ConfigInvalid as problem:
            return problem


def _by_ticker(parsed: Mapping[str, _Parsed], kind: type[_Kind]) -> dict[str, _Kind]:
    return {own.ticker: own for own in parsed.values() if isinstance(own, kind)}


def _parse(sk: str, raw: RawItem) -> _Parsed:
    """A sort key that was pasted badly speaks for the item that was meant: that counts for nothing then."""
    if flaw := foreign_character(sk):
        raise ConfigInvalid(as_meant(sk), f"the sort key {sk!r} holds {flaw}", FIX)
    if sk == GLOBAL:
        return parse_global(raw)
    readers: dict[str, Callable[[str], _Parsed]] = {
        SERIES: lambda ticker: parse_series(ticker, raw),
        MARKET: lambda ticker: parse_market(sk, ticker, raw),
    }
    for prefix, read in readers.items():
        if sk.startswith(prefix) and sk != prefix:
            return read(sk.removeprefix(prefix))
    raise ConfigInvalid(sk, "no such item", f"write {GLOBAL}, {SERIES}<ticker> or {MARKET}<ticker>")


def _raw(sk: str, item: Mapping[str, Any]) -> RawItem:
    raw = {name: _value(sk, name, typed) for name, typed in item.items()}
    version = raw.get("v", CONFIG_SCHEMA)
    if version != CONFIG_SCHEMA:
        raise ConfigInvalid(
            sk, f"v is {version}", f"this version of Dora reads {CONFIG_SCHEMA}: upgrade it, or leave v out"
        )
    return raw


def _value(sk: str, name: str, typed: Mapping[str, Any]) -> str | bool:
    ((kind, value),) = typed.items()
    if kind not in {"N", "S", "BOOL"}:
        raise ConfigInvalid(sk, f"{name} is of type {kind}", "write a number, a text or a flag")
    return bool(value) if kind == "BOOL" else str(value)
