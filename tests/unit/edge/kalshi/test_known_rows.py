"""Rows read by their text: what they say is what reading the whole answer says, and nothing is read twice."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import WireInvalid
from dora.edge.kalshi.known_rows import KnownRows, load_apart
from dora.edge.kalshi.wire import JsonObject, Part, integer, load_json

BORDERS = st.sampled_from(["", "},{", "[{", "}]", '"', "\\", "rows apart", '"rows":[{', "é"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), BORDERS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(BORDERS | st.just("rows"), inner, max_size=3)
    ),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "rows"]), VALUES, max_size=3) | VALUES, max_size=4)
ANSWERS = st.dictionaries(st.sampled_from(["rows", "more", "cursor"]), VALUES | ROWS, max_size=3)
FORMS = st.sampled_from([(",", ":"), (", ", ": ")])


class Everything:
    """As if each text that is an object's had been met before."""

    def __contains__(self, text: object) -> bool:
        try:
            return isinstance(text, bytes) and isinstance(load_json(b"{" + text + b"}"), dict)
        except ValueError:
            return False


def whole(content: Any) -> Any:
    """With every part read."""
    if isinstance(content, dict) and isinstance(content.get("rows"), list):
        content["rows"] = [row.read() if isinstance(row, Part) else row for row in content["rows"]]
    return content


def outcome(load: Callable[[], Any]) -> str:
    try:
        return repr(load())
    except ValueError:
        return "no JSON"


@given(ANSWERS, FORMS, st.sampled_from([(), Everything()]))
def test_an_answer_read_by_its_rows_is_the_answer(
    answer: dict[str, Any], form: tuple[str, str], known: Any
) -> None:
    body = json.dumps(answer, separators=form).encode()
    assert outcome(lambda: whole(load_apart(body, "rows", known))) == outcome(lambda: load_json(body))


@given(ROWS, st.data())
def test_a_damaged_answer_is_damaged_however_it_is_read(rows: list[Any], data: st.DataObject) -> None:
    body = json.dumps({"rows": rows, "cursor": ""}, separators=(",", ":")).encode()
    at, to = sorted(data.draw(st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))))
    body = body[:at] + body[to:]

    assert outcome(lambda: whole(load_apart(body, "rows", ()))) == outcome(lambda: load_json(body))


def rows_of(body: str, known: KnownRows[Any]) -> list[JsonObject]:
    return JsonObject("an answer", load_apart(body.encode(), "rows", known)).rows("rows")


@pytest.mark.parametrize(("rounds", "reads"), [(0, 1), (1, 1), (2, 2)])
def test_a_row_is_read_once_until_a_whole_round_goes_by_without_it(rounds: int, reads: int) -> None:
    known, read = KnownRows[int](), list[int]()

    def parse(row: JsonObject) -> int:
        read.append(row.field("a", integer))
        return read[-1]

    def look() -> list[int]:
        return [known.value(row, parse) for row in rows_of('{"rows":[{"a":1},{"a":1}]}', known)]

    assert look() == [1, 1]
    for _ in range(rounds):
        known.next_round()

    assert look() == [1, 1]
    assert len(read) == reads


def test_what_was_not_understood_is_read_again() -> None:
    known = KnownRows[int]()
    for _ in range(2):
        (row,) = rows_of('{"rows":[{"a":true}]}', known)
        with pytest.raises(WireInvalid, match="not an integer"):
            known.value(row, lambda own: own.field("a", integer))
