"""The judge sees each broken rule once, and every planted fault makes some number non-zero."""

from __future__ import annotations

import pytest

from tests.simulator.exchange import ConnectionDroppedError, Plant
from tests.simulator.plant import MODES
from tests.support.simulator_desk import ORDERS, TICKER, Desk


def broken(desk: Desk) -> list[str]:
    return [breach.invariant for breach in desk.exchange.invariants.broken]


def test_nothing_declared_nothing_judged() -> None:
    desk = Desk()
    for _ in range(3):
        desk.rest()
    assert broken(desk) == []


def test_i1_counts_live_orders_per_side_and_a_lasting_breach_once() -> None:
    desk = Desk()
    desk.exchange.expectations.most_live_orders = 1
    first = desk.rest()
    desk.rest("ask", "0.9000")
    assert broken(desk) == []
    desk.rest()
    third = desk.rest()
    assert broken(desk) == ["I1"]
    desk.cancel(third)
    desk.cancel(first)
    desk.rest()
    assert broken(desk) == ["I1", "I1"]


def test_i1_counts_contracts_too() -> None:
    desk = Desk()
    desk.exchange.expectations.live_contracts_e2[TICKER, "bid"] = 1_500
    desk.rest("bid", "0.4000", "15.00")
    assert broken(desk) == []
    desk.rest("bid", "0.4000", "0.01")
    assert broken(desk) == ["I1"]


def at_levels(desk: Desk, *levels: int | None) -> None:
    """The desk's next bids stand at these levels; two are declared, of ten contracts each."""
    numbers = iter(levels)
    known: dict[str, int | None] = {}

    def level_of(client_order_id: str) -> int | None:
        if client_order_id not in known:
            known[client_order_id] = next(numbers)
        return known[client_order_id]

    desk.exchange.expectations.level_of = level_of
    desk.exchange.expectations.level_contracts_e2[TICKER] = (1_000, 1_000)


@pytest.mark.parametrize(
    ("levels", "breaches"),
    [((0, 1), []), ((0, 0), ["I1", "I1"]), ((1, 1), ["I1", "I1"]), ((0, 2), ["I1"]), ((None, 0), ["I1"])],
)
def test_i1_is_held_level_by_level_where_the_level_is_known(
    levels: tuple[int | None, ...], breaches: list[str]
) -> None:
    desk = Desk()
    at_levels(desk, *levels)
    for _ in levels:
        desk.rest("bid", "0.4000", "10.00")
    assert broken(desk) == breaches


def test_i1_counts_the_contracts_of_a_level() -> None:
    desk = Desk()
    at_levels(desk, 0, 1)
    desk.rest("bid", "0.4000", "10.00")
    desk.rest("bid", "0.3900", "10.01")
    assert [breach.text for breach in desk.exchange.invariants.broken] == [
        f"{TICKER} bid 1: 1001 live (0.01 contract), at most 1000"
    ]


def test_i2_judges_the_position_if_every_live_order_fills() -> None:
    desk = Desk()
    desk.exchange.expectations.market_caps_e2[TICKER] = 1_500
    order_id = desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1_000)
    desk.rest("ask", "0.9000", "25.00")
    assert broken(desk) == []
    desk.rest("bid", "0.4000", "5.01")
    assert broken(desk) == ["I2"]
    assert desk.cancel(order_id).status == 404


def test_i2_judges_the_short_side_too() -> None:
    desk = Desk()
    desk.exchange.expectations.market_cap_e2 = 1_500
    desk.rest("ask", "0.9000", "15.00")
    assert broken(desk) == []
    desk.rest("ask", "0.9100", "0.01")
    assert broken(desk) == ["I2"]


def test_i2_judges_the_event_as_a_whole() -> None:
    desk = Desk()
    desk.exchange.expectations.event_cap_e2 = 2_000
    desk.rest("bid", "0.4000", "10.00")
    desk.rest("ask", "0.9000", "10.00", ticker="RAIN-B")
    desk.rest("bid", "0.4000", "20.00", ticker="COIN-A", exchange_index=2)
    assert broken(desk) == []
    desk.rest("bid", "0.4000", "0.01", ticker="RAIN-B", exchange_index=0)
    desk.rest("bid", "0.3000", "10.00", ticker="RAIN-B", exchange_index=0)
    assert broken(desk) == ["I2"]


def test_i3_wants_every_live_order_in_an_allowed_group() -> None:
    desk = Desk()
    good, bad = desk.group(), desk.group()
    desk.exchange.expectations.allow_groups([good])
    desk.rest(order_group_id=good)
    assert broken(desk) == []
    desk.rest(order_group_id=bad)
    desk.rest()
    assert broken(desk) == ["I3", "I3"]


def test_i8_blames_the_members_own_spending_only() -> None:
    desk = Desk(tier="basic")
    for _ in range(10):
        desk.place(count="1.00")
    assert broken(desk) == []
    desk.place(count="1.00")
    desk.place(count="1.00")
    assert broken(desk) == ["I8", "I8"]
    desk.exchange.expectations.tolerate_429 = True
    desk.place(count="1.00")
    assert len(broken(desk)) == 2


