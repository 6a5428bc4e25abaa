"""Saved queries of CloudWatch Logs Insights, read and turned into SQL: for logs that lie on this machine.

Of the language this knows what the stack's queries use: `filter` (comparisons, `in`, `like`, `and`, `or`,
`not`, `ispresent`), `fields`, `parse` by a regular expression with named groups, `stats ... by ...`, `sort`
and `limit`. Anything else is an error, never a guess.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

TIME, MESSAGE, NUMBER = "@timestamp", "@message", "#"
"""Columns that every line has: when, its text, and its place in the log."""

_TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/|@?[A-Za-z_][\w.]*|-?\d+(?:\.\d+)?|!=|<=|>=|[=<>()\[\],*])'
)
_AGGREGATE = re.compile(r"(\w+)\(([^)]*)\)(?:\s+as\s+(\w+))?$")
_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


class InsightsError(Exception):
    """A query that is beyond what is known here; the text says where."""


@dataclass(frozen=True)
class Sql:
    """One statement over a table `lines`, and the fields it reads."""

    text: str
    fields: frozenset[str]


def to_sql(query: str) -> Sql:
    """The query over a table `lines` with a column for each field. Raises InsightsError."""
    translation = _Translation()
    for command in _commands(query):
        word, _, rest = command.partition(" ")
        step = translation.steps.get(word)
        if step is None:
            raise InsightsError(f"{word} is not known here: {command}")
        step(rest.strip())
    return Sql(translation.text(), frozenset(translation.read))


def _commands(query: str) -> list[str]:
    """The parts between pipes; a pipe within quotes or a regular expression is none."""
    parts = re.split(r'\|(?=(?:[^"/]|"[^"]*"|/(?:[^/\\]|\\.)*/)*$)', query)
    return [" ".join(part.split()) if "/" not in part else part.strip() for part in parts if part.strip()]


class _Translation:
    """One common table expression after the other."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self._own: set[str] = {TIME, MESSAGE}
        self._made: list[str] = []
        self._last = "lines"
        self._ties = [quoted(NUMBER)]
        self._order = quoted(NUMBER)
        self._shown: list[str] | None = None
        self._limit = 1000
        self.steps: dict[str, Callable[[str], None]] = {
            "filter": self._filter,
            "fields": self._fields,
            "parse": self._parse,
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limited,
        }

    def text(self) -> str:
        columns = ", ".join(map(quoted, self._shown)) if self._shown else f"{quoted(TIME)}, {quoted(MESSAGE)}"
        made = f"WITH {', '.join(self._made)} " if self._made else ""
        return f"{made}SELECT {columns} FROM {self._last} ORDER BY {self._order} LIMIT {self._limit}"

    def _step(self, select: str) -> None:
        name = f"step{len(self._made)}"
        self._made.append(f"{name} AS ({select})")
        self._last = name

    def _name(self, field: str) -> str:
        if field not in self._own:
            self.read.add(field)
        return quoted(field)

    def _filter(self, rest: str) -> None:
        condition = _Condition(rest, self._name).whole()
        self._step(f"SELECT * FROM {self._last} WHERE {condition}")

    def _fields(self, rest: str) -> None:
        self._shown = [name.strip() for name in rest.split(",")]
        for name in self._shown:
            self._name(name)

    def _parse(self, rest: str) -> None:
        found = re.fullmatch(r"(@?[\w.]+) /(.*)/", rest, flags=re.DOTALL)
        if found is None:
            raise InsightsError(f"parse is known as `parse field /regex/`: {rest}")
        names = re.findall(r"\(\?<(\w+)>", found[2])
        pattern = literal(found[2].replace("(?<", "(?P<"))
        place, listed = self._name(found[1]), ", ".join(map(literal, names))
        match = f"regexp_extract({place}, {pattern}, [{listed}])"
        columns = ", ".join(f"NULLIF({match}.{quoted(own)}, '') AS {quoted(own)}" for own in names)
        self._step(f"SELECT *, {columns} FROM {self._last}")
        self._own |= set(names)

    def _stats(self, rest: str) -> None:
        figures, _, by = rest.partition(" by ")
        groups = [self._group(own.strip()) for own in _split(by)] if by else []
        sums = [self._aggregate(own.strip()) for own in _split(figures)]
        select = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in (*groups, *sums))
        grouped = f" GROUP BY {', '.join(sql for _, sql in groups)}" if groups else ""
        self._step(f"SELECT {select} FROM {self._last}{grouped}")
        self._shown = [name for name, _ in (*groups, *sums)]
        self._own = set(self._shown)
        self._ties = [quoted(name) for name, _ in groups]
        self._order = ", ".join(self._ties) or "1"

    def _group(self, text: str) -> tuple[str, str]:
        found = re.fullmatch(r"bin\((\d+)([smhd])\)", text)
        if found is None:
            return text, self._name(text)
        return text, f"time_bucket(INTERVAL '{found[1]} {_UNITS[found[2]]}', {quoted(TIME)})"

    def _aggregate(self, text: str) -> tuple[str, str]:
        found = _AGGREGATE.match(text)
        if found is None:
            raise InsightsError(f"no figure: {text}")
        function, given, alias = found[1], found[2].strip(), found[3] or text
        field = "*" if given == "*" else self._name(given.partition(",")[0].strip())
        number = f"TRY_CAST({field} AS DOUBLE)"
        known = {
            "count": f"count({field})",
            "count_distinct": f"count(DISTINCT {field})",
            "sum": f"sum({number})",
            "avg": f"avg({number})",
            "min": f"min({field})",
            "max": f"max({field})",
            "latest": f"arg_max({field}, {quoted(NUMBER)})",
            "earliest": f"arg_min({field}, {quoted(NUMBER)})",
            "pct": f"quantile_cont({number}, {given.partition(',')[2].strip() or 50} / 100)",
        }
        if function not in known:
            raise InsightsError(f"{function} is not known here: {text}")
        return alias, known[function]

    def _sort(self, rest: str) -> None:
        terms = []
        for own in rest.split(","):
            name, _, way = own.strip().partition(" ")
            terms.append(f"{self._name(name)} {'DESC' if way == 'desc' else 'ASC'} NULLS LAST")
        # Insights leaves equal rows in no order; here it is always the same.
        ties = [own for own in self._ties if own not in {term.split(" ")[0] for term in terms}]
        self._order = ", ".join([*terms, *ties])

    def _limited(self, rest: str) -> None:
        self._limit = int(rest)


