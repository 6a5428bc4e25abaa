"""Every stored value comes back as it went in, and nothing malformed or newer is taken for a value."""

import gzip
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.ledger import Position
from dora.core.errors import StateError, StateTooNew, StateUnavailable
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Fill, Limits, Settlement
from dora.core.orders.journal import Plan, TrackedOrder
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import Cursors, KillSwitch, Progress, ReferenceData
from dora.edge.dynamo.codec import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    Collection,
    attribute,
    chunk_items,
    fields_of,
    item_of,
    join_chunks,
    pack,
    plain_of,
    value_of_item,
)
from dora.edge.dynamo.serde import LATER_FIELDS, from_plain, from_row, to_row
from dora.edge.dynamo.state_reader import stored_state
from tests.support.dynamo_values import BOT, event_group, order, position, session, values

ROWS = Collection({"learned_ms": 3}, [["events", "KXA-E", 1], ["series", "KXA", 2]])
STORED = (
    SessionMetadata,
    EventGroup,
    KillSwitch,
    Cursors,
    Progress,
    Limits,
    Position,
    Fill,
    Settlement,
    ReferenceData,
    Plan,
    TrackedOrder,
)


@pytest.mark.parametrize("kind", STORED)
@given(data=st.data())
def test_every_stored_value_comes_back_from_an_item(kind: type, data: st.DataObject) -> None:
    value = data.draw(values(kind))

    assert value_of_item(kind, item_of("pk", "sk", value, expires_s=5)) == value


@given(values(TrackedOrder))
def test_an_order_comes_back_from_a_row(order: TrackedOrder) -> None:
    assert from_row(TrackedOrder, to_row(order)) == order


@given(values(dict[str, object]))
def test_any_plain_object_comes_back_from_attributes(plain: dict[str, object]) -> None:
    assert plain_of(attribute(plain)) == plain


def test_equal_content_makes_equal_bytes() -> None:
    assert chunk_items(BOT, "REFERENCE", ROWS) == chunk_items(BOT, "REFERENCE", ROWS)
    assert pack({"a": [1]}) == gzip.compress(b'{"a":[1]}', compresslevel=6, mtime=0)


def test_numbers_travel_as_int_strings() -> None:
    assert attribute(10**37) == {"N": "1" + "0" * 37}
    with pytest.raises(ValueError, match="38 digits"):
        attribute(10**38)
    with pytest.raises(TypeError, match="float"):
        attribute(0.5)


def test_an_item_of_a_newer_schema_is_refused_by_name() -> None:
    item = {**item_of(BOT, "CONTROL", KillSwitch()), "v": {"N": "2"}}

    with pytest.raises(StateTooNew, match=r"alpha / CONTROL.* version 2"):
        value_of_item(KillSwitch, item)
    with pytest.raises(StateTooNew, match="CONTROL"):
        stored_state(BOT, [item], [])


def test_a_newer_lease_refuses_the_whole_state() -> None:
    with pytest.raises(StateTooNew, match="LEASE"):
        stored_state(BOT, [{**item_of(BOT, "LEASE", {"fence": 3}), "v": {"N": "2"}}], [])


@pytest.mark.parametrize("version", [{}, {"v": {"N": "0"}}, {"v": {"S": "1"}}, {"v": {"N": "1.5"}}])
def test_an_item_without_a_readable_version_is_refused_by_name(version: Any) -> None:
    item = {name: value for name, value in item_of(BOT, "CONTROL", KillSwitch()).items() if name != "v"}

    with pytest.raises(StateError, match="alpha / CONTROL"):
        value_of_item(KillSwitch, {**item, **version})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"net": {"N": "1.5"}}, "not a whole number"),
        ({"net": {"S": "1"}}, "net: '1' is not of type int"),
        ({"settled": {"N": "1"}}, "settled: 1 is not of type bool"),
        ({"net": {"NULL": True}}, "net: None is not of type int"),
        ({"net": {"SS": ["1"]}}, "an attribute of type SS"),
        ({"surplus": {"N": "1"}}, "the fields of Position are"),
    ],
)
def test_a_malformed_item_is_refused_by_name(change: Any, complaint: str) -> None:
    item = {**item_of(BOT, "POSITION#1#KXA-1", position()), **change}

    with pytest.raises(StateError, match="POSITION#1#KXA-1") as caught:
        value_of_item(Position, item)

    assert complaint in str(caught.value)


def test_a_missing_field_is_refused() -> None:
    item = {name: value for name, value in item_of(BOT, "P", position()).items() if name != "cash"}

    with pytest.raises(StateError, match="the fields of Position are"):
        value_of_item(Position, item)


