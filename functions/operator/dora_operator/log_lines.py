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
    names = sorted({name for _, own in facts for name in own} | sql.fields - {TIME, MESSAGE})
    kinds = {name: _kind(own.get(name) for _, own in facts) for name in names}
    with duckdb.connect() as database:
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
        database.execute(
            f"CREATE TABLE lines ({quoted(TIME)} TIMESTAMP, {quoted(MESSAGE)} VARCHAR, "
            f"{quoted(NUMBER)} BIGINT{', ' if columns else ''}{columns})"
        )
        rows = [
            [_time(own), line, number, *(_cell(own.get(name), kinds[name]) for name in names)]
            for number, (line, own) in enumerate(facts)
        ]
        if rows:
            database.executemany(f"INSERT INTO lines VALUES ({', '.join('?' * len(rows[0]))})", rows)
        answer = database.execute(sql.text)
        titles = [own[0] for own in answer.description or ()]
        return [dict(zip(titles, map(_plain, row), strict=True)) for row in answer.fetchall()]


def _kind(values: Iterable[object]) -> str:
    known = [own for own in values if own is not None]
    numbers = all(isinstance(own, int | float) and not isinstance(own, bool) for own in known)
    return "DOUBLE" if known and numbers else "VARCHAR"


def _cell(value: object, kind: str) -> object:
    if value is None or kind == "DOUBLE":
        return value
    return value if isinstance(value, str) else json.dumps(value)


def _time(own: Mapping[str, Any]) -> datetime:
    return datetime.strptime(str(own["timestamp"]), _FORM).astimezone(UTC).replace(tzinfo=None)


def _plain(value: Any) -> Any:
    """As Insights prints it: times to the millisecond, whole numbers without a point."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 4)
    return value
