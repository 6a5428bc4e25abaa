"""Reads: complete or an error, each row once, and one bad market never spoils the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import (
    ExchangeError,
    ExchangeRefused,
    ExchangeUnavailable,
    RateLimited,
    ReadIncomplete,
    WireInvalid,
)
from dora.core.exchange.account import OrderStatus
from dora.core.exchange.listed import Listed
from dora.core.exchange.market import Side
from dora.core.exchange.read_calls import BOOKS_PER_CALL
from dora.core.units import Count, Money, TimeMs
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.pagination import comma_lists
from tests.support.kalshi_fakes import (
    NOW_MS,
    TICKER,
    FakeReply,
    fill_row,
    market_row,
    order_row,
    pages,
    scripted,
    settlement_row,
)

NOT_FOUND = FakeReply(404, {"error": {"code": "not_found", "message": "not found"}})


def position_row(**changes: Any) -> dict[str, Any]:
    return {"ticker": TICKER, "exchange_index": 2, "position_fp": "-30.00"} | changes


ListRead = tuple[str, dict[str, Any], Callable[[KalshiExchange], Any]]
PORTFOLIO: dict[str, tuple[str, dict[str, Any], Callable[[KalshiExchange], Listed[Any]]]] = {
    "resting_orders": ("orders", order_row(), lambda exchange: exchange.resting_orders()),
    "orders_of": ("orders", order_row(), lambda exchange: exchange.orders_of(TICKER)),
    "fills_since": ("fills", fill_row(), lambda exchange: exchange.fills_since(TimeMs(0))),
    "settlements_since": (
        "settlements",
        settlement_row(),
        lambda exchange: exchange.settlements_since(TimeMs(0)),
    ),
    "positions": ("market_positions", position_row(), lambda exchange: exchange.positions()),
}


def rows_of(read: Callable[[KalshiExchange], Listed[Any]]) -> Callable[[KalshiExchange], Any]:
    return lambda exchange: read(exchange).rows


LISTS: dict[str, ListRead] = {
    **{which: (key, row, rows_of(read)) for which, (key, row, read) in PORTFOLIO.items()},
    "open_markets": ("markets", market_row(), lambda exchange: exchange.open_markets("KXHIGHNY")),
}


# --- pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", LISTS)
def test_all_pages_are_read_and_every_page_is_asked_for_with_all_filters(which: str) -> None:
    key, row, read = LISTS[which]
    bot = scripted(*pages(key, [row], [row], []), subaccount=0)
    assert len(read(bot.exchange)) == 1, "the same row on two pages is one"
    first, *others = bot.adapter.queries()
    assert ("limit", "1000") in first and "cursor" not in dict(first)
    assert others == [[*first, ("cursor", "c1")], [*first, ("cursor", "c2")]]


@pytest.mark.parametrize("which", LISTS)
def test_a_page_that_fails_fails_the_whole_read(which: str) -> None:
    key, row, read = LISTS[which]
    bot = scripted(pages(key, [row], [])[0], FakeReply(503))
    with pytest.raises(ExchangeUnavailable):
        read(bot.exchange)


@pytest.mark.parametrize("which", LISTS)
@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"]])
def test_a_cursor_that_comes_back_ends_the_read_with_an_error(which: str, cursors: list[str]) -> None:
    key, row, read = LISTS[which]
    with pytest.raises(ReadIncomplete, match="twice"):
        read(scripted(*(FakeReply(200, {key: [row], "cursor": cursor}) for cursor in cursors)).exchange)


def test_a_list_without_end_is_given_up() -> None:
    numbered = iter(range(10_000))
    bot = scripted(lambda _: FakeReply(200, {"orders": [], "cursor": str(next(numbered))}))
    with pytest.raises(ReadIncomplete, match="pages"):
        bot.exchange.resting_orders()
    assert len(bot.adapter.requests) == 200


@pytest.mark.parametrize("which", LISTS)
@pytest.mark.parametrize("body", [{"KEY": None, "cursor": ""}, {"KEY": None, "cursor": None}, {"KEY": None}])
def test_an_empty_list_may_be_null(which: str, body: dict[str, Any]) -> None:
    key, row, read = LISTS[which]
    named = {key if name == "KEY" else name: value for name, value in body.items()}
    assert len(read(scripted(FakeReply(200, named)).exchange)) == 0
    first, last = FakeReply(200, {key: None, "cursor": "c1"}), FakeReply(200, {key: [row], "cursor": ""})
    assert len(read(scripted(first, last).exchange)) == 1, "a page without rows is not the end"


@pytest.mark.parametrize("body", [{}, {"order_groups": None}, {"order_groups": []}])
def test_a_list_of_groups_that_is_empty_may_be_left_out(body: dict[str, Any]) -> None:
    assert scripted(FakeReply(200, body)).exchange.order_groups() == Listed(())


@pytest.mark.parametrize("body", [[], None, "", b"", {"order_groups": {}}])
def test_groups_that_are_no_list_in_an_object_are_unknown(body: Any) -> None:
    with pytest.raises((WireInvalid, ExchangeUnavailable)):
        scripted(FakeReply(200, body)).exchange.order_groups()


def test_a_read_that_is_answered_without_content_is_unknown() -> None:
    with pytest.raises(ExchangeUnavailable):
        scripted(FakeReply(204, b"")).exchange.order_groups()


@pytest.mark.parametrize("body", [{}, {"balance_breakdown": None}, {"balance_breakdown": []}])
def test_a_breakdown_of_cash_that_is_empty_or_left_out_is_unknown_and_not_no_cash(
    body: dict[str, Any],
) -> None:
    with pytest.raises(WireInvalid, match="balance_breakdown"):
        scripted(FakeReply(200, body)).exchange.cash()


@pytest.mark.parametrize("which", LISTS)
@pytest.mark.parametrize("body", [{"cursor": ""}, {"KEY": {}, "cursor": ""}, {"KEY": "", "cursor": ""}])
def test_an_answer_without_the_list_that_it_must_have_is_never_an_empty_list(
    which: str, body: dict[str, Any]
) -> None:
    key, _, read = LISTS[which]
    with pytest.raises(WireInvalid, match=key):
        read(
            scripted(
                FakeReply(200, {key if name == "KEY" else name: value for name, value in body.items()})
            ).exchange
        )


@pytest.mark.parametrize("which", LISTS)
@pytest.mark.parametrize("cursor", [{}, {"cursor": None}])
def test_a_page_without_a_cursor_is_the_last_only_when_it_is_not_full(
    which: str, cursor: dict[str, None]
) -> None:
    key, row, read = LISTS[which]
    assert len(read(scripted(FakeReply(200, {key: [row] * 999} | cursor)).exchange)) == 1
    with pytest.raises(ReadIncomplete, match="full page"):
        read(scripted(FakeReply(200, {key: [row] * 1000} | cursor)).exchange)


@pytest.mark.parametrize("which", PORTFOLIO)
@pytest.mark.parametrize("odd", [{"ticker": None}, {"subaccount_number": "x"}, None])
def test_a_row_of_our_portfolio_that_is_not_understood_stands_apart_once_and_fails_what_may_be_ours(
    which: str, odd: dict[str, Any] | None
) -> None:
    key, row, read = PORTFOLIO[which]
    bad = row | odd if odd is not None else None
    listed = read(scripted(*pages(key, [bad, row], [bad])).exchange)
    assert len(listed.rows) == 1
    (apart,) = listed.unreadable
    assert (apart.list_name, apart.ticker) == (key, TICKER if odd and "ticker" not in odd else None)
    assert listed.complete(lambda _: False) == listed.rows
    with pytest.raises(WireInvalid, match=key):
        listed.complete(lambda _: True)


def test_what_can_be_read_of_an_order_that_is_not_understood_is_kept() -> None:
    row = order_row(status="new", remaining_count_fp=None, client_order_id=None)
    (apart,) = scripted(FakeReply(200, {"orders": [row], "cursor": ""})).exchange.resting_orders().unreadable
    assert (apart.order_id, apart.client_order_id, apart.group_id) == ("order-1", None, "group-1")
    assert (apart.side, apart.price, apart.remaining) == (Side.ASK, 4600, 1000)


def test_a_group_that_is_not_understood_keeps_its_id() -> None:
    rows = [{"id": "a", "is_auto_cancel_enabled": None}, {"id": "b", "is_auto_cancel_enabled": False}]
    listed = scripted(FakeReply(200, {"order_groups": rows})).exchange.order_groups()
    assert [group.group_id for group in listed.rows] == ["b"]
    assert [row.group_id for row in listed.unreadable] == ["a"]


@pytest.mark.parametrize(
    "odd", [{"exchange_index": 2, "balance": None}, {"exchange_index": None, "balance": "1.0000"}, None]
)
def test_cash_of_a_shard_that_is_not_understood_is_unknown_and_that_of_the_others_stands(odd: Any) -> None:
    rows = [odd, {"exchange_index": 0, "balance": "1000.0000"}]
    bot = scripted(FakeReply(200, {"balance_breakdown": rows}))
    assert bot.exchange.cash() == {0: Money(1_000_000_000)}
    assert [said["left_out"] for said in bot.facts.of("ERROR")] == [1]


@pytest.mark.parametrize("which", PORTFOLIO)
def test_portfolio_reads_name_our_subaccount_and_drop_rows_of_others(which: str) -> None:
    key, row, read = LISTS[which]
    rows = [row | {"subaccount_number": 3}, row | {"subaccount_number": 0, "order_id": "o", "fill_id": "f"}]
    bot = scripted(FakeReply(200, {key: rows, "cursor": ""}), subaccount=3)
    assert len(read(bot.exchange)) == 1
    assert ("subaccount", "3") in bot.adapter.queries()[0]


# --- orders --------------------------------------------------------------------------------------------


def test_what_is_asked_of_the_order_lists() -> None:
    bot = scripted(FakeReply(200, {"orders": [], "cursor": ""}))
    bot.exchange.resting_orders()
    bot.exchange.orders_of(TICKER)
    resting, of_market = map(dict, bot.adapter.queries())
    assert resting == {"status": "resting", "subaccount": "0", "limit": "1000"}
    assert of_market == {"ticker": TICKER, "subaccount": "0", "limit": "1000"}


def test_the_latest_row_of_an_order_counts_and_at_equal_times_the_final_one() -> None:
    older = order_row(last_update_time="2026-11-20T13:00:00Z", remaining_count_fp="9.00")
    final = order_row(status="canceled", remaining_count_fp="0.00")
    for rows in ([older, order_row(), final], [final, order_row(), older]):
        (order,) = scripted(*pages("orders", *([row] for row in rows))).exchange.orders_of(TICKER).rows
        assert order.status is OrderStatus.CANCELED


def test_an_order_that_the_exchange_does_not_know_is_none() -> None:
    assert scripted(NOT_FOUND).exchange.order("order-1") is None


@pytest.mark.parametrize("body", [b"<html>no such page", {"error": {"code": "route_not_found"}}, b""])
def test_a_404_of_something_in_between_is_no_news_of_the_order(body: Any) -> None:
    with pytest.raises(ExchangeRefused):
        scripted(FakeReply(404, body)).exchange.order("order-1")


@pytest.mark.parametrize("changes", [{"order_id": "order-9"}, {"subaccount_number": 5}])
def test_a_row_of_another_order_is_no_news_of_ours(changes: dict[str, Any]) -> None:
    with pytest.raises(WireInvalid, match="order-1"):
        scripted(FakeReply(200, {"order": order_row(**changes)})).exchange.order("order-1")


def test_a_single_order_is_read() -> None:
    order = scripted(FakeReply(200, {"order": order_row()})).exchange.order("order-1")
    assert order is not None and order.remaining == 700


# --- fills, settlements, positions, groups -------------------------------------------------------------


def test_fills_are_each_once_oldest_first_and_not_older_than_asked() -> None:
    rows = [
        fill_row(fill_id="c", created_time="2026-11-20T13:59:59Z"),
        fill_row(fill_id="b"),
        fill_row(fill_id="a"),
        fill_row(fill_id="old", created_time="2026-11-20T13:00:00Z"),
    ]
    bot = scripted(*pages("fills", rows[:3], rows[2:]))
    fills = bot.exchange.fills_since(TimeMs(NOW_MS - 2_000)).rows
    assert [fill.fill_id for fill in fills] == ["a", "b", "c"]


@pytest.mark.parametrize("read", ["fills_since", "settlements_since"])
@pytest.mark.parametrize(("since_ms", "min_ts"), [(0, 0), (999, 0), (5_000, 4), (5_999, 4)])
def test_the_lower_bound_is_whole_seconds_and_one_to_spare(read: str, since_ms: int, min_ts: int) -> None:
    bot = scripted(FakeReply(200, {"fills": [], "settlements": [], "cursor": ""}))
    getattr(bot.exchange, read)(TimeMs(since_ms))
    query = dict(bot.adapter.queries()[0])
    assert query["min_ts"] == str(min_ts) and "exchange_index" not in query


def test_settlements_come_oldest_first() -> None:
    rows = [
        settlement_row(ticker="B"),
        settlement_row(ticker="A"),
        settlement_row(settled_time="2026-11-21T00:00:00Z"),
    ]
    paid = (
        scripted(FakeReply(200, {"settlements": rows, "cursor": ""}))
        .exchange.settlements_since(TimeMs(0))
        .rows
    )
    assert [settlement.ticker for settlement in paid] == [TICKER, "A", "B"]


def test_positions_are_signed_net_contracts() -> None:
    bot = scripted(
        FakeReply(200, {"market_positions": [position_row()], "event_positions": [], "cursor": ""})
    )
    (held,) = bot.exchange.positions().rows
    assert (held.ticker, held.shard, held.net) == (TICKER, 2, -3000)


def test_groups_say_whether_they_are_tripped() -> None:
    groups = [
        {"id": "a", "contracts_limit_fp": "200.00", "is_auto_cancel_enabled": True, "exchange_index": 2},
        {"id": "b", "is_auto_cancel_enabled": False},
    ]
    bot = scripted(FakeReply(200, {"order_groups": groups}), subaccount=3)
    first, second = bot.exchange.order_groups().rows
    assert (first.tripped, first.limit, first.shard) == (True, Count(20_000), 2)
    assert (second.tripped, second.limit, second.shard) == (False, 0, 0)
    assert bot.adapter.queries() == [[("subaccount", "3")]]


# --- the exchange ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 500, 503, 504])
def test_status_is_read_even_from_a_failing_exchange(status: int) -> None:
    bot = scripted(FakeReply(status, {"exchange_active": True, "trading_active": False}))
    assert not bot.exchange.status()[0].trading_active
    assert len(bot.adapter.requests) == 1


def test_each_shard_has_its_own_status_and_one_that_is_not_understood_has_none() -> None:
    flags = {"exchange_active": True, "trading_active": True}
    shards = [flags | {"exchange_index": 0}, flags | {"exchange_index": 2, "trading_active": False}, None]
    bot = scripted(FakeReply(200, flags | {"exchange_index_statuses": [*shards, {"exchange_index": 3}]}))
    assert {number: s.trading_active for number, s in bot.exchange.status().items()} == {0: True, 2: False}
    assert [said["left_out"] for said in bot.facts.of("ERROR")] == [2]


@pytest.mark.parametrize("listed", [{}, {"exchange_index_statuses": None}, {"exchange_index_statuses": []}])
def test_without_the_list_of_shards_the_top_level_flags_are_those_of_shard_0(listed: dict[str, Any]) -> None:
    flags = {"exchange_active": True, "trading_active": False}
    statuses = scripted(FakeReply(200, flags | listed)).exchange.status()
    assert list(statuses) == [0] and not statuses[0].trading_active


def test_a_flag_that_is_no_boolean_is_refused() -> None:
    with pytest.raises(WireInvalid, match="trading_active"):
        scripted(FakeReply(200, {"exchange_active": True, "trading_active": "true"})).exchange.status()


@pytest.mark.parametrize("body", [b"<html>", {"error": {"code": "service_unavailable"}}])
def test_a_5xx_without_that_body_is_no_status(body: Any) -> None:
    with pytest.raises(ExchangeUnavailable):
        scripted(FakeReply(503, body)).exchange.status()


def test_limits_take_two_calls() -> None:
    bucket = {"refill_rate": 100, "bucket_capacity": 100}
    account = FakeReply(200, {"usage_tier": "basic", "read": bucket, "write": bucket})
    odd = {"method": "GET", "path": "/trade-api/v2/new", "cost": None}
    bot = scripted(account, FakeReply(200, {"default_cost": 10, "endpoint_costs": [odd, None]}))
    assert bot.exchange.limits().write_capacity == 100
    assert list(bot.exchange.calls) == ["GET /account/limits", "GET /account/endpoint_costs"]


@pytest.mark.parametrize("said", ["KXHIGHNY", "KXOTHER"])
def test_the_terms_of_a_series_are_those_of_the_series_asked_for(said: str) -> None:
    row = {"ticker": said, "fee_type": "quadratic_with_maker_fees", "fee_multiplier": 0.5}
    bot = scripted(FakeReply(200, {"series": row}))
    if said == "KXHIGHNY":
        assert bot.exchange.series("KXHIGHNY").fee_multiplier_e4 == 5_000
    else:
        with pytest.raises(WireInvalid, match="KXHIGHNY"):
            bot.exchange.series("KXHIGHNY")


# --- books -----------------------------------------------------------------------------------------------


def book_row(ticker: str) -> dict[str, Any]:
    return {"ticker": ticker, "orderbook_fp": {"yes_dollars": [["0.4400", "75.50"]], "no_dollars": None}}


def books_asked(request: requests.PreparedRequest) -> FakeReply:
    asked = parse_qsl(urlsplit(str(request.url)).query)
    return FakeReply(200, {"orderbooks": [book_row(ticker) for _, ticker in asked]})


def test_books_are_asked_for_with_a_repeated_parameter_each_once() -> None:
    tickers = [f"T{number}" for number in range(BOOKS_PER_CALL)]
    bot = scripted(books_asked)
    assert list(bot.exchange.books([*tickers, "T0"])) == tickers
    assert bot.adapter.queries() == [[("tickers", ticker) for ticker in tickers]]


@pytest.mark.parametrize(
    "bad",
    [
        {"ticker": "B"},
        {"ticker": "B", "orderbook_fp": None},
        {"ticker": "B", "orderbook_fp": {"yes_dollars": 1}},
        {"orderbook_fp": {}},
        None,
    ],
)
def test_a_book_that_is_not_understood_is_absent_and_reported(bad: Any) -> None:
    bot = scripted(FakeReply(200, {"orderbooks": [book_row("A"), bad, book_row("Z")]}))
    assert list(bot.exchange.books(["A", "B"])) == ["A"]
    (said,) = bot.facts.of("ERROR")
    assert said["left_out"] == 1 and "orderbooks" in str(said["what"])


@pytest.mark.parametrize(
    ("failure", "error"), [(503, ExchangeUnavailable), (401, ExchangeRefused), (429, RateLimited)]
)
def test_without_any_answer_the_read_of_books_fails(failure: int, error: type[ExchangeError]) -> None:
    with pytest.raises(error):
        scripted(FakeReply(failure)).exchange.books(["A"])


def test_no_tickers_need_no_call() -> None:
    bot = scripted(FakeReply(500))
    assert (bot.exchange.books([]), bot.exchange.markets([]), bot.exchange.events([])) == ({}, {}, {})
    assert bot.adapter.requests == []


# --- markets and events -----------------------------------------------------------------------------


def test_markets_are_asked_for_in_one_comma_list_and_only_those_asked_for_are_returned() -> None:
    bot = scripted(
        FakeReply(200, {"markets": [market_row(ticker="A"), market_row(ticker="Z")], "cursor": ""})
    )
    assert list(bot.exchange.markets(["A", "B"])) == ["A"]
    assert "tickers=A,B&" in str(bot.adapter.requests[0].url)


@pytest.mark.parametrize("bad", [None, {"ticker": "B"}, market_row(ticker="B", status="new")])
def test_a_market_that_is_not_understood_is_absent_and_reported(bad: Any) -> None:
    rows = [market_row(ticker="A"), bad, bad]
    bot = scripted(FakeReply(200, {"markets": rows, "cursor": ""}))
    assert list(bot.exchange.markets(["A", "B"])) == ["A"]
    assert [one.market.ticker for one in bot.exchange.open_markets("S")] == ["A"]
    assert [said["left_out"] for said in bot.facts.of("ERROR")] == [2, 2]


def test_open_markets_are_asked_for_by_series_and_status() -> None:
    bot = scripted(FakeReply(200, {"markets": [], "cursor": ""}))
    bot.exchange.open_markets("KXHIGHNY")
    assert dict(bot.adapter.queries()[0]) == {"series_ticker": "KXHIGHNY", "status": "open", "limit": "1000"}


def test_events_are_read_two_hundred_a_page() -> None:
    row = {"series_ticker": "S", "mutually_exclusive": True, "collateral_return_type": "MECNET"}
    bot = scripted(FakeReply(200, {"events": [row | {"event_ticker": "E1"}, row], "cursor": ""}))
    assert bot.exchange.events(["E1", "E2"])["E1"].exclusive
    assert dict(bot.adapter.queries()[0]) == {"tickers": "E1,E2", "limit": "200"}


@given(st.lists(st.text("ABCXYZ019-", min_size=1, max_size=200), max_size=450))
def test_comma_lists_hold_every_ticker_once_and_fit_into_a_url(tickers: list[str]) -> None:
    lists = list(comma_lists(tickers))
    assert ",".join(lists).split(",") == (list(dict.fromkeys(tickers)) or [""])
    assert all(len(part) <= 7_500 and part.count(",") < 300 for part in lists)


# --- in parallel ----------------------------------------------------------------------------------------


def test_parallel_reads_do_not_disturb_each_other() -> None:
    def echo(request: requests.PreparedRequest) -> FakeReply:
        return FakeReply(200, {"order": order_row(order_id=str(request.url).rsplit("/", 1)[1])})

    bot = scripted(echo)
    ids = [f"order-{number}" for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        orders = list(pool.map(bot.exchange.order, ids))
    assert [order.order_id for order in orders if order] == ids
    assert bot.exchange.calls == {"GET /portfolio/orders/{}": 200}
