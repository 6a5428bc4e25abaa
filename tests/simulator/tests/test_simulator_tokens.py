"""Token buckets: who pays what from where, and what an empty one answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.buckets import TIERS, Buckets
from tests.simulator.exchange import Request
from tests.simulator.knobs import Knobs
from tests.simulator.stats import Stats
from tests.simulator.wire import PREFIX
from tests.support.simulator_desk import GROUPS, ORDERS, TICKER, Desk

SPENDING = st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 250)), max_size=60)


@given(st.sampled_from(sorted(TIERS)), st.sampled_from(["read", "write", "write:2", "balance"]), SPENDING)
def test_no_window_ever_holds_more_than_rate_times_span_plus_capacity(
    tier: str, name: str, spending: list[tuple[int, int]]
) -> None:
    now_ms, buckets, stats = 0, Buckets(tier, 0), Stats()
    for wait_ms, cost in spending:
        now_ms += wait_ms
        if buckets.spend([(name, cost)], now_ms) is None:
            stats.tokens[name].append((now_ms, cost))
    bucket = buckets.bucket(name)
    taken = stats.tokens[name]
    for first, (start_ms, _) in enumerate(taken):
        for last in range(first, len(taken)):
            spent = sum(cost for _, cost in taken[first : last + 1])
            assert spent * 1_000 <= bucket.rate * (taken[last][0] - start_ms) + bucket.capacity * 1_000
    assert stats.peak_excess(name, bucket.rate, bucket.capacity) <= 0


def test_the_peak_excess_sees_a_window_that_was_too_full() -> None:
    stats = Stats()
    stats.tokens["read"] += [(0, 100), (500, 100), (1_000, 60)]
    assert (
        stats.peak_excess("read", 100, 150) == 10_000
    )  # after 1 s: 100 + 100 + 60 - 100 refilled, in thousandths


def test_a_bill_over_several_buckets_is_taken_whole_or_not_at_all() -> None:
    buckets = Buckets("basic", 0)
    buckets.spend([("write", 95)], 0)
    assert buckets.spend([("write:1", 10), ("write", 10)], 0) == "write"
    assert buckets.spend([("write:1", 100)], 0) is None


def test_basic_refuses_the_eleventh_order_and_refills_with_time() -> None:
    desk = Desk(tier="basic")
    assert [desk.place(count="1.00").status for _ in range(11)] == [201] * 10 + [429]
    desk.clock.advance_ms(99)
    assert desk.place(count="1.00").status == 429
    desk.clock.advance_ms(1)
    assert desk.place(count="1.00").status == 201


def test_a_batch_that_does_not_fit_is_refused_whole() -> None:
    desk = Desk(tier="basic")
    orders = [desk.order(count="1.00") for _ in range(11)]
    assert desk.call("POST", f"{ORDERS}/batched", body={"orders": orders}).status == 429
    assert desk.member.orders == []
    assert desk.call("POST", f"{ORDERS}/batched", body={"orders": orders[:10]}).status == 201


def spent(desk: Desk) -> dict[str, int]:
    return {name: sum(cost for _, cost in rows) for name, rows in desk.exchange.stats.tokens.items() if rows}


def test_each_call_is_billed_where_it_belongs() -> None:
    def bill(method: str, path: str, query: object = (), body: object = None) -> dict[str, int]:
        desk = Desk()
        desk.call(method, path, query, body)
        return spent(desk)

    coin = {"ticker": "COIN-A"}
    assert bill("GET", "/portfolio/orders") == {"read": 10}
    assert bill("GET", "/portfolio/orders/some-id") == {"read": 2}
    assert bill("GET", "/portfolio/balance") == {"balance": 1}
    assert bill("GET", "/markets") == {"read": 10}
    assert bill("POST", f"{GROUPS}/create", body={"contracts_limit": 1}) == {"write": 10}
    assert bill("POST", ORDERS, body=Desk().order()) == {"write": 10}
    assert bill("POST", ORDERS, body=Desk().order(exchange_index=2, **coin)) == {"write:2": 10}
    assert bill("POST", ORDERS, body=Desk().order(exchange_index=None)) == {"write": 10, "write:2": 10}
    assert bill("DELETE", f"{ORDERS}/some-id") == {"write": 2}
    assert bill("DELETE", f"{ORDERS}/some-id", {"exchange_index": 2}) == {"write:2": 2}
    assert bill("DELETE", f"{ORDERS}/some-id", {"market_ticker": TICKER}) == {"write": 2, "write:2": 2}
    assert bill("DELETE", ORDERS) == {"write": 2}
    batch = {"orders": [{"order_id": "a", "exchange_index": 2}] * 3}
    assert bill("DELETE", f"{ORDERS}/batched", body=batch) == {"write": 6}
    assert bill("POST", f"{ORDERS}/some-id/amend", body={"exchange_index": 2}) == {"write:2": 10}


def test_the_balance_has_a_call_a_second_of_its_own_and_no_burst() -> None:
    desk = Desk(tier="basic")
    assert desk.get("/portfolio/balance").status == 200
    assert desk.get("/portfolio/balance").status == 429
    assert desk.get("/portfolio/orders").status == 200
    desk.clock.advance_ms(1_000)
    assert desk.get("/portfolio/balance").status == 200


@pytest.mark.parametrize(
    ("style", "body"),
    [
        ("text", {"error": "too many requests"}),
        ("nested", {"error": {"code": "too_many_requests", "message": "too many requests"}}),
    ],
)
def test_both_bodies_of_a_429(style: str, body: object) -> None:
    desk = Desk(Knobs(body_of_429=style, balance_body_of_429=style), tier="basic")
    answers = [desk.get("/portfolio/balance"), desk.get("/portfolio/balance")]
    assert answers[-1].body == body
    for _ in range(41):
        answer = desk.get("/portfolio/fills")
    assert (answer.status, answer.body) == (429, body)


def test_limits_and_costs_can_be_read() -> None:
    desk = Desk(tier="advanced")
    assert desk.get("/account/limits").body == {
        "usage_tier": "advanced",
        "read": {"refill_rate": 300, "bucket_capacity": 600},
        "write": {"refill_rate": 300, "bucket_capacity": 600},
        "grants": [],
    }
    body = desk.get("/account/endpoint_costs").body
    assert body["default_cost"] == 10
    cost = {"method": "DELETE", "path": f"{PREFIX}/portfolio/events/orders/batched", "cost": 2}
    assert cost in body["endpoint_costs"]


def test_unsigned_reads_are_free_unless_the_knob_limits_them() -> None:
    request = Request("GET", f"{PREFIX}/exchange/status")
    free, limited = Desk(), Desk(Knobs(unsigned_reads_limited=True))
    assert {free.exchange.handle(request).status for _ in range(60)} == {200}
    statuses = [limited.exchange.handle(request).status for _ in range(41)]
    assert statuses == [200] * 40 + [429]


def test_refused_calls_count_and_cost_nothing() -> None:
    desk = Desk(tier="basic")
    for _ in range(3):
        desk.get("/portfolio/balance")
    assert desk.exchange.stats.too_many_requests == {"balance": 2}
    assert spent(desk) == {"balance": 1}
