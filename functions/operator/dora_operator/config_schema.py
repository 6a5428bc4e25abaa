"""The JSON Schema of a config file, for editors, made from the product's own fields."""

from collections.abc import Mapping
from dataclasses import MISSING, Field
from typing import Any

from dora.core.quoting.registry import STRATEGIES
from dora.core.units import format_scaled
from dora_operator.config_rules import GLOBAL, MARKET, SERIES, is_flag, is_number, specs

_FREE = {name: {"type": ["string", "number"]} for name in ("v", "note", "created_at", "updated_at")}


def json_schema() -> dict[str, Any]:
    """Of the YAML form."""
    items = {"type": "object"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Dora: what a bot is configured to do",
        "type": "object",
        "required": ["stack", "stage"],
        "additionalProperties": False,
        "properties": {
            "stack": {"type": "string", "description": "The stack that this file is for; no other takes it."},
            "stage": {"enum": ["kalshi-demo", "prod", "local"]},
            GLOBAL: _object(specs(GLOBAL)),
            "markets": {**items, "additionalProperties": _object(_all(MARKET))},
            "series": {**items, "additionalProperties": _object(_all(SERIES))},
        },
    }


def _all(prefix: str) -> "Mapping[str, Field[object]]":
    """With the settings of every strategy."""
    return {name: spec for strategy in STRATEGIES for name, spec in specs(prefix, strategy).items()}


def _object(known: "Mapping[str, Field[object]]") -> dict[str, Any]:
    needed = [name for name, spec in known.items() if spec.default is MISSING and is_number(spec)]
    own = {name: _value(spec) for name, spec in known.items()}
    found: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {**_FREE, **own}}
    return {**found, "required": needed} if needed else found


def _value(spec: "Field[object]") -> dict[str, Any]:
    if is_flag(spec):
        return {"type": "boolean", "default": spec.default}
    if not is_number(spec):
        return {"type": "string"}
    rule = spec.metadata["rule"]
    low, high = (float(format_scaled(bound, rule.decimals).rstrip(".")) for bound in (rule.low, rule.high))
    value: dict[str, Any] = {"type": "number", "minimum": low, "maximum": high}
    if spec.default is not MISSING:
        value["default"] = float(format_scaled(int(str(spec.default)), rule.decimals).rstrip("."))
    return value
