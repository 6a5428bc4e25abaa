"""The client against the simulated exchange: every method, both kinds of key, every unknown both ways."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from dora.core.errors import AuthRefused, ExchangeRefused, RateLimited
from dora.core.exchange.account import Order, OrderStatus
from dora.core.exchange.market import MarketStatus, Side, Slot
from dora.core.orders.requests import CancelRequest, DecreaseRequest, OrderRequest, Outcome, PlacedOrder
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Price, TimeMs
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.signing import Signer
from tests.simulator.adapter import ExchangeAdapter
from tests.simulator.exchange import Faults, Reply, Request
from tests.simulator.model import IncentiveProgram
from tests.simulator.server import serve
from tests.simulator.wire import ConnectionDroppedError
from tests.support.kalshi_fakes import BASE_URL, api_key
from tests.support.venue import CASH_E6, COIN, HOUR_MS, RAIN, START_MS, Venue, open_venue
from tests.world.bot_clock import BotClock


@contextmanager
def over_http(venue: Venue, skew_ms: int = 0) -> Iterator[KalshiExchange]:
    """A client of the same exchange through a loopback port."""
    server, key = serve(venue.exchange), api_key()
    signer, clock = (
        Signer.from_pem(key.key_id, key.private_pem),
        BotClock(venue.clock, venue.exchange.lock, skew_ms),
    )
    client = KalshiExchange(server.url, signer, clock, venue.facts)
    try:
        yield client
    finally:
        client.close()
        server.stop()


@pytest.fixture(params=["ed25519", "rsa"])
def venue(request: pytest.FixtureRequest) -> Iterator[Venue]:
    yield open_venue(request.param)


def create(
    number: int, ticker: str = RAIN, side: Side = Side.BID, price: int = 4_000, **more: Any
) -> OrderRequest:
    values: dict[str, Any] = {
        "client_order_id": f"dora-{number}",
        "slot": Slot(ticker, side, number),
        "shard": 2 if ticker == COIN else 0,
        "price": Price(price),
        "count": Count(10 * CONTRACT),
        "group_id": None,
        "expires_s": START_MS // 1000 + 3_600,
    }
    return OrderRequest(**(values | more))


def cancel_of(order: PlacedOrder) -> CancelRequest:
    request = order.request
    return CancelRequest(
        order_id=order.order_id,
        client_order_id=request.client_order_id,
        ticker=request.slot.ticker,
        shard=request.shard,
        remaining=order.remaining,
    )


# --- every method ------------------------------------------------------------------------------------------


def test_an_order_lives_through_placing_reading_decreasing_and_canceling_on_both_shards(venue: Venue) -> None:
    groups = {shard: venue.group(shard) for shard in (0, 2)}
    rain, coin = venue.place(
        create(1, group_id=groups[0]), create(2, COIN, Side.ASK, 6_000, group_id=groups[2])
    )
    resting = {order.order_id: order for order in venue.client.resting_orders().rows}
    assert set(resting) == {rain.order_id, coin.order_id}
    seen = resting[coin.order_id]
    assert (seen.side, seen.price, seen.shard, seen.group_id) == (Side.ASK, 6_000, 2, groups[2])
    assert (seen.client_order_id, seen.remaining, seen.status) == ("dora-2", 1_000, OrderStatus.RESTING)
    assert seen.updated_ms >= coin.ts_ms, "a fresh row is not older than the engine's answer"
    assert venue.client.order(rain.order_id) == resting[rain.order_id]

    smaller = DecreaseRequest(
        order_id=coin.order_id, client_order_id="dora-2", ticker=COIN, shard=2, reduce_to=Count(400)
    )
    reduced = venue.client.decrease(smaller)
    assert (reduced.outcome, reduced.remaining) == (Outcome.DONE, 400)

    venue.clock.advance_ms(1_000)
    cancelled = venue.client.cancel([cancel_of(rain), cancel_of(coin)])
    assert sorted(one.reduced_by for one in cancelled.succeeded) == [400, 1_000]
    assert venue.client.resting_orders().rows == ()
    (gone,) = venue.client.orders_of(COIN).rows
    assert (gone.status, gone.remaining) == (OrderStatus.CANCELED, 0)
    again = venue.client.cancel([cancel_of(coin)])
    assert [(one.code, one.outcome) for one in again.failed] == [("not_found", Outcome.REFUSED)]


def test_fills_positions_cash_and_settlements(venue: Venue) -> None:
    venue.place(create(1, side=Side.ASK, price=6_000))
    venue.exchange.background_take(RAIN, "bid", 6_000, 300)
    venue.clock.advance_ms(1_000)
    (fill,) = venue.client.fills_since(TimeMs(START_MS)).rows
    assert (fill.side, fill.price, fill.count, fill.is_taker, fill.shard) == (Side.ASK, 6_000, 300, False, 0)
    assert fill.fee > 0 and fill.at_ms == START_MS
    (held,) = venue.client.positions().rows
    assert (held.ticker, held.net) == (RAIN, -300)
    cash = venue.client.cash()
    assert cash[2] == CASH_E6 > cash[0]
    (order,) = venue.client.orders_of(RAIN).rows
    assert (order.filled, order.remaining) == (300, 700)

    venue.exchange.settle(RAIN, "no")
    venue.clock.advance_ms(1_000)
    (paid,) = venue.client.settlements_since(TimeMs(START_MS)).rows
    assert (paid.ticker, paid.value, paid.revenue) == (RAIN, 0, 3_000_000)
    assert venue.client.positions().rows == ()


def test_markets_books_events_and_series(venue: Venue) -> None:
    venue.exchange.set_background_book(RAIN, bids=[(4_400, 7_550), (4_300, 100)], asks=[(4_600, 1_000)])
    books = venue.client.books([RAIN, COIN, "KXNONE-1"])
    assert [(level.price, level.count) for level in books[RAIN].bids] == [(4_400, 7_550), (4_300, 100)]
    assert [(level.price, level.count) for level in books[RAIN].asks] == [(4_600, 1_000)]
    assert books[COIN].bids == books[COIN].asks == () and "KXNONE-1" not in books

    markets = venue.client.markets([RAIN, COIN, "KXNONE-1"])
    assert set(markets) == {RAIN, COIN}
    coin = markets[COIN]
    assert (coin.shard, coin.status, coin.plain) == (2, MarketStatus.ACTIVE, True)
    assert coin.close_ms == START_MS + 24 * HOUR_MS and Price(4_600) in coin.grid
    assert [one.market.ticker for one in venue.client.open_markets("KXRAIN")] == [RAIN]

    events = venue.client.events([coin.event_ticker, "KXNONE"])
    assert list(events) == [coin.event_ticker]
    event = events[coin.event_ticker]
    assert (event.series_ticker, event.exclusive) == ("KXCOIN", True)
    series = venue.client.series("KXCOIN")
    assert (series.fee_type, series.fee_multiplier_e4) == ("quadratic_with_maker_fees", 5_000)


def test_status_limits_and_the_stamp_of_the_read_model(venue: Venue) -> None:
    assert all(status.trading_active for status in venue.client.status().values())
    venue.exchange.pause_trading(2)
    status = venue.client.status()[2]
    assert (status.exchange_active, status.trading_active) == (True, False)
    limits = venue.client.limits()
    assert (limits.tier, limits.write_rate, limits.write_capacity) == ("advanced", 300, 600)
    assert (limits.default_cost, limits.create_cost, limits.cancel_cost, limits.order_read_cost) == (
        10,
        10,
        2,
        2,
    )
    assert venue.client.user_data_time_ms() == START_MS


def test_an_order_group_lives_through_all_its_calls(venue: Venue) -> None:
    group = venue.group(2)
    venue.place(create(1, COIN, group_id=group))
    venue.client.limit_group(group, 2, Count(300 * CONTRACT))
    venue.client.trigger_group(group, 2)
    venue.clock.advance_ms(20_000)
    (listed,) = venue.client.order_groups().rows
    assert (listed.group_id, listed.shard, listed.tripped, listed.limit) == (group, 2, True, 30_000)
    assert venue.client.resting_orders().rows == ()
    refused = venue.client.place([create(2, COIN, group_id=group)])
    assert [failed.outcome for failed in refused.failed] == [Outcome.REFUSED]
    venue.client.reset_group(group, 2)
    venue.place(create(3, COIN, group_id=group))
    venue.client.delete_group(group, 2)
    venue.clock.advance_ms(20_000)
    assert venue.client.order_groups().rows == ()
    assert venue.client.resting_orders().rows == ()
    with pytest.raises(ExchangeRefused) as gone:
        venue.client.delete_group(group, 2)
    assert gone.value.status == 404


# --- what goes wrong ---------------------------------------------------------------------------------


def test_a_key_unknown_there_is_refused() -> None:
    venue, stranger = open_venue(), Signer.from_pem("stranger", api_key("rsa").private_pem)
    client = KalshiExchange(
        BASE_URL,
        stranger,
        BotClock(venue.clock, venue.exchange.lock),
        venue.facts,
        adapter=ExchangeAdapter(venue.exchange),
    )
    with pytest.raises(AuthRefused):
        client.cash()


@pytest.mark.parametrize("skew_ms", [-30_000, -400, 0, 400, 5_000, 30_000])
def test_skew_is_seen_even_when_it_gets_us_refused(skew_ms: int) -> None:
    venue = open_venue()
    with over_http(venue, skew_ms) as client:
        if abs(skew_ms) > 20_000:
            with pytest.raises(AuthRefused, match="header_timestamp_expired"):
                client.cash()
        else:
            client.cash()
        assert abs(client.skew_ms - skew_ms) <= 1_000
        assert (client.skew_ms == 0) is (abs(skew_ms) < 1_000)


def test_a_crossing_order_is_refused_and_the_others_of_its_batch_stand() -> None:
    venue = open_venue()
    venue.exchange.set_background_book(RAIN, bids=[], asks=[(4_600, 1_000)])
    result = venue.client.place([create(1), create(2, price=4_600), create(3, price=4_001)])
    assert [placed.request.client_order_id for placed in result.placed] == ["dora-1"]
    assert {failed.request.client_order_id: failed.code for failed in result.failed} == {
        "dora-2": "invalid_order", "dora-3": "invalid_price",
    }  # fmt: skip


def test_an_id_used_before_is_unknown_and_found_by_its_id() -> None:
    venue = open_venue()
    (first,) = venue.place(create(1))
    (unknown,) = venue.client.place([create(1)]).unknown
    assert unknown.code == "order_already_exists"
    assert [order.order_id for order in venue.client.orders_of(RAIN).rows] == [first.order_id]


@pytest.mark.parametrize(
    "knobs",
    [
        {"batch_reply": "reversed"},
        {"batch_reply": "shuffled"},
        {"failed_entry_echoes_client_id": False},
        {"failed_entry_echoes_client_id": False, "batch_reply": "shuffled"},
        {"failed_entry_echoes_client_id": False, "batch_reply": "reversed", "failed_entry_style": "absent"},
        {"batch_execution": "reversed"},
        {"post_only_cross_rests": True},
        {"post_only_cross_leaves_row": False},
        {"body_of_429": "nested"},
        {"unknown_fields": "refused"},
        {"put_needs_json": True},
        {"fills_sorted": "ascending"},
        {"min_ts_inclusive": False},
        {"book_levels_sorted": "descending"},
        {"empty_book_side_is_null": True},
        {"legacy_side_fields": False},
    ],
    ids=str,
)
def test_nothing_is_ever_misread_whichever_way_an_unknown_falls(knobs: dict[str, Any]) -> None:
    venue = open_venue()
    venue.unknowns(**knobs)
    venue.exchange.set_background_book(RAIN, bids=[], asks=[(4_600, 1_000)])
    group = venue.group(0)
    requests = [create(number, group_id=group) for number in (1, 2)]
    requests += [create(3, price=4_600, group_id=group), create(4, price=4_001, group_id=group)]
    result = venue.client.place(requests)
    _agrees_with_the_exchange(venue, result.placed, [failed.request for failed in result.failed])
    assert len(result.placed) + len(result.failed) + len(result.unknown) == 4
    venue.exchange.background_take(RAIN, "ask", 4_000, 500)
    (fill,) = venue.client.fills_since(TimeMs(START_MS)).rows
    assert (fill.count, fill.side) == (500, Side.BID)
    book = venue.client.books([RAIN])[RAIN]
    assert book.bids[0].price == 4_000 and book.asks[0].price == 4_600
    venue.client.trigger_group(group, 0)
    assert venue.client.resting_orders().rows == ()


def _agrees_with_the_exchange(venue: Venue, placed: Any, refused: list[Any]) -> None:
    """What was said to be placed has that id there; what was said to be refused neither rests nor filled."""
    there: dict[str, Order] = {order.client_order_id: order for order in venue.client.orders_of(RAIN).rows}
    for order in placed:
        assert there[order.request.client_order_id].order_id == order.order_id
    for request in refused:
        left = there.get(request.client_order_id)
        assert left is None or (left.status, left.filled) == ("canceled", 0)


class DropAnswer(Faults):
    """Loses the answer to every write, after it was carried out."""

    def after(self, request: Request, reply: Reply) -> Reply:
        if request.method != "GET":
            raise ConnectionDroppedError("answer lost")
        return reply


class CutAnswer(Faults):
    """Cuts every answer in half."""

    def after(self, request: Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.body[: len(reply.body) // 2]) if request.method != "GET" else reply


@pytest.mark.parametrize("faults", [DropAnswer, CutAnswer])
def test_a_write_whose_answer_is_lost_is_unknown_and_was_done_once(faults: type[Faults]) -> None:
    venue = open_venue()
    venue.exchange.faults = faults()
    assert len(venue.client.place([create(1), create(2)]).unknown) == 2
    orders = venue.client.resting_orders().rows
    assert sorted(order.client_order_id for order in orders) == ["dora-1", "dora-2"]
    cancels = [
        CancelRequest(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            ticker=RAIN,
            shard=0,
            remaining=order.remaining,
        )
        for order in orders
    ]
    assert len(venue.client.cancel(cancels).unknown) == 2
    assert venue.client.resting_orders().rows == ()


def test_a_batch_beyond_the_bucket_is_refused_as_a_whole_and_reads_wait_it_out() -> None:
    venue = open_venue(tier="basic")
    result = venue.client.place([create(number) for number in range(11)])
    assert {failed.code for failed in result.failed} == {"too_many_requests"} and len(result.failed) == 11
    with pytest.raises(RateLimited):
        for _ in range(10):
            venue.client.create_group(0, Count(CONTRACT))
            venue.client.create_group(0, Count(CONTRACT))
    for _ in range(60):
        venue.client.status()
        venue.client.orders_of(RAIN)
    assert venue.facts.of("RATE_LIMIT_BACKOFF") != []


def test_only_our_subaccount_is_seen_and_written() -> None:
    ours, shared = open_venue(subaccount=3), open_venue()
    ours.place(create(1))
    neighbour = KalshiExchange(
        BASE_URL,
        Signer.from_pem(api_key().key_id, api_key().private_pem),
        BotClock(ours.clock, ours.exchange.lock),
        shared.facts,
        subaccount=0,
        adapter=ExchangeAdapter(ours.exchange),
    )
    assert len(ours.client.resting_orders().rows) == 1
    assert neighbour.resting_orders().rows == ()
    assert neighbour.cash()[0] == CASH_E6 == ONE_DOLLAR * 100_000


def test_many_pages_make_one_complete_list() -> None:
    venue = open_venue(tier="prestige")
    numbers = range(1_200)
    for start in range(0, 1_200, 100):
        venue.place(*(create(number, count=Count(1)) for number in numbers[start : start + 100]))
        venue.clock.advance_ms(1_000)
    assert len(venue.client.resting_orders().rows) == 1_200


def test_the_same_calls_work_over_a_real_connection() -> None:
    with over_http(open_venue()) as client:
        (placed,) = client.place([create(1)]).placed
        assert [order.order_id for order in client.resting_orders().rows] == [placed.order_id]
        assert len(client.cancel([cancel_of(placed)]).succeeded) == 1
        client.trigger_group(client.create_group(2, Count(CONTRACT)), 2)


def test_public_trades_are_read_page_by_page_and_programs_of_our_markets_alone() -> None:
    venue = open_venue()
    for count_e2 in (100, 250):
        venue.exchange.background_order(RAIN, "bid", 4_000, count_e2)
        venue.exchange.background_take(RAIN, "ask", 4_000, count_e2)
    span = {"start_ms": START_MS, "end_ms": START_MS + HOUR_MS, "reward_e4": 200_000}
    venue.exchange.venue.programs += [
        IncentiveProgram(id=ticker, ticker=ticker, **span) for ticker in (RAIN, COIN)
    ]

    trades = venue.client.public_trades(TimeMs(START_MS - 1), [RAIN, COIN], 1)
    programs = venue.client.incentive_programs([RAIN], 1)

    assert sorted(own.count for own in trades) == [100, 250]
    assert {(own.taker_side, own.price, own.at_ms) for own in trades} == {(Side.ASK, 4_000, START_MS)}
    assert venue.client.public_trades(TimeMs(START_MS), [COIN], 1) == ()
    (program,) = programs
    assert (program.ticker, program.reward, program.target) == (RAIN, 20_000_000, 30_000)


def test_a_program_that_is_not_understood_is_left_out_and_told() -> None:
    venue = open_venue()
    span = {"start_ms": START_MS, "end_ms": START_MS + HOUR_MS, "reward_e4": 1}
    nulls = IncentiveProgram(id="nulls", ticker=RAIN, target_e2=None, discount_bps=None, **span)
    venue.exchange.venue.programs += [nulls, IncentiveProgram(id="", ticker=RAIN, **span)]

    (program,) = venue.client.incentive_programs([RAIN], 1)

    assert (program.program_id, program.target, program.discount_bps) == ("nulls", None, None)
    assert [fields["left_out"] for _, fields in venue.facts.emitted] == [1]
