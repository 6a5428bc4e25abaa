"""The exchange's published contract and recorded answers, where a checkout has them beside it."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.house.checkout import ROOT

SHARED = ROOT.parent / "shared"
NULL = {"type": "null"}


def beside(*parts: str) -> Path:
    """A file kept beside the checkout: it is not part of the project. Skips, or fails in CI, without it."""
    path = SHARED.joinpath(*parts)
    if path.exists():
        return path
    reason = f"needs {path}: the exchange's contract and recordings lie beside the checkout"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def contract() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(beside("kalshi", "openapi.json").read_text())
    return document


def recorded(name: str) -> tuple[int, Any]:
    """Status and body of one recorded answer."""
    document = json.loads(beside("data", "responses", f"{name}.json").read_text())
    return document["status"], document["body"]


def reply_schema(method: str, pattern: str, status: int) -> dict[str, Any]:
    """The published schema of an answer, as JSON Schema; objects may hold no field it does not name."""
    answer = contract()["paths"][pattern][method.lower()]["responses"][str(status)]
    if "$ref" in answer:
        answer = _resolved(answer["$ref"])
    translated = json_schema(answer["content"]["application/json"]["schema"])
    assert isinstance(translated, dict)
    return translated


def json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: references inlined, `nullable` spelled out (beside a reference too)."""
    if isinstance(schema, list):
        return [json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    nullable = schema.get("nullable", False)
    plain = {
        key: value for key, value in schema.items() if key not in ("nullable", "$ref", "example", "default")
    }
    translated = {key: _part(key, value) for key, value in plain.items()}
    if "$ref" in schema:
        translated = json_schema(_resolved(schema["$ref"]))
    if "properties" in translated:
        translated.setdefault("additionalProperties", False)
    return {"anyOf": [translated, NULL]} if nullable else translated


def _part(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: json_schema(schema) for name, schema in value.items()}
    return json_schema(value) if key in ("items", "allOf", "oneOf", "anyOf") else value


def _resolved(reference: str) -> Any:
    found: Any = contract()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
