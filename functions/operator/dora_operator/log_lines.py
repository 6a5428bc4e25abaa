"""Log lines as a table, and queries over them."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from dora_operator.insights import MESSAGE, NUMBER, TIME, quoted, to_sql

Row = dict[str, Any]
_FORM = "%Y-%m-%d %H:%M:%S,%f%z"


def run_locally(query: str, lines: Iterable[str]) -> list[Row]:
    """The rows that this query finds in these lines. Raises InsightsError."""
    sql = to_sql(query)
    found = [(line, json.loads(line)) for line in lines if line.startswith("{")]
    facts = [(line, own) for line, own in found if "timestamp" in own]
    names = sorted(sql.fields - {TIME, MESSAGE})
    columns = [
        (TIME, "TIMESTAMP", [_time(own) for _, own in facts]),
        (MESSAGE, "VARCHAR", [line for line, _ in facts]),
        (NUMBER, "BIGINT", list(range(len(facts)))),
        *(_column(name, [own.get(name) for _, own in facts]) for name in names),
    ]
    with duckdb.connect() as database:
        declared = ", ".join(f"{quoted(name)} {kind}" for name, kind, _ in columns)
        database.execute(f"CREATE TABLE lines ({declared})")
        # By columns: a statement for each row takes a millisecond, and a day has tens of thousands.
        cells = ", ".join(f"unnest(?::{kind}[])" for _, kind, _ in columns)
        database.execute(f"INSERT INTO lines SELECT {cells}", [values for *_, values in columns])
        answer = database.execute(sql.text)
        titles = [own[0] for own in answer.description or ()]
        return [dict(zip(titles, map(_plain, row), strict=True)) for row in answer.fetchall()]


def _column(name: str, values: list[object]) -> tuple[str, str, list[object]]:
    """A field with its kind: a number where all that is known of it are numbers, else a text."""
    known = [own for own in values if own is not None]
    if known and all(isinstance(own, int | float) and not isinstance(own, bool) for own in known):
        return name, "DOUBLE", [float(own) if isinstance(own, int | float) else None for own in values]
    texts = (own if own is None or isinstance(own, str) else json.dumps(own) for own in values)
    return name, "VARCHAR", list(texts)


def _time(own: Mapping[str, Any]) -> datetime:
    return datetime.strptime(str(own["timestamp"]), _FORM).astimezone(UTC).replace(tzinfo=None)


def _plain(value: Any) -> Any:
    """As Insights prints it: times to the millisecond, whole numbers without a point."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 4)
    return value
