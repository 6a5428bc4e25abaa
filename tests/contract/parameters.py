"""Query parameters against the document: a proxy lets unknown ones pass, so they are looked at here."""

import re
from collections.abc import Iterable

from tests.contract.document import Document, operations
from tests.contract.witness import Sent


def unknown_parameters(document: Document, requests: Iterable[Sent]) -> set[str]:
    """`METHOD path: name` of every query parameter that the document's operation does not have."""
    known = [(method, _pattern(path), names) for method, path, names in operations(document)]
    return {
        f"{sent.method} {sent.path}: {name}"
        for sent in requests
        for name in set(sent.parameters) - _names(known, sent)
    }


def _names(known: list[tuple[str, re.Pattern[str], frozenset[str]]], sent: Sent) -> frozenset[str]:
    """Of the operation with the fewest path parameters that fits; none when nothing fits."""
    fitting = [(p, names) for method, p, names in known if method == sent.method and p.fullmatch(sent.path)]
    return min(fitting, key=lambda each: each[0].pattern.count("["), default=(None, frozenset()))[1]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
