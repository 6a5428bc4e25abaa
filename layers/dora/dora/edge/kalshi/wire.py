"""Reads JSON of the exchange field by field: exact, strict, and every failure named."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

from dora.core.errors import NumberInvalid, WireInvalid
from dora.core.exchange.market import Side
from dora.core.units import Price, TimeMs, parse_scaled

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_SHOWN_CHARACTERS = 120
_OUTCOME_SIDES = {"yes": Side.BID, "no": Side.ASK}


def load_json(body: bytes) -> object:
    """Parse a body; numbers with a point stay text, so no float appears. Raises ValueError."""
    return json.loads(body, parse_float=str, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


class Part:
    """The text of one object between its braces, as it stood in an answer; parsed when it is asked for."""

    __slots__ = ("_data", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._data: object = None

    def read(self) -> object:
        """The object. Raises ValueError for what is no JSON."""
        if self._data is None:
            self._data = load_json(b"{" + self.text + b"}")
        return self._data


class JsonObject:
    """One JSON object of an answer. Unknown extra fields are tolerated, missing ones are not."""

    __slots__ = ("data", "where")

    def __init__(self, where: str, data: object) -> None:
        self.where = where
        self.data = data

    def _fields(self) -> dict[str, object]:
        # Looked at late, so that one bad item of a list fails alone.
        data = self.data.read() if isinstance(self.data, Part) else self.data
        if not isinstance(data, dict):
            raise WireInvalid(f"{self.where}: expected an object, got {_shown(data)}")
        return data

    def field(self, name: str, parse: Callable[[Any], T]) -> T:
        """A required field. Raises WireInvalid with the endpoint, the field and its value."""
        fields = self._fields()
        if name not in fields:
            raise WireInvalid(f"{self.where}: {name} is missing")
        try:
            return parse(fields[name])
        except (NumberInvalid, ValueError, TypeError, LookupError) as error:
            raise self.invalid(name, error) from error

    def optional(self, name: str, parse: Callable[[Any], T]) -> T | None:
        """A field that may be absent or null."""
        value = self._fields().get(name)
        if value is None:
            return None
        try:
            return parse(value)
        except (NumberInvalid, ValueError, TypeError, LookupError) as error:
            raise self.invalid(name, error) from error

    def readable(self, name: str, parse: Callable[[Any], T]) -> T | None:
        """A field as far as it can be read: None where it is absent, null or not understood."""
        try:
            return self.optional(name, parse)
        except WireInvalid:
            return None

    def row(self, name: str) -> "JsonObject":
        """A required object inside this one."""
        return self.field(name, lambda value: JsonObject(f"{self.where} {name}", value))

    def rows(self, name: str, *, required: bool = True) -> list["JsonObject"]:
        """A list of objects. Null is how the exchange may write an empty one.

        Left out it is empty only where the published document does not require it; where it does, an answer
        without it is not what was asked for. Raises WireInvalid then, and for anything else that is no list.
        """
        if not required and name not in self._fields():
            return []
        where = f"{self.where} {name}"
        return [JsonObject(where, item) for item in self.field(name, array_or_null)]

    def invalid(self, name: str, problem: object) -> WireInvalid:
        """The error that says what is wrong with a field."""
        return WireInvalid(f"{self.where}: {name} = {_shown(self._fields().get(name))}: {problem}")


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN_CHARACTERS]


def text(value: object) -> str:
    """A string, possibly empty."""
    if not isinstance(value, str):
        raise ValueError("not a string")
    return value


def name(value: object) -> str:
    """A string that names something: never empty."""
    word = text(value)
    if not word:
        raise ValueError("empty")
    return word


def integer(value: object) -> int:
    """A JSON integer; true and false are not numbers."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not an integer")
    return value


def flag(value: object) -> bool:
    """true or false, nothing that is merely truthy."""
    if not isinstance(value, bool):
        raise ValueError("not a boolean")
    return value


def array(value: object) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def array_or_null(value: object) -> list[Any]:
    """A list; null is an empty one."""
    return [] if value is None else array(value)


def time_ms(value: object) -> TimeMs:
    """An ISO 8601 time with a zone, any number of fractional digits, cut to milliseconds."""
    moment = datetime.fromisoformat(text(value))
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    since = moment - _EPOCH
    return TimeMs(since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000)


def cents(value: object) -> Price:
    """A price in whole cents, as the few integer fields still have it."""
    return Price(integer(value) * 100)


def multiplier_e4(value: object) -> int:
    """A JSON number, exactly, in units of 1e-4."""
    return parse_scaled(str(integer(value)) if not isinstance(value, str) else value, 4)


def outcome(value: object) -> Side:
    """The side of the YES book that a position for yes or no is taken on."""
    if value not in _OUTCOME_SIDES:
        raise ValueError("neither yes nor no")
    return _OUTCOME_SIDES[text(value)]


def direction(row: JsonObject) -> Side:
    """From `book_side` and `outcome_side`: one is enough, two must agree.

    The legacy `side` and `action` are never read: a NO quote can carry `side: yes`.
    """
    book_side, outcome_side = row.optional("book_side", Side), row.optional("outcome_side", outcome)
    side = book_side or outcome_side
    if side is None:
        raise row.invalid("book_side", "absent, and so is outcome_side")
    if outcome_side not in (None, side):
        raise row.invalid("outcome_side", f"contradicts book_side {side.value}")
    return side


def shard_of(row: JsonObject) -> int:
    """The shard of a row of our own portfolio; absent is 0, the exchange's own default.

    Recordings from before there were shards lack the field. Market objects are read strictly instead:
    a market decides where orders go, a portfolio row only reports where they are.
    """
    return row.optional("exchange_index", integer) or 0


def is_of_subaccount(row: JsonObject, subaccount: int) -> bool:
    """Whether a row is of this subaccount; one that names none is. Raises WireInvalid for no number."""
    return row.optional("subaccount_number", integer) in (None, subaccount)