def _split(text: str) -> list[str]:
    """At commas outside of brackets."""
    return [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]


class _Condition:
    """A filter's condition, by recursive descent."""

    def __init__(self, text: str, name: Callable[[str], str]) -> None:
        self._tokens = _tokens(text)
        self._name, self._at, self._text = name, 0, text

    def whole(self) -> str:
        found = self._any()
        if self._at != len(self._tokens):
            raise InsightsError(f"not understood after {self._tokens[: self._at]}: {self._text}")
        return found

    def _any(self) -> str:
        return self._joined("or", lambda: self._joined("and", self._one))

    def _joined(self, word: str, part: Callable[[], str]) -> str:
        parts = [part()]
        while self._next(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else "(" + f" {word.upper()} ".join(parts) + ")"

    def _one(self) -> str:
        if self._next("not"):
            return f"NOT COALESCE({self._one()}, FALSE)"
        if self._next("("):
            found = self._any()
            self._must(")")
            return found
        if self._next("ispresent"):
            self._must("(")
            field = self._name(self._take())
            self._must(")")
            return f"{field} IS NOT NULL"
        return self._comparison(self._name(self._take()))

    def _comparison(self, field: str) -> str:
        operator = self._take()
        if operator == "in":
            return f"{field} IN ({', '.join(self._listed())})"
        value = self._take()
        if operator == "like":
            if value.startswith("/"):
                return f"regexp_matches({field}, {literal(value[1:-1])})"
            return f"contains({field}, {literal(value[1:-1])})"
        if operator not in ("=", "!=", "<", "<=", ">", ">="):
            raise InsightsError(f"{operator} is not known here: {self._text}")
        return f"{field} {operator} {_value(value)}"

    def _listed(self) -> Iterable[str]:
        self._must("[")
        values = [_value(self._take())]
        while self._next(","):
            values.append(_value(self._take()))
        self._must("]")
        return values

    def _take(self) -> str:
        if self._at == len(self._tokens):
            raise InsightsError(f"ends too early: {self._text}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self, word: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == word
        self._at += found
        return found

    def _must(self, word: str) -> None:
        if not self._next(word):
            raise InsightsError(f"{word} is missing: {self._text}")


def _tokens(text: str) -> Sequence[str]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InsightsError(f"not understood: {text[at:]}")
        found.append(match[1])
        at = match.end()
    return found


def _value(token: str) -> str:
    return literal(token[1:-1]) if token.startswith('"') else token


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
