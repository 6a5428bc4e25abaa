"""Each fault of a request strikes as it says: what the exchange did, and what the client saw."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from tests.simulator.exchange import ConnectionDroppedError
from tests.simulator.fault_plan import Fault, FaultPlan
from tests.simulator.fault_request import PATIENCE_MS
from tests.simulator.fault_script import FaultScript
from tests.support.simulator_desk import ORDERS, START_MS, TICKER, Desk

BATCH = f"{ORDERS}/batched"
CREATE = f"POST {BATCH}"


class Faulty(Desk):
    """A desk behind a fault layer."""

    def __init__(self, **fault: Any) -> None:
        super().__init__()
        self.script = self.exchange.faults = FaultScript(self.exchange)
        self.script.load(FaultPlan((Fault(**fault),), 1))

    def batch(self, count: int = 4) -> Any:
        bodies = [self.order(price=f"0.{40 + number}00", count="1.00") for number in range(count)]
        return self.call("POST", BATCH, body={"orders": bodies})

    @property
    def resting(self) -> list[str]:
        return [order.client_order_id for order in self.member.resting.values()]

    @property
    def strikes(self) -> dict[str, int]:
        return dict(self.script.aim.struck)


def test_a_lost_request_leaves_nothing_on_the_exchange() -> None:
    desk = Faulty(kind="lose-request", where=CREATE)
    with pytest.raises(ConnectionDroppedError):
        desk.batch()

    assert not desk.resting
    assert desk.strikes == {"lose-request": 1}


def test_a_lost_answer_leaves_everything_on_the_exchange() -> None:
    desk = Faulty(kind="lose-answer", where=CREATE)
    with pytest.raises(ConnectionDroppedError):
        desk.batch()

    assert len(desk.resting) == 4


def test_a_held_request_is_unheard_and_lands_later_under_its_old_signature() -> None:
    desk = Faulty(kind="hold", where=CREATE, amount=59_000, times=1)
    with pytest.raises(ConnectionDroppedError):
        desk.batch()
    waited_ms = desk.clock.now_ms() - START_MS
    before = list(desk.resting)
    desk.clock.advance_to(START_MS + 59_000)

    assert (waited_ms, before) == (PATIENCE_MS, [])
    assert len(desk.resting) == 4
    assert len(desk.script.landed) == 1


def test_a_request_held_longer_than_a_minute_lands_after_a_minute() -> None:
    desk = Faulty(kind="hold", where=CREATE, amount=600_000)
    with pytest.raises(ConnectionDroppedError):
        desk.batch()
    desk.clock.advance_to(START_MS + 60_000)

    assert len(desk.resting) == 4


def test_a_slow_write_moves_the_clock_before_it_is_applied() -> None:
    desk = Faulty(kind="slow", where=CREATE, amount=300)
    desk.batch()
    created_ms = {order.created_ms for order in desk.member.resting.values()}

    assert created_ms == {desk.clock.now_ms()}
    assert desk.clock.now_ms() > START_MS


def test_latencies_spread_around_their_mean() -> None:
    desk = Faulty(kind="slow", where="GET *", amount=300)
    for number in range(300):
        desk.get("/portfolio/orders", limit=number + 1)

    assert 200 < sum(desk.script.read_latency_ms) / 300 < 400
    assert len(set(desk.script.read_latency_ms)) > 100
    assert desk.clock.now_ms() == START_MS


def test_a_write_slower_than_patience_is_unheard_and_lands_when_it_arrives() -> None:
    desk = Faulty(kind="slow", where=CREATE, amount=3_600_000)
    with pytest.raises(ConnectionDroppedError):
        desk.batch()
    before = list(desk.resting)
    desk.clock.advance_to(START_MS + 60_000)

    assert (before, len(desk.resting)) == ([], 4)


def test_a_read_slower_than_patience_gets_no_answer_and_moves_no_clock() -> None:
    desk = Faulty(kind="slow", where="GET *", amount=3_600_000)
    with pytest.raises(ConnectionDroppedError):
        desk.get("/portfolio/orders")

    assert desk.clock.now_ms() == START_MS


def test_an_answer_that_trickles_is_given_up_after_the_write_was_applied() -> None:
    desk = Faulty(kind="trickle", where=CREATE)
    with pytest.raises(ConnectionDroppedError):
        desk.batch()

    assert len(desk.resting) == 4
    assert desk.clock.now_ms() == START_MS + PATIENCE_MS
    assert {order.created_ms for order in desk.member.resting.values()} == {START_MS}


def test_a_read_that_trickles_gets_no_answer_and_moves_no_clock() -> None:
    desk = Faulty(kind="trickle")
    with pytest.raises(ConnectionDroppedError):
        desk.get("/portfolio/orders")

    assert (desk.clock.now_ms(), desk.strikes) == (START_MS, {"trickle": 1})


def dead(desk: Faulty, *calls: Callable[[], Any]) -> list[bool]:
    """Which of these met a dead connection."""
    met = []
    for call in calls:
        try:
            call()
            met.append(False)
        except ConnectionDroppedError:
            met.append(True)
    return met


@pytest.mark.parametrize("amount, met", [
    (0, [True, False, True, True, False]),
    (2, [True, False, True, False, False]),
])  # fmt: skip
def test_the_first_try_on_a_dead_connection_never_leaves_and_the_next_succeeds(
    amount: int, met: list[bool]
) -> None:
    desk = Faulty(kind="dead-connections", amount=amount)
    orders, fills = (lambda: desk.get("/portfolio/orders")), (lambda: desk.get("/portfolio/fills"))

    assert dead(desk, orders, orders, fills, desk.batch, desk.batch) == met
    assert len(desk.resting) == 4 * met[3:].count(False)
    assert desk.clock.now_ms() == START_MS
    assert desk.strikes == {"dead-connections": met.count(True)}


def test_dead_connections_that_are_silent_use_up_the_patience_of_all_reads_at_once() -> None:
    desk = Faulty(kind="dead-connections", code="silence")
    reads = [partial(desk.get, path) for path in ("/portfolio/orders", "/portfolio/fills")]

    assert dead(desk, *reads, *reads) == [True, True, False, False]
    assert desk.clock.now_ms() == START_MS + PATIENCE_MS


@pytest.mark.parametrize("code, statuses", [("", [503, 503]), ("lost", [])])
def test_reads_of_cash_fail_alone_for_as_long_as_it_lasts(code: str, statuses: list[int]) -> None:
    desk, seen = Faulty(kind="no-cash", code=code, for_ms=180_000), []
    for minute in (0, 2, 3):
        desk.clock.advance_to(START_MS + minute * 60_000)
        assert desk.get("/portfolio/orders").status == 200
        with suppress(ConnectionDroppedError):
            seen.append(desk.get("/portfolio/balance").status)

    assert seen == [*statuses, 200]
    assert desk.strikes == {"no-cash": 2}


@pytest.mark.parametrize("status, code", [(503, ""), (408, ""), (429, ""), (400, "market_closed")])
def test_a_refusal_of_any_status_and_code_applies_nothing(status: int, code: str) -> None:
    desk = Faulty(kind="refuse", where=CREATE, amount=status, code=code)
    answer = desk.batch()

    assert answer.status == status
    assert answer.code == (code or answer.code) != ""
    assert not desk.resting


def test_an_error_after_the_fact_applies_everything() -> None:
    desk = Faulty(kind="error-after", where=CREATE, amount=503)

    assert desk.batch().status == 503
    assert len(desk.resting) == 4


@pytest.mark.parametrize("code", ["", "prefix"])
def test_part_of_a_batch_is_applied_and_the_whole_answers_503(code: str) -> None:
    kept = set()
    for _ in range(8):
        desk = Faulty(kind="part-batch", where=CREATE, code=code)
        for round_number in range(6):
            desk.clock.advance_ms(1_000)
            assert desk.batch().status == 503
            fresh = [f"t-{4 * round_number + n}" for n in range(1, 5)]
            kept.add(tuple(fresh.index(own) for own in desk.resting if own in fresh))

    assert any(0 < len(part) < 4 for part in kept)
    assert (kept <= {(), (0,), (0, 1), (0, 1, 2), (0, 1, 2, 3)}) is (code == "prefix")


def test_a_cut_body_is_no_json() -> None:
    desk = Faulty(kind="cut-body", where=CREATE, amount=50)
    reply = desk.exchange.handle(desk.signed("POST", BATCH, body={"orders": [desk.order(), desk.order()]}))

    assert (reply.status, reply.body[-1:] != b"}") == (201, True)
    assert len(desk.resting) == 2


def test_an_error_body_comes_with_the_status_of_success() -> None:
    desk = Faulty(kind="error-body", where=CREATE)
    answer = desk.batch()

    assert (answer.status, answer.code) == (201, "internal_error")
    assert len(desk.resting) == 4


def test_swapped_ids_give_each_cancel_the_name_of_another() -> None:
    desk = Faulty(kind="swap-ids", where=f"DELETE {BATCH}")
    ids = [desk.rest(), desk.rest(price="0.3900")]
    entries = [{"order_id": i, "exchange_index": 0, "market_ticker": TICKER} for i in ids]
    answer = desk.call("DELETE", BATCH, body={"orders": entries})

    assert [row["order_id"] for row in answer.body["orders"]] == ids[::-1]
    assert not desk.resting


def test_a_lone_answer_names_an_order_of_nobody() -> None:
    desk = Faulty(kind="swap-ids", where="DELETE *")
    order_id = desk.rest()

    assert desk.cancel(order_id).body["order_id"] != order_id


def test_answers_without_ids_leave_orders_without_a_name() -> None:
    desk = Faulty(kind="no-ids", where=CREATE)

    assert all("order_id" not in row for row in desk.batch().body["orders"])
    assert len(desk.resting) == 4


def test_shuffled_rows_are_the_same_rows() -> None:
    desk = Faulty(kind="shuffle-rows", where=CREATE)
    said = [row["client_order_id"] for row in desk.batch(8).body["orders"]]

    assert said != sorted(said, key=lambda name: int(name[2:]))
    assert set(said) == set(desk.resting)


def test_missing_rows_are_missing_from_the_answer_only() -> None:
    desk = Faulty(kind="drop-rows", where=CREATE, amount=25)

    assert len(desk.batch().body["orders"]) == 3
    assert len(desk.resting) == 4


@pytest.mark.parametrize("code, named", [("", True), ("second", False)])
def test_a_request_delivered_twice_is_applied_once_and_answers_either_time(code: str, named: bool) -> None:
    desk = Faulty(kind="twice", where=CREATE, code=code)
    rows = desk.batch(1).body["orders"]

    assert (rows[0]["error"] is None) is named
    assert len(desk.resting) == 1
    assert desk.exchange.stats.calls[CREATE] == 2


def test_copies_that_the_network_makes_empty_the_bucket_but_are_not_the_clients_spending() -> None:
    desk = Faulty(kind="twice", where=CREATE)
    for _ in range(20):
        desk.batch(50)

    assert desk.exchange.stats.too_many_requests["write"] > 0
    assert desk.exchange.invariants.broken == []
    for _ in range(20):
        desk.batch(50)
    assert {breach.invariant for breach in desk.exchange.invariants.broken} == {"I8"}


def test_a_blank_list_comes_with_200() -> None:
    desk = Faulty(kind="blank", where="GET /portfolio/orders")
    desk.rest()
    answer = desk.get("/portfolio/orders")

    assert (answer.status, answer.body) == (200, {"orders": [], "cursor": ""})


@pytest.mark.parametrize("path, name, beside", [
    ("/portfolio/orders", "orders", {"cursor": ""}),
    ("/portfolio/fills", "fills", {"cursor": ""}),
    ("/portfolio/order_groups", "order_groups", {}),
])  # fmt: skip
def test_an_empty_list_is_null_or_absent(path: str, name: str, beside: dict[str, str]) -> None:
    null, absent = Faulty(kind="null-lists"), Faulty(kind="null-lists", code="absent")

    assert null.get(path).body == {name: None, **beside}
    assert absent.get(path).body == {}
    assert null.strikes == absent.strikes == {"null-lists": 1}


def test_both_sides_of_an_empty_book_are_null() -> None:
    desk = Faulty(kind="null-lists", where="GET /markets/*")
    (book,) = desk.get("/markets/orderbooks", tickers=TICKER).body["orderbooks"]

    assert set(book["orderbook_fp"].values()) == {None}


def test_a_list_with_rows_is_left_as_it_is_unless_it_is_to_be_blank() -> None:
    desk, blank = Faulty(kind="null-lists"), Faulty(kind="null-lists", code="absent blank")

    assert desk.rest() in desk.listed()
    assert desk.strikes == {}
    assert (blank.rest() != "", blank.get("/portfolio/orders").body) == (True, {})


FOREIGN = [
    ("orders", "orders", "status", {"status": "pending_review"}),
    ("orders", "orders", "client-id", {"client_order_id": None, "remaining_count_fp": "5.00"}),
    ("orders", "orders", "counts RAIN-A", {"remaining_count_fp": None, "ticker": "RAIN-A"}),
    ("orders", "orders", "times", {"created_time": None, "last_update_time": None}),
    ("fills", "fills", "order-id", {"order_id": None, "ticker": "SOMEBODY-ELSES"}),
    ("positions", "market_positions", "counts", {"position_fp": None}),
    ("settlements", "settlements", "result", {"market_result": "withdrawn"}),
    ("order_groups", "order_groups", "limit", {"contracts_limit_fp": None, "is_auto_cancel_enabled": False}),
    ("order_groups", "order_groups", "flag", {"is_auto_cancel_enabled": None}),
    ("balance", "balance_breakdown", "cash", {"balance": None}),
    ("balance", "balance_breakdown", "shard", {"exchange_index": None}),
]


@pytest.mark.parametrize("path, name, code, said", FOREIGN)
def test_somebody_elses_row_stands_beside_ours_and_cannot_be_read(
    path: str, name: str, code: str, said: dict[str, Any]
) -> None:
    desk, plain = Faulty(kind="foreign-rows", code=code), Desk()
    for own in (desk, plain):
        own.rest()
        own.group()
    rows, ours = (own.get(f"/portfolio/{path}").body[name] for own in (desk, plain))
    (row,) = [row for row in rows if row not in ours]

    assert {key: row[key] for key in said} == said
    assert len(rows) == len(ours) + 1
    assert desk.strikes == {"foreign-rows": 1}


def test_no_row_of_somebody_else_comes_with_the_answer_to_a_batch_or_with_markets() -> None:
    desk = Faulty(kind="foreign-rows")

    assert len(desk.batch().body["orders"]) == 4
    assert len(desk.get("/markets").body["markets"]) == 3
    assert desk.strikes == {}


def test_a_looping_cursor_leads_back_to_the_first_page() -> None:
    desk = Faulty(kind="loop-cursor", where="GET /portfolio/orders")
    order_id = desk.rest()
    first = desk.get("/portfolio/orders").body
    second = desk.get("/portfolio/orders", cursor=first["cursor"]).body

    assert first["orders"][0]["order_id"] == second["orders"][0]["order_id"] == order_id
    assert first["cursor"] == second["cursor"] != ""


def test_a_failing_second_page_follows_a_short_first_one() -> None:
    desk = Faulty(kind="fail-page", where="GET /portfolio/orders")
    desk.rest()
    desk.rest(price="0.3900")
    first = desk.get("/portfolio/orders", limit=1000).body
    second = desk.get("/portfolio/orders", limit=1000, cursor=first["cursor"])

    assert len(first["orders"]) == 1
    assert second.status == 503


def test_the_strikes_are_counted_by_kind_and_only_when_they_strike() -> None:
    desk = Faulty(kind="lose-answer", where="GET /portfolio/fills", times=2)
    desk.get("/portfolio/orders")
    for _ in range(2):
        with pytest.raises(ConnectionDroppedError):
            desk.get("/portfolio/fills")
    desk.get("/portfolio/fills")

    assert desk.strikes == {"lose-answer": 2}
