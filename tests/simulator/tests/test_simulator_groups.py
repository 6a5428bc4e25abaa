"""Order groups: a rolling breaker, bound to one shard."""

import pytest

from tests.simulator.knobs import Knobs
from tests.support.simulator_desk import GROUPS, TICKER, Desk


def filled(desk: Desk, contracts: int, group: str) -> None:
    """One order of the group that fills in full."""
    desk.rest("bid", "0.4000", f"{contracts}.00", order_group_id=group)
    assert desk.taken("ask", 4000, contracts * 100) == contracts * 100


def tripped(desk: Desk, group: str) -> bool:
    return bool(desk.get(f"{GROUPS}/{group}").body["is_auto_cancel_enabled"])


def test_a_group_lists_its_limit_shard_and_resting_orders() -> None:
    desk = Desk()
    group = desk.group(200)
    order_id = desk.rest(order_group_id=group)
    assert desk.get(f"{GROUPS}/{group}").body == {
        "is_auto_cancel_enabled": False,
        "contracts_limit_fp": "200.00",
        "orders": [order_id],
        "exchange_index": 0,
    }
    assert desk.get(GROUPS).body == {
        "order_groups": [
            {
                "id": group,
                "contracts_limit_fp": "200.00",
                "is_auto_cancel_enabled": False,
                "exchange_index": 0,
            }
        ]
    }


def test_going_over_the_limit_cancels_what_rests_and_refuses_what_comes() -> None:
    desk = Desk()
    group = desk.group(10)
    resting = desk.rest("ask", "0.9000", order_group_id=group)
    filled(desk, 10, group)
    assert not tripped(desk, group)
    filled(desk, 1, group)
    assert tripped(desk, group)
    assert desk.row(resting)["status"] == "canceled"
    refused = desk.place(order_group_id=group)
    assert (refused.status, refused.code) == (400, "order_group_triggered")


def test_the_limit_itself_may_trip() -> None:
    desk = Desk(Knobs(group_trips_at_limit=True))
    group = desk.group(10)
    filled(desk, 9, group)
    assert not tripped(desk, group)
    filled(desk, 1, group)
    assert tripped(desk, group)


@pytest.mark.parametrize(("wait_ms", "trips"), [(14_999, True), (15_000, False)])
def test_the_window_rolls(wait_ms: int, trips: bool) -> None:
    desk = Desk()
    group = desk.group(10)
    filled(desk, 10, group)
    desk.clock.advance_ms(wait_ms)
    filled(desk, 1, group)
    assert tripped(desk, group) is trips


def test_one_sweep_through_several_orders_counts_in_full_before_the_group_trips() -> None:
    desk = Desk()
    group = desk.group(5)
    for price in ("0.4000", "0.3900", "0.3800"):
        desk.rest("bid", price, "4.00", order_group_id=group)
    assert desk.taken("ask", 3900, 800) == 800
    assert tripped(desk, group)
    assert desk.member.resting == {}


def test_what_an_order_takes_itself_counts_too() -> None:
    desk = Desk()
    group = desk.group(5)
    desk.exchange.background_order(TICKER, "ask", 4000, 600)
    answer = desk.place("bid", "0.4000", "10.00", order_group_id=group)
    assert answer.body["fill_count"] == "6.00"
    assert tripped(desk, group)
    assert desk.member.resting == {}


def test_reset_clears_the_flag_and_the_window() -> None:
    desk = Desk()
    group = desk.group(10)
    filled(desk, 11, group)
    assert desk.call("PUT", f"{GROUPS}/{group}/reset", body={}).body == {}
    assert not tripped(desk, group)
    filled(desk, 10, group)
    assert not tripped(desk, group)


def test_trigger_is_a_kill_switch_and_safe_to_repeat() -> None:
    desk = Desk()
    group = desk.group()
    order_id = desk.rest(order_group_id=group)
    for _ in range(2):
        assert desk.call("PUT", f"{GROUPS}/{group}/trigger", body={}).status == 200
    assert tripped(desk, group)
    assert desk.row(order_id)["status"] == "canceled"


def test_a_limit_below_the_window_trips_at_once_and_a_higher_one_does_not() -> None:
    desk = Desk()
    group = desk.group(10)
    filled(desk, 8, group)
    assert desk.call("PUT", f"{GROUPS}/{group}/limit", body={"contracts_limit": 9}).status == 200
    assert not tripped(desk, group)
    desk.call("PUT", f"{GROUPS}/{group}/limit", body={"contracts_limit": 7})
    assert tripped(desk, group)


@pytest.mark.parametrize(
    "body", [{}, {"contracts_limit": 0}, {"contracts_limit": 1_000_001}, {"contracts_limit": "5"}]
)
def test_limits_out_of_bounds_are_refused(body: dict[str, object]) -> None:
    assert Desk().call("POST", f"{GROUPS}/create", body=body).status == 400


def test_delete_cancels_and_a_second_delete_finds_nothing() -> None:
    desk = Desk()
    group = desk.group()
    order_id = desk.rest(order_group_id=group)
    assert desk.call("DELETE", f"{GROUPS}/{group}").status == 200
    assert desk.row(order_id)["status"] == "canceled"
    assert desk.call("DELETE", f"{GROUPS}/{group}").code == "not_found"
    assert desk.get(f"{GROUPS}/{group}").code == "not_found"
    assert desk.place(order_group_id=group).code == "order_group_not_found"


@pytest.mark.parametrize(
    ("method", "tail"), [("PUT", "/trigger"), ("PUT", "/reset"), ("PUT", "/limit"), ("DELETE", "")]
)
def test_a_group_is_reached_only_on_its_shard_which_defaults_to_0(method: str, tail: str) -> None:
    desk = Desk()
    group = desk.group(shard=2)
    body = {"contracts_limit": 5}
    assert desk.call(method, f"{GROUPS}/{group}{tail}", body=body).code == "not_found"
    assert desk.call(method, f"{GROUPS}/{group}{tail}", {"exchange_index": 2}, body).status == 200


def test_an_order_may_not_name_a_group_of_another_shard() -> None:
    desk = Desk()
    group = desk.group(shard=2)
    assert desk.place(order_group_id=group).code == "order_group_not_found"
    assert desk.place(ticker="COIN-A", exchange_index=2, order_group_id=group).status == 201


def test_a_trip_reaches_only_its_own_group() -> None:
    desk = Desk()
    first, second = desk.group(10), desk.group(10)
    safe = desk.rest("ask", "0.9000", order_group_id=second)
    loose = desk.rest("ask", "0.9100")
    filled(desk, 11, first)
    assert (tripped(desk, first), tripped(desk, second)) == (True, False)
    assert [desk.row(order_id)["status"] for order_id in (safe, loose)] == ["resting"] * 2


def test_a_put_may_come_without_a_body_unless_the_knob_says_no() -> None:
    desk = Desk()
    group = desk.group()
    bare = desk.signed("PUT", f"{GROUPS}/{group}/trigger")
    bare = type(bare)("PUT", bare.path, [], {k: v for k, v in bare.headers.items() if k != "Content-Type"})
    assert desk.exchange.handle(bare).status == 200
    strict = Desk(Knobs(put_needs_json=True))
    group = strict.group()
    bare = strict.signed("PUT", f"{GROUPS}/{group}/trigger")
    bare = type(bare)("PUT", bare.path, [], {k: v for k, v in bare.headers.items() if k != "Content-Type"})
    assert b"invalid_content_type" in strict.exchange.handle(bare).body
