"""Records come back from their columns as they went in, and nothing else is taken for records."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import StateError
from dora.core.exchange.market import Book, Level
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import ExtendRequest, OrderRequest
from dora.core.units import Count, Price
from dora.edge.dynamo.columns import from_columns, to_columns
from tests.support.dynamo_values import order, request, values


@pytest.mark.parametrize("kind", [TrackedOrder, OrderRequest, ExtendRequest])
@given(data=st.data())
def test_records_come_back_in_order(kind: type, data: st.DataObject) -> None:
    records = data.draw(st.lists(values(kind), max_size=4))

    assert from_columns(kind, to_columns(kind, records)) == records


def test_what_all_records_share_stands_once() -> None:
    columns = to_columns(OrderRequest, [request(number) for number in range(8)])["columns"]

    assert columns["price"] == [4600]
    assert columns["slot.ticker"] == ["KXA-0"] * 4 + ["KXA-1"] * 4


def _changed(**changes: Any) -> dict[str, Any]:
    whole = to_columns(TrackedOrder, [order(1), order(2), order(3)])
    return {**whole, "columns": {**whole["columns"], **changes}}


@pytest.mark.parametrize(
    ("plain", "complaint"),
    [
        (None, "no records in columns"),
        ({"records": 1}, "no records in columns"),
        ({"records": "1", "columns": {}}, "no records in columns"),
        ({"records": 1, "columns": {"price": [1]}}, "the columns of TrackedOrder are"),
        (_changed(surplus=[1]), "the columns of TrackedOrder are"),
        (_changed(price=[1, 2]), "price is no column of 3 records"),
        (_changed(price=4600), "price is no column of 3 records"),
        (_changed(price=[1, "2", 3]), "price: '2' is not of type int"),
        (_changed(**{"slot.side": ["middle"]}), "slot.side: 'middle' is no Side"),
    ],
)
def test_what_is_not_understood_is_refused(plain: Any, complaint: str) -> None:
    with pytest.raises(StateError, match=complaint):
        from_columns(TrackedOrder, plain)


def test_a_sequence_of_records_in_each_record_is_one_table() -> None:
    books = [Book("A", (Level(Price(2), Count(3)),), ()), Book("B", (), ())]

    whole = to_columns(Book, books)

    table = {"lengths": [1, 0], "records": 1, "columns": {"price": [2], "count": [3]}}
    assert whole["columns"]["bids"] == table
    assert from_columns(Book, whole) == books
