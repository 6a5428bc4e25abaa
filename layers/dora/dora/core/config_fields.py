"""How a config field states its unit, its bounds and its default, and how its text is read.

People write items in dollars and contracts; here they become exact units. An unknown key is refused with the
nearest known name and its unit, because a misspelt limit that is silently ignored is a limit that does not
exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from functools import cache
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

from dora.core.errors import ConfigInvalid, NumberInvalid
from dora.core.hints import nearest, unit_of
from dora.core.plain_text import FIX, foreign_character
from dora.core.units import COUNT_DECIMALS, MONEY_DECIMALS, PRICE_DECIMALS, format_scaled, parse_scaled

RawItem = Mapping[str, object]
"""One item as stored: text and numbers both as str, flags as bool."""
FRAME = frozenset({"pk", "sk", "v", "note", "created_at", "updated_at"})
"""Keys that every item may carry, and that say nothing about trading."""
NO_KEYS = frozenset({"ticker", "template", "settings"})
"""Fields that are given, not read from a key of their own."""

T = TypeVar("T")


class Rule(NamedTuple):
    """How one number is read; `suffix` is part of the item's key."""

    decimals: int
    low: int
    high: int
    suffix: str


def _number(decimals: int, suffix: str) -> Callable[..., Any]:
    def declare(low: str, high: str, default: str | None = None) -> Any:
        rule = Rule(decimals, parse_scaled(low, decimals), parse_scaled(high, decimals), suffix)
        if default is None:
            return field(metadata={"rule": rule})
        return field(default=parse_scaled(default, decimals), metadata={"rule": rule})

    return declare


contracts = _number(COUNT_DECIMALS, "")
dollars = _number(MONEY_DECIMALS, "_dollars")
price = _number(PRICE_DECIMALS, "_dollars")
whole_number = _number(0, "")
percent = _number(0, "_percent")


def phrases(default: str = "") -> Any:
    """Text of several words, with plain spaces between them."""
    return field(default=default, metadata={"spaces": True})


class Checked:
    """A kind of config whose fields may be wrong together, each being within its own bounds."""

    __slots__ = ()
    implied: ClassVar[RawItem] = {}
    """Of a strategy's settings: keys of a market's item, and what they are where the item does not say."""

    @property
    def flaw(self) -> tuple[str, str] | None:
        """The problem and its fix; None: nothing is wrong."""
        return None


def keys_of(kind: type[Any]) -> Mapping[str, "Field[object]"]:
    """The fields of a kind by the key that an item writes them under; worked out once for each kind."""
    return _keys_of(cast(Any, kind))


@cache
def _keys_of(kind: Any) -> Mapping[str, "Field[object]"]:
    return {
        spec.name + (spec.metadata["rule"].suffix if "rule" in spec.metadata else ""): spec
        for spec in fields(kind)
        if spec.name not in NO_KEYS
    }


def read_as(kind: type[T], where: str, raw: RawItem, **given: object) -> T:
    """The item as this kind; all its keys must be the kind's. Raises ConfigInvalid."""
    specs = keys_of(kind)
    values = given | {
        specs[name].name: _read(where, name, value, specs[name])
        for name, value in raw.items()
        if name not in FRAME
    }
    for name, spec in specs.items():
        if spec.name not in values and spec.default is MISSING:
            raise ConfigInvalid(where, f"{name} is missing", "it has no default: choose a value")
    config = kind(**values)
    if isinstance(config, Checked) and (flaw := config.flaw):
        raise ConfigInvalid(where, *flaw)
    return config


def unknown_key(where: str, name: str, homes: Mapping[type[Any], str], here: type[Any]) -> ConfigInvalid:
    """With the nearest key of any kind, its unit, and which items have it, if it is not of those `here`."""
    near = nearest(name, [key for kind in homes for key in keys_of(kind)])
    home = next(kind for kind in (here, *homes) if near in keys_of(kind))
    belongs = "" if homes[home] == homes[here] else f", a key of {homes[home]}"
    flaw = foreign_character(name)
    problem = f"unknown key {name!r}" + (f", which holds {flaw}" if flaw else "")
    return ConfigInvalid(
        where, problem, f"did you mean {near!r} ({_unit(near, keys_of(home)[near])}){belongs}?"
    )


def _unit(name: str, spec: "Field[object]") -> str:
    rule: Rule | None = spec.metadata.get("rule")
    if rule is None:
        return "true or false" if isinstance(spec.default, bool) else "text"
    return unit_of(name, "contracts" if rule.decimals == COUNT_DECIMALS else "a whole number")


def _read(where: str, name: str, value: object, spec: "Field[object]") -> object:
    rule: Rule | None = spec.metadata.get("rule")
    if isinstance(value, str):
        value = value.strip()
        if flaw := foreign_character(value.replace(" ", "_") if "spaces" in spec.metadata else value):
            raise ConfigInvalid(where, f"{name} holds {flaw}", FIX)
    if rule is not None:
        return _read_number(where, name, value, rule)
    wanted: type = bool if isinstance(spec.default, bool) else str
    if not isinstance(value, wanted) or value == "":
        fix = "write true or false" if wanted is bool else "write a text"
        raise ConfigInvalid(where, f"{name} is {value!r}", fix)
    return value


def _read_number(where: str, name: str, value: object, rule: Rule) -> int:
    try:
        number = parse_scaled(cast(str, value), rule.decimals)
    except NumberInvalid as error:
        raise ConfigInvalid(where, f"{name} is {value!r}", _bounds(rule)) from error
    if not rule.low <= number <= rule.high:
        raise ConfigInvalid(where, f"{name} is {value}", _bounds(rule))
    return number


def _bounds(rule: Rule) -> str:
    low, high = (format_scaled(bound, rule.decimals).rstrip(".") for bound in (rule.low, rule.high))
    return f"write a number from {low} to {high}"
