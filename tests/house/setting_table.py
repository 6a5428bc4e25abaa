"""The tables of every setting in layers/README.md, made of the settings' own definitions.

What a setting is stands under its field; a last sentence that begins with `Change it` says when to.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field
from typing import Any

from dora.core.config import GlobalConfig, MarketConfig, SeriesConfig
from dora.core.config_fields import Rule, keys_of
from dora.core.hints import unit_of
from dora.core.quoting.registry import STRATEGIES
from dora.core.units import COUNT_DECIMALS, format_scaled

CHANGE = " Change it "
LEAVE_IT = "leave it"
HEAD = "| setting | unit | bounds | default | what it is | change it |"
RULED = "|---|---|---|---|---|---|"


def table() -> str:
    """One part for each kind of item, one for each strategy."""
    parts = [
        _part("The `GLOBAL` item", GlobalConfig),
        _part("A market's item, and the template values of a series'", MarketConfig),
        *(_part(f"The same, where `strategy` is `{name}`", own.settings) for name, own in STRATEGIES.items()),
        _part("A series' item", SeriesConfig),
    ]
    return "\n\n".join(parts)


def rows(kind: type[Any]) -> Iterator[tuple[str, ...]]:
    """Key, unit, bounds, default, meaning and occasion of each setting of a kind."""
    said = _said(kind)
    for key, spec in keys_of(kind).items():
        what, _, change = said.get(spec.name, "").partition(CHANGE)
        yield (
            f"`{key}`",
            unit(key, spec),
            _bounds(spec),
            _default(spec),
            what,
            change.removesuffix(".") or LEAVE_IT,
        )


def _part(title: str, kind: type[Any]) -> str:
    return "\n".join([f"**{title}**", "", HEAD, RULED, *(f"| {' | '.join(row)} |" for row in rows(kind))])


def _said(kind: type[Any]) -> dict[str, str]:
    """What stands under each field of a kind and of what it inherits from."""
    return {name: text for one in reversed(kind.__mro__) for name, text in _under_fields(one)}


def _under_fields(kind: type[Any]) -> Iterator[tuple[str, str]]:
    if kind is object:
        return
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    for line, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            yield line.target.id, " ".join(str(after.value.value).split()) if told else ""


def unit(key: str, spec: "Field[object]") -> str:
    """In what it is told: a unit, or the kind of its words."""
    rule: Rule | None = spec.metadata.get("rule")
    if rule is None:
        return "flag" if isinstance(spec.default, bool) else "word"
    return unit_of(key, "contracts" if rule.decimals == COUNT_DECIMALS else "number")


def _bounds(spec: "Field[object]") -> str:
    rule: Rule | None = spec.metadata.get("rule")
    if rule is None:
        return "true, false" if isinstance(spec.default, bool) else "any"
    return f"{_number(rule.low, rule)} to {_number(rule.high, rule)}"


def _default(spec: "Field[object]") -> str:
    if spec.default is MISSING:
        return "none: choose"
    rule: Rule | None = spec.metadata.get("rule")
    if rule is not None:
        return _number(int(str(spec.default)), rule)
    return str(spec.default).lower() or "empty"


def _number(value: int, rule: Rule) -> str:
    """Without the zeros that say nothing, with a comma for each thousand."""
    whole, _, rest = format_scaled(value, rule.decimals).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if (rest := rest.rstrip("0")) else "")
