"""Config items as people write them, held to the product's own rules, and as the table keeps them."""

from collections.abc import Iterator, Mapping
from dataclasses import Field
from typing import Any

from dora.core.config import DEFAULT_STRATEGY, GlobalConfig, MarketConfig, SeriesConfig
from dora.core.config_fields import keys_of
from dora.core.config_items import parse_global, parse_market, parse_series
from dora.core.errors import ConfigInvalid
from dora.core.quoting.registry import STRATEGIES

GLOBAL, SERIES, MARKET = "GLOBAL", "SERIES#", "MARKET#"
Raw = dict[str, str | bool]
"""One item: numbers and words as text, flags as flags."""
Items = dict[str, Raw]
"""By sort key."""


def specs(sort_key: str, strategy: str = DEFAULT_STRATEGY) -> "Mapping[str, Field[object]]":
    """The fields that an item of this kind may have, by key."""
    if sort_key == GLOBAL:
        return keys_of(GlobalConfig)
    own = STRATEGIES.get(strategy, STRATEGIES[DEFAULT_STRATEGY]).settings
    market = {**keys_of(MarketConfig), **keys_of(own)}
    return {**keys_of(SeriesConfig), **market} if sort_key.startswith(SERIES) else market


def is_flag(spec: "Field[object] | None") -> bool:
    """Whether a field is true or false."""
    return spec is not None and isinstance(spec.default, bool)


def is_number(spec: "Field[object] | None") -> bool:
    """Whether it is a number of some unit."""
    return spec is not None and "rule" in spec.metadata


def typed(sort_key: str, written: Mapping[str, str]) -> Raw:
    """An item out of a file, where everything is text: what is a flag becomes one."""
    known = specs(sort_key, written.get("strategy", DEFAULT_STRATEGY))
    flags = {"true": True, "false": False}
    return {
        name: flags.get(value.lower(), value) if is_flag(known.get(name)) else value
        for name, value in written.items()
    }


def problems(items: Items) -> Iterator[ConfigInvalid]:
    """What is wrong with each item, in the words that the bot itself would use."""
    for sort_key, raw in items.items():
        try:
            _parse(sort_key, raw)
        except ConfigInvalid as problem:
            yield problem


def _parse(sort_key: str, raw: Raw) -> None:
    if sort_key == GLOBAL:
        parse_global(raw)
    elif sort_key.startswith(SERIES) and sort_key != SERIES:
        parse_series(sort_key.removeprefix(SERIES), raw)
    elif sort_key.startswith(MARKET) and sort_key != MARKET:
        parse_market(sort_key, sort_key.removeprefix(MARKET), raw)
    else:
        raise ConfigInvalid(sort_key, "no such item", f"write {GLOBAL}, {SERIES}<ticker> or {MARKET}<ticker>")


def as_stored(bot: str, sort_key: str, raw: Raw) -> dict[str, Any]:
    """The item in DynamoDB's notation: numbers as numbers, so that the console shows them as such."""
    known = specs(sort_key, str(raw.get("strategy", DEFAULT_STRATEGY)))
    item: dict[str, Any] = {"pk": {"S": bot}, "sk": {"S": sort_key}}
    for name, value in raw.items():
        if isinstance(value, bool):
            item[name] = {"BOOL": value}
        else:
            item[name] = {"N" if is_number(known.get(name)) else "S": value}
    return item


def from_stored(item: Mapping[str, Mapping[str, Any]]) -> Raw:
    """An item as people write it; its keys apart."""
    plain: Raw = {}
    for name, attribute in item.items():
        ((kind, value),) = attribute.items()
        if name not in ("pk", "sk"):
            plain[name] = bool(value) if kind == "BOOL" else str(value)
    return plain


def same(one: str | bool | None, other: str | bool | None) -> bool:
    """Whether two values say the same: 5, 5.0 and 05 do."""
    if isinstance(one, str) and isinstance(other, str):
        return one == other or (_bare(one) == _bare(other) and _bare(one) != "")
    return one is other


def _bare(number: str) -> str:
    """A plain decimal without what says nothing; empty for any other text."""
    whole, _, fraction = number.strip().partition(".")
    digits = whole.lstrip("-")
    if not (digits.isdigit() and digits.isascii() and (fraction == "" or fraction.isdigit())):
        return ""
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{digits.lstrip('0') or '0'}.{fraction.rstrip('0')}"
