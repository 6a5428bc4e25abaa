"""Answers of the real exchange that other people recorded, fed to the client as they came.

They lie beside the checkout and are no part of it. Some are older than shards, settlement bounds or
fixed-point fields: for those the tests say what the client makes of an answer that lacks them.
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dora.core.errors import AuthRefused, ExchangeRefused, RateLimited, ReadIncomplete
from dora.core.exchange.market import Market, Side, Slot
from dora.core.orders.requests import CancelRequest, DecreaseRequest, Outcome
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Money, Price, TimeMs, parse_count, parse_price
from dora.edge.kalshi import wire_markets
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.wire import JsonObject, load_json
from tests.support.kalshi_fakes import FakeReply, order_request, scripted
from tests.support.recorded import DATA, recorded

FOLDER = DATA / "responses"

pytestmark = pytest.mark.recorded


def recording(name: str) -> dict[str, Any]:
    """Status, request and body of one recorded call."""
    path = recorded(f"responses/{name}")
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return dict(json.loads(content))


def reply(name: str) -> FakeReply:
    taken = recording(name)
    return FakeReply(taken["status"], taken["body"])


def replayed(*names: str) -> KalshiExchange:
    return scripted(*(reply(name) for name in names)).exchange


def parsed(body: Any) -> Any:
    """A body as the client loads it: no floats."""
    return load_json(json.dumps(body).encode())


# --- our portfolio ------------------------------------------------------------------------------------


def test_fills_of_2026_06_have_no_shard_and_are_of_shard_0() -> None:
    fills = replayed("fills__after_taker.json").fills_since(TimeMs(0)).rows
    assert len(fills) == 3 and {fill.shard for fill in fills} == {0}
    last = fills[-1]
    assert (last.side, last.price, last.count, last.fee) == (Side.BID, 5200, CONTRACT, 17_500)
    assert (last.is_taker, last.at_ms) == (True, 1_781_159_370_164)


def test_fills_of_2026_08_keep_fractions_and_direction() -> None:
    fills = replayed("portfolio__fills_2026_08.json").fills_since(TimeMs(0)).rows
    assert len(fills) == len({fill.fill_id for fill in fills}) == 33
    assert {fill.side for fill in fills} == {Side.BID, Side.ASK}
    assert any(fill.count % CONTRACT for fill in fills)
    asks = [fill.price for fill in fills if fill.side is Side.ASK]
    assert sorted(asks) == [8400, 8500], "a NO position is read at its YES price"


def test_recorded_order_lists_are_read() -> None:
    orders = replayed("portfolio__orders_list.json").orders_of("any").rows
    statuses = {order.order_id: order.status.value for order in orders}
    assert statuses["97ec18b7-10d3-4557-9de0-8598aad625f0"] == "executed"
    assert statuses["2597b999-f887-4195-8bac-c3f97a1f2021"] == "canceled"


def test_a_row_read_after_a_cancel_is_stale_and_its_date_says_so() -> None:
    ids = ["2597b999-f887-4195-8bac-c3f97a1f2021"] * 2
    exchange = replayed("orders__get_after_create.json", "orders__get_after_cancel.json")
    after_create, after_cancel = (exchange.order(order_id) for order_id in ids)
    cancelled_ms = recording("orders__cancel_v2.json")["body"]["ts_ms"]
    assert after_cancel is not None and after_cancel == after_create
    assert after_cancel.updated_ms < cancelled_ms


def test_recorded_positions_cash_and_settlements_are_read() -> None:
    (held,) = replayed("portfolio__positions.json").positions().rows
    assert (held.net, held.shard) == (300, 0)
    assert replayed("auth__balance_ok.json").cash() == {0: Money(98_018_600)}
    assert replayed("settlements__page.json").settlements_since(TimeMs(0)).rows == ()


def test_positions_from_before_fixed_point_fields_are_refused_not_guessed() -> None:
    listed = replayed("v1__portfolio_positions.json").positions()
    assert listed.rows == ()
    assert all(row.ticker and "position_fp is missing" in row.problem for row in listed.unreadable)
    assert listed.unreadable


def test_a_recorded_group_that_tells_no_limit_reads_as_limit_0() -> None:
    (group,) = replayed("v1__order_groups_list.json").order_groups().rows
    assert (group.tripped, group.limit, group.shard) == (False, 0, 0)


# --- markets ----------------------------------------------------------------------------------------------


def market_of(row: dict[str, Any]) -> Market:
    """A market object from before shards, as it would be with the shard that everything was on."""
    return wire_markets.parse_market(JsonObject("recorded", parsed({"exchange_index": 0} | row)))


@pytest.mark.parametrize(
    ("name", "count"),
    [("markets__page1.json", 5), ("markets__page2.json", 5), ("markets__garbage_cursor.json", 5),
     ("markets__status_open.json.gz", 200)],
)  # fmt: skip
def test_recorded_markets_are_read_once_they_have_a_shard(name: str, count: int) -> None:
    rows = recording(name)["body"]["markets"]
    markets = [market_of(row) for row in rows]
    assert len(markets) == count
    assert all(market.open_ms < market.close_ms and market.expected_expiration_ms for market in markets)
    assert not any(market.plain for market in markets), "they do not say that they have no settlement bounds"
    with_bounds = [market_of(row | {"settlement_bounds_type": "default"}) for row in rows]
    assert all(market.plain for market in with_bounds)


def test_recorded_markets_without_shard_are_left_out() -> None:
    row = recording("markets__single.json")["body"]["market"]
    bot = scripted(FakeReply(200, {"markets": [row], "cursor": ""}))
    assert bot.exchange.markets([row["ticker"]]) == {}
    assert "exchange_index is missing" in str(bot.facts.of("ERROR")[0]["what"])


def test_a_market_of_2026_08_names_its_shard() -> None:
    row = recording("markets__single_2026_08.json")["body"]["single"]["market"]
    market = wire_markets.parse_market(JsonObject("recorded", parsed(row)))
    assert (market.shard, market.status.value) == (0, "active")
    assert [Price(price) in market.grid for price in (100, 150, 9900)] == [True, False, True]


def test_a_sub_cent_market_is_on_its_own_grid() -> None:
    rows = recording("markets__status_open.json.gz")["body"]["markets"]
    (row,) = [row for row in rows if row["price_level_structure"] == "deci_cent"]
    assert Price(4_570) in market_of(row).grid


def test_a_garbage_cursor_is_answered_with_page_one_and_noticed() -> None:
    page1, garbage = (
        recording("markets__page1.json")["body"],
        recording("markets__garbage_cursor.json")["body"],
    )
    assert garbage["cursor"] == page1["cursor"]


def test_recorded_books_are_read_on_both_sides() -> None:
    base = wire_markets.parse_book(
        "T", JsonObject("recorded", recording("orderbook__base.json")["body"]["orderbook_fp"])
    )
    assert [(level.price, level.count) for level in base.bids] == [(4700, 300)]
    assert [(level.price, level.count) for level in base.asks] == [(5200, 300)]
    combos = recording("orderbooks__combo.json")["body"]
    books = [
        wire_markets.parse_book(row["ticker"], JsonObject("recorded", row["orderbook_fp"])) for row in combos
    ]
    assert any(book.asks and not book.bids for book in books)
    assert all(0 < level.price < ONE_DOLLAR for book in books for level in (*book.bids, *book.asks))


def test_recorded_fee_terms_are_exact() -> None:
    payloads = recording("series__fee_fields.json")["body"]["payloads"]
    terms = {}
    for ticker, body in payloads.items():
        series = scripted(FakeReply(200, body)).exchange.series(ticker)
        terms[ticker] = (series.fee_type, series.fee_multiplier_e4)
    assert terms["KXMLBGAME"] == ("quadratic_with_maker_fees", 5_000)
    assert terms["KXATPDOUBLES"] == ("quadratic", 10_000)


# --- the exchange ------------------------------------------------------------------------------------


def test_the_recorded_status_speaks_of_shard_0() -> None:
    statuses = replayed("exchange__status.json").status()
    assert list(statuses) == [0] and statuses[0].trading_active


def test_recorded_limits_and_costs() -> None:
    limits = replayed("account__limits.json", "account__endpoint_costs.json").limits()
    assert (limits.tier, limits.read_rate, limits.write_rate, limits.write_capacity) == (
        "basic",
        200,
        100,
        100,
    )
    assert (limits.default_cost, limits.create_cost, limits.cancel_cost, limits.order_read_cost) == (
        10,
        10,
        2,
        2,
    )


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("auth__bad_signature.json", AuthRefused, "authentication_error"),
        ("auth__skew_minus30s.json", AuthRefused, "header_timestamp_expired"),
        ("error__429.json", RateLimited, "too_many_requests"),
        ("markets__limit_over_max.json", ExchangeRefused, ""),
        ("v1__portfolio_total_resting_order_value.json", AuthRefused, "permission_denied"),
    ],
)
def test_recorded_refusals_keep_their_code(name: str, error: type[ExchangeRefused], code: str) -> None:
    with pytest.raises(error) as refused:
        replayed(name).cash()
    assert refused.value.code == code and refused.value.message


# --- writes ---------------------------------------------------------------------------------------------


def placing(name: str) -> Any:
    """The recorded single create as our own order, its answer as the one entry of a batch."""
    taken = recording(name)
    sent = taken["request"]["body"]
    request = order_request(
        client_order_id=sent["client_order_id"],
        slot=Slot(sent["ticker"], Side(sent["side"])),
        price=parse_price(str(sent["price"])),
        count=parse_count(f"{sent['count']}"),
    )
    failed = taken["status"] >= 400
    body = taken["body"] if failed else {"orders": [taken["body"]]}
    return scripted(FakeReply(taken["status"], body)).exchange.place([request])


@pytest.mark.parametrize(
    ("name", "remaining", "filled"),
    [
        ("orders__create_v2_maker.json", 100, 0),
        ("orders__create_v2_taker_ioc.json", 0, 100),
        ("orders__stp_setup.json", 100, 0),
    ],
)
def test_recorded_creates_are_placed(name: str, remaining: int, filled: int) -> None:
    (placed,) = placing(name).placed
    assert (placed.remaining, placed.filled) == (remaining, filled)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("orders__insufficient_balance.json", "insufficient_balance"),
        ("orders__invalid_price_structure.json", "invalid_price"),
        ("orders__numeric_field_types.json", "bad_request"),
        ("orders__post_only_cross.json", "invalid_order"),
    ],
)
def test_recorded_refusals_of_creates_are_refused(name: str, code: str) -> None:
    (failed,) = placing(name).failed
    assert (failed.code, failed.outcome) == (code, Outcome.REFUSED)


def test_a_recorded_duplicate_is_unknown_for_an_earlier_attempt_landed() -> None:
    (unknown,) = placing("orders__duplicate_client_order_id.json").unknown
    assert unknown.code == "order_already_exists"


@pytest.mark.parametrize(
    "name", ["margin__orders__off_tick_price.json", "margin__orders__reduce_only_gtc.json"]
)
def test_refusals_of_the_sister_exchange_have_the_same_envelope(name: str) -> None:
    (failed,) = scripted(reply(name)).exchange.place([order_request()]).failed
    assert failed.code == "invalid_order"


def cancelling(order_id: str, answer: FakeReply) -> Any:
    request = CancelRequest(
        order_id=order_id, client_order_id="dora-1", ticker="T", shard=0, remaining=CONTRACT
    )
    return scripted(answer).exchange.cancel([request])


def test_recorded_cancels() -> None:
    body = recording("orders__cancel_v2.json")["body"]
    (done,) = cancelling(body["order_id"], FakeReply(200, {"orders": [body]})).succeeded
    assert (done.reduced_by, done.ts_ms) == (100, 1_781_159_364_112)
    (failed,) = cancelling("order-1", reply("orders__cancel_unknown_id.json")).failed
    assert failed.code == "not_found"


def test_answers_of_the_older_batches_prove_nothing() -> None:
    assert len(scripted(reply("v1__batch_create_orders.json")).exchange.place([order_request()]).unknown) == 1
    assert len(cancelling("order-1", reply("v1__batch_cancel_orders.json")).unknown) == 1


def test_a_recorded_decrease_without_engine_time_is_unknown() -> None:
    body = recording("margin__orders__decrease_reduce_by.json")["body"]
    request = DecreaseRequest(
        order_id=body["order_id"], client_order_id="dora-1", ticker="T", shard=0, reduce_to=CONTRACT
    )
    assert scripted(FakeReply(200, body)).exchange.decrease(request).outcome is Outcome.UNKNOWN
    done = scripted(FakeReply(200, body | {"ts_ms": 1})).exchange.decrease(request)
    assert (done.outcome, done.remaining) == (Outcome.DONE, 100)


GROUP_ANSWERS: list[tuple[str, Callable[[KalshiExchange], Any]]] = [
    ("margin__groups__create.json", lambda exchange: exchange.create_group(0, Count(1000))),
    ("v1__order_group_create.json", lambda exchange: exchange.create_group(0, Count(1000))),
    ("margin__groups__trigger.json", lambda exchange: exchange.trigger_group("g", 0)),
    ("margin__groups__reset.json", lambda exchange: exchange.reset_group("g", 0)),
    ("v1__order_group_reset.json", lambda exchange: exchange.reset_group("g", 0)),
    ("margin__groups__update_limit.json", lambda exchange: exchange.limit_group("g", 0, Count(500))),
    ("margin__groups__delete.json", lambda exchange: exchange.delete_group("g", 0)),
    ("v1__order_group_delete.json", lambda exchange: exchange.delete_group("g", 0)),
]


@pytest.mark.parametrize(("name", "write"), GROUP_ANSWERS)
def test_recorded_answers_of_order_groups_are_understood(
    name: str, write: Callable[[KalshiExchange], Any]
) -> None:
    said = write(replayed(name))
    assert said == recording(name)["body"].get("order_group_id")


# --- what is public ---------------------------------------------------------------------------------------


def test_recorded_public_trades_keep_their_fractions_and_a_page_that_is_not_the_last_is_no_answer() -> None:
    taken = recording("trades__public_recorded.json")["body"]
    ticker = taken["trades"][0]["ticker"]
    last = scripted(FakeReply(200, taken | {"cursor": ""})).exchange.public_trades(TimeMs(0), [ticker], 1)

    assert len(last) == len(taken["trades"])
    assert (last[0].taker_side, last[0].price, last[0].count) == (Side.BID, 300, 777)
    assert last[0].trade_id == "56932642-f55c-41a6-1cad-35b95c27373b"
    with pytest.raises(ReadIncomplete, match="more than 1 page"):
        replayed("trades__public_recorded.json").public_trades(TimeMs(0), [ticker], 1)


def test_recorded_incentive_programs_from_before_fixed_point_sizes_have_no_target() -> None:
    rows = recording("v1__incentive_programs.json")["body"]["incentive_programs"]
    mine = {rows[0]["market_ticker"], "KXELSEWHERE"}
    whole = FakeReply(200, {"incentive_programs": rows})

    (program,) = scripted(whole).exchange.incentive_programs(mine, 1)

    assert (program.reward, program.target, program.discount_bps) == (Money(20_000_000), None, 5_000)


# --- none forgotten -----------------------------------------------------------------------------------

OF_CALLS_WE_DO_NOT_MAKE = {
    "margin__orders__amend_decrease.json",
    "margin__orders__amend_price.json",
    "margin__orders__create_for_decrease.json",
    "markets__candlesticks_1min.json",
    "v1__amend_order.json",
    "v1__decrease_order.json",
    "v1__exchange_schedule.json",
    "v1__order_group_single.json",
    "v1__order_queue_positions.json",
}


def test_every_recording_is_read_here_or_of_a_call_we_do_not_make() -> None:
    recording("account__limits.json")  # says why when the folder is not there
    text = Path(__file__).read_text()
    assert [path.name for path in FOLDER.iterdir() if path.name not in text] == []
    assert all((FOLDER / name).exists() for name in OF_CALLS_WE_DO_NOT_MAKE)
