"""A row that reads the same is not read again, and its value is what reading it would give."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import WireInvalid
from dora.edge.kalshi.known_rows import KnownRows
from dora.edge.kalshi.wire import JsonObject, flag, integer

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["", "0", "1"]))
FIELDS = st.dictionaries(st.sampled_from("ab"), PLAIN | st.lists(st.text(max_size=1), max_size=2))
ROUNDS = st.lists(st.lists(st.tuples(st.sampled_from("xy"), FIELDS), max_size=4), max_size=6)


def parsed(row: JsonObject) -> Any:
    """Strict of its fields' types, as the parsers are."""
    a = row.optional("a", integer)
    return a, row.optional("b", flag)


def outcome(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except WireInvalid as error:
        return str(error)


@given(ROUNDS)
def test_what_is_known_is_what_would_be_read(rounds: list[list[tuple[str, dict[str, Any]]]]) -> None:
    known = KnownRows()
    for answer in rounds:
        known.next_round()
        for name, fields in copy.deepcopy(answer):
            row = JsonObject("a row", fields)
            found = outcome(lambda name=name, row=row: known.value("row", name, row, lambda: parsed(row)))
            assert repr(found) == repr(outcome(lambda row=row: parsed(row)))


@pytest.mark.parametrize(("rounds", "reads"), [(0, 1), (1, 1), (2, 2)])
def test_a_row_is_read_once_until_a_whole_round_goes_by_without_it(rounds: int, reads: int) -> None:
    known, read = KnownRows(), list[str]()

    def look() -> None:
        known.value("row", "x", JsonObject("a row", {"a": 1}), lambda: read.append("x"))

    look()
    for _ in range(rounds):
        known.next_round()
    look()

    assert len(read) == reads