def test_a_session_stored_before_later_fields_is_read_with_their_defaults() -> None:
    later = {name for kind, name in LATER_FIELDS if kind == "SessionMetadata"}
    old = {name: value for name, value in item_of(BOT, "SESSION", session()).items() if name not in later}

    assert later == {"armed_at_ms", "ends_at_ms", "limit_reached_at_ms", "resets"}
    assert value_of_item(SessionMetadata, old) == session()


def test_an_events_group_stored_before_later_fields_is_read_as_answered() -> None:
    group = event_group("EV1")
    old = {name: value for name, value in item_of(BOT, "GROUP", group).items() if name != "asks"}

    assert value_of_item(EventGroup, old) == group


def test_a_kill_flag_stored_before_later_fields_still_halts() -> None:
    halted = KillSwitch(halted=True, reason="news")
    old = {name: value for name, value in item_of(BOT, "CONTROL", halted).items() if name != "cancel"}

    assert value_of_item(KillSwitch, old) == halted


def test_an_order_stored_in_a_shorter_row_is_read_with_the_defaults_of_later_fields() -> None:
    later = sum(kind == "TrackedOrder" for kind, _ in LATER_FIELDS)
    for missing in range(1, later + 1):
        assert from_row(TrackedOrder, to_row(order(1))[:-missing]) == order(1)
    with pytest.raises(StateError, match="TrackedOrder"):
        from_row(TrackedOrder, to_row(order(1))[: -later - 1])
    with pytest.raises(StateError, match="TrackedOrder"):
        from_row(TrackedOrder, [*to_row(order(1)), None])


@pytest.mark.parametrize("kind", STORED)
def test_every_later_field_is_a_field_with_a_default(kind: Any) -> None:
    later = {name for owner, name in LATER_FIELDS if owner == kind.__name__}

    assert later <= kind._field_defaults.keys()


def test_an_unknown_word_is_no_state() -> None:
    item = {**item_of(BOT, "SESSION", session()), "status": {"S": "resting"}}

    with pytest.raises(StateError, match="status: 'resting' is no SessionStatus"):
        value_of_item(SessionMetadata, item)
    assert from_plain(SessionStatus, "active") is SessionStatus.ACTIVE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not gzip",
        gzip.compress(b"{", mtime=0),
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b'{"rows":{}}', mtime=0),
    ],
)
def test_a_damaged_body_is_refused_by_name(body: bytes) -> None:
    (item,) = chunk_items(BOT, "REFERENCE", ROWS)

    with pytest.raises(StateError, match="alpha / REFERENCE#00"):
        join_chunks([{**item, "body": {"B": body}}])


def test_a_key_that_belongs_to_nothing_is_refused_by_name() -> None:
    with pytest.raises(StateError, match="alpha / REFERENCE#first"):
        join_chunks([item_of(BOT, "REFERENCE#first", {"body": b""})])


# --- chunks ------------------------------------------------------------------------------------------


def test_no_chunk_has_more_rows_or_bytes_than_allowed() -> None:
    noise = random.Random(3)
    rows = [[noise.randbytes(200).hex()] for _ in range(4 * CHUNK_ROWS + 1)]

    items = chunk_items(BOT, "REFERENCE", Collection({}, rows))

    assert len(items) >= 5
    assert all(len(item["body"]["B"]) <= CHUNK_BYTES for item in items)
    assert join_chunks(items).rows == rows


def test_an_entry_larger_than_an_item_is_an_error() -> None:
    with pytest.raises(StateError, match="does not fit an item"):
        chunk_items(BOT, "MEMORY", Collection({}, [random.Random(1).randbytes(800_000).hex()]))


def test_a_mixture_of_generations_is_never_a_value() -> None:
    old, new = (chunk_items(BOT, "REFERENCE", _rows(2 * CHUNK_ROWS, salt)) for salt in "ab")

    with pytest.raises(StateUnavailable, match="REFERENCE was rewritten"):
        join_chunks([new[0], old[1]])


@pytest.mark.parametrize("present", [0, 1])
def test_a_missing_chunk_is_never_a_shorter_value(present: int) -> None:
    chunks = chunk_items(BOT, "REFERENCE", _rows(2 * CHUNK_ROWS))

    with pytest.raises(StateUnavailable):
        join_chunks([chunks[present]])


def test_surplus_chunks_of_a_larger_value_are_ignored() -> None:
    old, new = (chunk_items(BOT, "REFERENCE", _rows(count)) for count in (2 * CHUNK_ROWS, 3))

    assert len(join_chunks([new[0], old[1]]).rows) == 3


def _rows(count: int, salt: str = "") -> Collection:
    return Collection({}, [[f"{salt}{number}"] for number in range(count)])


def test_the_frame_of_an_item_is_not_a_field() -> None:
    with pytest.raises(ValueError, match="names of the frame"):
        item_of("pk", "sk", {"v": 1})
    assert fields_of(item_of("pk", "sk", {"a": 1}, expires_s=9)) == {"a": 1}