def test_i9_compares_the_books_to_the_last_millionth() -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1_000)
    judge = desk.exchange.invariants
    judge.report_ledger({TICKER: 1_000, "COIN-A": 0}, cash_flow_e6=-4_000_000, fees_e6=0, pnl_e6=0)
    assert broken(desk) == []
    judge.report_ledger({TICKER: 1_000}, cash_flow_e6=-3_999_999)
    judge.report_ledger({TICKER: 999})
    judge.report_ledger({TICKER: 999})
    assert broken(desk) == ["I9", "I9"]
    assert "cash_flow_e6" in desk.exchange.invariants.broken[0].text


def test_i9_follows_a_settlement() -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1_000)
    desk.exchange.settle(TICKER, "yes")
    desk.exchange.invariants.report_ledger({}, cash_flow_e6=6_000_000, fees_e6=0, pnl_e6=6_000_000)
    assert broken(desk) == []


def test_i10_holds_from_the_declaration_until_it_is_taken_back() -> None:
    desk = Desk()
    desk.rest()
    desk.exchange.invariants.declare_closed()
    assert broken(desk) == ["I10"]
    desk.rest()
    assert broken(desk) == ["I10", "I10"]
    desk.exchange.invariants.declare_open()
    desk.rest()
    assert len(broken(desk)) == 2


def test_orders_without_the_prefix_are_somebody_elses_business() -> None:
    desk = Desk()
    desk.exchange.expectations.prefix = "bot-"
    desk.exchange.expectations.most_live_orders = 1
    desk.exchange.invariants.declare_closed()
    desk.exchange.member_order(desk.member, TICKER, "bid", 4000, 100)
    desk.exchange.member_order(desk.member, TICKER, "bid", 4000, 100)
    assert broken(desk) == []
    desk.rest(client_order_id="bot-1")
    assert broken(desk) == ["I10"]


def test_another_subaccount_is_not_judged() -> None:
    desk = Desk()
    desk.exchange.add_subaccount(desk.member, 1, {0: 100_000_000})
    desk.exchange.expectations.most_live_orders = 0
    desk.exchange.expectations.market_cap_e2 = 100
    desk.rest(subaccount=1)
    assert broken(desk) == []


def planted(mode: str, every: int = 2) -> Desk:
    desk = Desk()
    desk.exchange.plant = Plant(mode, every=every)
    return desk


def test_a_doubled_order_breaks_i1_and_i3() -> None:
    desk = planted("double-order")
    group = desk.group()
    desk.exchange.expectations.most_live_orders = 1
    desk.exchange.expectations.allow_groups([group])
    desk.rest("bid", "0.4000", order_group_id=group)
    assert broken(desk) == []
    desk.rest("ask", "0.9000", order_group_id=group)
    assert sorted(broken(desk)) == ["I1", "I3"]
    assert len(desk.listed(status="resting")) == 3


def test_a_skipped_fill_is_in_the_position_and_not_in_the_list() -> None:
    desk = planted("skip-fill")
    for _ in range(2):
        desk.rest("bid", "0.4000", "1.00")
        desk.taken("ask", 4000, 100)
    assert len(desk.get("/portfolio/fills").body["fills"]) == 1
    assert desk.get("/portfolio/positions").body["market_positions"][0]["position_fp"] == "2.00"


@pytest.mark.parametrize("batch", [False, True])
def test_a_dropped_answer_leaves_its_orders_alive(batch: bool) -> None:
    desk = planted("drop-answer", every=1)
    path, body = (f"{ORDERS}/batched", {"orders": [desk.order()]}) if batch else (ORDERS, desk.order())
    with pytest.raises(ConnectionDroppedError):
        desk.exchange.handle(desk.signed("POST", path, body=body))
    assert len(desk.listed(status="resting")) == 1


def test_a_vanished_order_is_listed_but_cannot_trade_or_be_cancelled() -> None:
    desk = planted("vanish-order")
    kept, gone = desk.rest(), desk.rest("bid", "0.4100")
    assert desk.listed(status="resting") == [gone, kept]
    assert desk.exchange.best_prices(TICKER) == (4000, None)
    assert desk.cancel(gone).status == 404
    assert desk.exchange.stats.cancels_404 == 1
    assert desk.cancel(kept).status == 200


def test_drained_tokens_are_a_429_that_is_not_the_members_fault() -> None:
    desk = planted("drain-tokens")
    assert [desk.place().status for _ in range(2)] == [201, 429]
    assert desk.exchange.stats.too_many_requests == {"write": 1}
    assert broken(desk) == []


def test_a_plant_strikes_at_every_kth_chance_and_only_where_it_was_sown() -> None:
    plant = Plant("skip-fill", every=3)
    assert [plant.strikes("skip-fill") for _ in range(6)] == [False, False, True] * 2
    assert not any(plant.strikes(mode) for mode in MODES if mode != "skip-fill")
    assert plant.struck == {"skip-fill": 2}
    with pytest.raises(ValueError, match="no such planted fault"):
        Plant("nonsense")
