"""A cycle comes back from its archive object as it went in, and nothing else is taken for one."""

import gzip
import json
from typing import Any

import pytest

from dora.core.errors import StateError, StateTooNew
from dora.edge.archive.packing import SCHEMA, pack, unpack
from tests.support.cycle_records import OTHER, TICKER, cycle_record


def test_a_cycle_comes_back_as_it_was_floats_and_all() -> None:
    assert unpack(pack(cycle_record())) == cycle_record()


def test_equal_cycles_are_equal_bytes() -> None:
    assert pack(cycle_record()) == pack(cycle_record())


def test_what_is_keyed_by_a_field_of_its_own_does_not_say_it_twice() -> None:
    seen = opened()["cycle"]["seen"]

    assert (seen["wanted"]["keys"], seen["wanted"]["columns"]["ticker"]) == ("ticker", [TICKER, OTHER])
    assert seen["snapshot"]["books"]["columns"]["bids"] == {
        "lengths": [2, 0],
        "records": 2,
        "columns": {"price": [4_400, 4_300], "count": [5, 6]},
    }


def test_an_object_of_an_earlier_schema_gets_the_defaults_of_what_came_later() -> None:
    earlier = opened() | {"schema": 1}
    cycle = earlier["cycle"]
    del cycle["public"], cycle["seen"]["globals_"]["record_public"], cycle["asked"]["most_places"]
    del cycle["seen"]["wanted"]["columns"]["record_only"], cycle["seen"]["reference"]["listings"]
    del cycle["seen"]["wanted"]["columns"]["max_speed_percent"]

    record, today = unpack(closed(earlier)), cycle_record()

    assert record.seen is not None
    assert today.seen is not None
    assert record.asked == today.asked._replace(most_places=None)
    assert record.seen.globals_ == today.seen.globals_
    assert record.seen.wanted[OTHER] == today.seen.wanted[OTHER]
    assert record.seen.wanted[TICKER] != today.seen.wanted[TICKER]


def test_what_an_earlier_schema_had_already_may_not_be_missing() -> None:
    earlier = opened() | {"schema": 1}
    del earlier["cycle"]["seen"]["now_ms"]

    with pytest.raises(StateError, match="the fields of Seen"):
        unpack(closed(earlier))


@pytest.mark.parametrize(
    # A time of 0: a body that holds the clock's would name the test differently in each worker.
    "body",
    [b"", b"text", *(gzip.compress(text, mtime=0) for text in (b"text", b"[]", b"{}"))],
)
def test_what_is_no_archive_object_is_refused(body: bytes) -> None:
    with pytest.raises(StateError, match="no archive object"):
        unpack(body)


def test_an_object_of_a_later_schema_is_refused_by_its_number() -> None:
    with pytest.raises(StateTooNew, match=f"schema {SCHEMA + 1}"):
        unpack(closed(opened() | {"schema": SCHEMA + 1}))
    with pytest.raises(StateError, match="schema 'one'"):
        unpack(closed(opened() | {"schema": "one"}))


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (("cycle_id",), 5, "not of type str"),
        (("surplus",), 5, "the fields of CycleRecord are"),
        (("seen", "wanted", "keys"), [TICKER], "other keys"),
        (("seen", "wanted"), [], "no MarketConfig by key"),
        (("seen", "wanted", "columns", "strategy"), ["witchcraft"], "no strategy witchcraft"),
        (("seen", "shown"), ["1"], "not of type int"),
        (("seen", "snapshot", "cash"), {"one": 1}, "no whole number"),
        (("seen", "snapshot", "books", "columns", "bids", "lengths"), [1, 0], "2 records in parts of 1"),
        (("seen", "snapshot", "books", "columns", "bids"), [[], []], "no table of Level"),
        (("decided", "withheld"), [[1]], "no list of 2"),
    ],
)
def test_what_is_not_understood_is_refused(place: tuple[str, ...], value: Any, complaint: str) -> None:
    spoiled = opened()
    holder = spoiled["cycle"]
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = value

    with pytest.raises(StateError, match=complaint):
        unpack(closed(spoiled))


def opened() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(gzip.decompress(pack(cycle_record())))
    return plain


def closed(plain: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(plain).encode())
