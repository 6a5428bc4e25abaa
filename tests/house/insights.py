"""Saved queries as the tests read them: which lines a query filters, and which fields it names.

House queries keep to a small part of the language: one `filter` by event_type, or by an id that a person
pastes in, and then perhaps one `parse` of a field for that id.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.house.translated import Template, of_kind

Fact = Mapping[str, Any]

PLACEHOLDERS = {"PASTE-CLIENT-ORDER-ID-HERE": "client_order_id", "PASTE-DECISION-ID-HERE": "decision_id"}
"""What a person replaces by an id, and the field that ids of this kind stand in."""
SYSTEM_FIELDS = frozenset({"@timestamp", "@message", "@logStream", "@requestId"})
_WORDS = frozenset(
    {"fields", "filter", "parse", "stats", "sort", "limit", "by", "as", "in", "like", "asc", "desc"}
)


@dataclass(frozen=True)
class Query:
    """One saved query."""

    name: str
    text: str

    @property
    def events(self) -> list[str]:
        """The event types that it filters by; none: it filters by text."""
        (condition,) = re.findall(r"^filter (.*)$", self.text, flags=re.MULTILINE)
        match = re.fullmatch(r'event_type (?:= ("\w+")|in \[(.*)\])', condition)
        if match is None and condition != f'@message like "{self.placeholder}"':
            raise AssertionError(f"{self.name} filters in an unknown way: {condition}")
        return re.findall(r'"(\w+)"', match[0]) if match else []

    @property
    def placeholder(self) -> str:
        """What is to be replaced by an id; empty where it filters by event type."""
        return next((one for one in PLACEHOLDERS if one in self.text), "")

    @property
    def fields(self) -> set[str]:
        """Every field it names; its own aliases and the functions it calls are none."""
        text = re.sub(r'"[^"]*"|/[^/]*/', "", self.text)
        aliases = {*re.findall(r"\bas (\w+)", text), *re.findall(r"\(\?<(\w+)>", self.text)}
        names = re.findall(r"@?\b[A-Za-z_][\w.]*\b(?!\()", text)
        return set(names) - aliases - _WORDS

    def entry(self, fact: Fact, pasted: str) -> str:
        """What its `parse` finds in a line once this id is pasted; empty where it finds nothing."""
        ((field, pattern),) = re.findall(r"^\| parse (\w+) /(.*)/$", self.text, flags=re.MULTILINE)
        wanted = pattern.replace(self.placeholder, pasted).replace("(?<", "(?P<")
        found = re.search(wanted, str(fact.get(field, "")))
        return found["entry"] if found else ""

    def filtered(self, facts: Iterable[Fact]) -> list[Fact]:
        """The lines it would find."""
        if self.events:
            return [fact for fact in facts if fact["event_type"] in self.events]
        field = PLACEHOLDERS[self.placeholder]
        known = {str(fact[field]) for fact in facts if fact.get(field)}
        return [fact for fact in facts if any(one in json.dumps(fact) for one in known)]


def saved_queries(given: Template) -> list[Query]:
    """Those of the template, by the last part of their names."""
    found = of_kind(given, "AWS::Logs::QueryDefinition").values()
    return [Query(own["Name"]["Fn::Sub"].rpartition("/")[2], own["QueryString"]) for own in found]


def complaints(query: Query, facts: list[Fact]) -> list[str]:
    """Event types and fields of the query that no line has."""
    lines = query.filtered(facts)
    seen = {line["event_type"] for line in lines}
    known = {name for line in lines for name in line} | SYSTEM_FIELDS
    events = [f"{query.name}: no line is a {event}" for event in query.events if event not in seen]
    return events + [f"{query.name}: no line has {name}" for name in sorted(query.fields - known)]
