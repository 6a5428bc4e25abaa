"""The exchange's own OpenAPI document, made ready for a proxy that must be strict.

It comes from beside the checkout, else out of the source archive of a foreign client (`make contract`
unpacks it). What is changed about it, and why, stands here and nowhere else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.simulator.wire import PREFIX

ROOT = Path(__file__).resolve().parents[2]
BESIDE_THE_CHECKOUT = ROOT.parent / "shared" / "kalshi" / "openapi.json"
OUT_OF_A_CLIENT = ROOT / ".venv-contract" / "openapi.yaml"
METHODS = ("get", "post", "put", "delete")

Document = dict[str, Any]


@dataclass(frozen=True)
class Exemption:
    """A schema whose objects may carry fields that the document does not name."""

    schema: str
    reason: str


EXEMPTIONS = (
    Exemption("ErrorResponse", "errors really come inside an `error` object, as `msg`, or as a bare text"),
)


def load() -> Document:
    """The document as published. FileNotFoundError: neither source is there."""
    if BESIDE_THE_CHECKOUT.exists():
        return dict(json.loads(BESIDE_THE_CHECKOUT.read_text(encoding="utf-8")))
    return dict(yaml.load(OUT_OF_A_CLIENT.read_text(encoding="utf-8"), yaml.CSafeLoader))


def strict(document: Document) -> Document:
    """Full paths, no hosts, and objects closed, so that a misspelt optional field is seen too.

    Paths are what clients sign, so the proxy must pass them on whole.
    """
    document["paths"] = {PREFIX + path: item for path, item in document["paths"].items()}
    document["servers"] = [{"url": "/"}]
    exempt = {exemption.schema for exemption in EXEMPTIONS}
    for name, schema in document["components"]["schemas"].items():
        if name not in exempt:
            _close(schema)
    return document


def _close(node: object) -> None:
    if isinstance(node, list):
        for item in node:
            _close(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("properties"), dict):
        node.setdefault("additionalProperties", False)
    for child in node.values():
        _close(child)


def operations(document: Document) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Method, path and query parameters of every operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                named = item.get("parameters", []) + item[method].get("parameters", [])
                yield method.upper(), path, frozenset(_query_names(document, named))


def _query_names(document: Document, parameters: list[dict[str, Any]]) -> Iterator[str]:
    for written in parameters:
        reference = written.get("$ref", "").rpartition("/")[2]
        parameter = document["components"]["parameters"][reference] if reference else written
        if parameter["in"] == "query":
            yield parameter["name"]
