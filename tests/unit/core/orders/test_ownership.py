"""Rows that were not understood: which may be ours, and what those of others count for."""

from typing import Any

import pytest

from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.market import Side
from dora.core.orders.journal import Journal, OrderState
from dora.core.orders.ownership import Ownership, external_orders, unread_markets
from dora.core.session import SessionGroup, SessionMetadata, SessionStatus
from dora.core.units import ONE_DOLLAR, Count, Price, TimeMs
from tests.support.journal_cases import PREFIX, tracked

SESSION = SessionMetadata(
    session_id="s-1",
    status=SessionStatus.ACTIVE,
    created_at_ms=TimeMs(0),
    contracts_limit=Count(0),
    order_groups=(SessionGroup(group_id="g-2", shard=0, tag="maker", burst_limit=Count(0)),),
)
LEARNED = Journal({PREFIX + "one": tracked()})
UNLEARNED = Journal({PREFIX + "one": tracked(OrderState.PENDING_NEW)})


def unread(name: str = "orders", **fields: Any) -> UnreadableRow:
    return UnreadableRow(list_name=name, problem="odd", **fields)


def owned(journal: Journal = LEARNED) -> Ownership:
    return Ownership(PREFIX, journal, SESSION, ["KXQ-1"])


THEIRS = {"order_id": "o-9", "client_order_id": "theirs", "ticker": "KXA-1", "group_id": "g-9"}


@pytest.mark.parametrize(
    ("fields", "ours"),
    [
        ({}, False),
        ({"client_order_id": PREFIX + "never-heard-of"}, True),
        ({"order_id": "o-1"}, True),
        ({"group_id": "g-1"}, True),
        ({"group_id": "g-2"}, True),
        ({"order_id": None}, False),
        ({"client_order_id": None}, False),
        ({"client_order_id": ""}, False),
        ({"client_order_id": None, "ticker": None}, False),
        ({"client_order_id": None, "order_id": None}, True),
        ({"client_order_id": None, "order_id": "o-1"}, True),
    ],
)
def test_an_order_may_be_ours_by_its_client_id_its_order_id_or_its_group(
    fields: dict[str, Any], ours: bool
) -> None:
    assert owned().may_be_order(unread(**(THEIRS | fields))) is ours


@pytest.mark.parametrize(("ticker", "ours"), [("KXA-1", True), ("KXB-1", False), (None, True)])
def test_a_row_without_a_client_id_may_be_a_create_whose_order_id_is_not_known_yet(
    ticker: str | None, ours: bool
) -> None:
    row = unread(**(THEIRS | {"client_order_id": None, "ticker": ticker}))
    assert owned(UNLEARNED).may_be_order(row) is ours
    assert not owned(UNLEARNED).may_be_order(unread(**(THEIRS | {"ticker": ticker})))


@pytest.mark.parametrize(
    ("fields", "ours"),
    [
        ({"ticker": "KXB-1", "order_id": "o-9"}, False),
        ({"ticker": "KXB-1"}, False),
        ({"ticker": "KXB-1", "order_id": "o-1"}, True),
        ({"ticker": "KXA-1", "order_id": "o-9"}, True),
        ({"ticker": "KXQ-1"}, True),
        ({"order_id": "o-9"}, True),
    ],
)
def test_a_fill_may_be_ours_by_its_order_or_by_its_market(fields: dict[str, Any], ours: bool) -> None:
    assert owned().may_be_fill(unread("fills", **fields)) is ours


@pytest.mark.parametrize(("group_id", "ours"), [("g-1", True), ("g-2", True), ("g-9", False), (None, True)])
def test_a_group_may_be_ours_by_its_id(group_id: str | None, ours: bool) -> None:
    assert owned().may_be_group(unread("order_groups", group_id=group_id)) is ours


@pytest.mark.parametrize(
    ("ticker", "ours"), [("KXA-1", True), ("KXQ-1", True), ("KXB-1", False), (None, True)]
)
def test_a_position_may_be_ours_by_its_market(ticker: str | None, ours: bool) -> None:
    assert owned().may_be_position(unread("market_positions", ticker=ticker)) is ours


FOREIGN = {"ticker": "KXA-1", "side": Side.ASK, "price": Price(4600), "remaining": Count(500)}


@pytest.mark.parametrize(
    ("fields", "price", "ticker"),
    [
        ({}, 4600, "KXA-1"),
        ({"price": None}, 0, "KXA-1"),
        ({"price": None, "side": Side.BID}, ONE_DOLLAR, "KXA-1"),
        ({"price": Price(20_000), "side": Side.BID}, ONE_DOLLAR, "KXA-1"),
        ({"ticker": None}, 4600, ""),
    ],
)
def test_an_order_of_others_counts_in_full_at_the_price_it_says_or_at_the_worst(
    fields: dict[str, Any], price: int, ticker: str
) -> None:
    (order,) = external_orders([unread(**(FOREIGN | fields))])
    assert (order.price, order.ticker, order.remaining) == (price, ticker, 500)
    assert unread_markets([unread(**(FOREIGN | fields))]) == frozenset()


@pytest.mark.parametrize("missing", ["side", "remaining"])
def test_a_market_is_not_read_where_an_order_of_others_may_be_of_any_size(missing: str) -> None:
    row = unread(**(FOREIGN | {missing: None}))
    assert (external_orders([row]), unread_markets([row])) == ((), {"KXA-1"})
    assert unread_markets([unread(**(FOREIGN | {missing: None, "ticker": None}))]) == frozenset()


def test_rows_of_other_lists_count_for_no_order() -> None:
    rows = [unread(name, ticker=name) for name in ("market_positions", "fills", "settlements")]
    assert (external_orders(rows), unread_markets(rows)) == ((), frozenset())
