"""Fees, positions, settlements and balances, exact to a millionth of a dollar."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.account import Position, reserve_e6
from tests.simulator.fees import trade_fee_e6
from tests.simulator.knobs import Knobs
from tests.support.simulator_desk import DOLLAR_E6, HOUR_MS, START_MS, TICKER, Desk, market


@pytest.mark.parametrize(
    ("fee_type", "is_taker", "price_e4", "count_e2", "fee_e6"),
    [
        ("quadratic", True, 5000, 100, 17_500),
        ("quadratic", False, 5000, 100, 0),
        ("quadratic", True, 100, 100, 693),
        ("quadratic", True, 5000, 1, 175),
        ("quadratic", True, 20, 2832, 3_957),  # 0.00395662... is rounded up
        ("quadratic_with_maker_fees", False, 5000, 100, 4_375),
        ("quadratic_with_combo_maker_fees", False, 5000, 100, 8_750),
        ("quadratic_with_maker_fees", True, 5000, 100, 17_500),
    ],
)
def test_the_trade_fee(fee_type: str, is_taker: bool, price_e4: int, count_e2: int, fee_e6: int) -> None:
    got = trade_fee_e6(
        fee_type=fee_type, multiplier_e4=10_000, price_e4=price_e4, count_e2=count_e2, is_taker=is_taker
    )
    assert got == fee_e6


def test_the_multiplier_scales_the_fee_and_zero_waives_it() -> None:
    def fee(multiplier_e4: int) -> int:
        return trade_fee_e6(
            fee_type="quadratic", multiplier_e4=multiplier_e4, price_e4=5000, count_e2=100, is_taker=True
        )

    assert (fee(5_000), fee(0)) == (8_750, 0)


@pytest.mark.parametrize(("step_e6", "fee_cost"), [(1, "0.016933"), (100, "0.017000"), (10_000, "0.020000")])
def test_rounding_the_balance_change_down_is_booked_as_fee(step_e6: int, fee_cost: str) -> None:
    desk = Desk(Knobs(balance_rounding_e6=step_e6))
    desk.exchange.background_order(TICKER, "ask", 4100, 1000)
    desk.place("bid", "0.4100", "1.00")
    (fill,) = desk.get("/portfolio/fills").body["fills"]
    assert fill["fee_cost"] == fee_cost
    assert desk.account.cash_e6[0] % step_e6 == 0


def test_a_maker_pays_nothing_where_the_fee_is_plain() -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1000)
    (fill,) = desk.get("/portfolio/fills").body["fills"]
    assert (fill["fee_cost"], fill["is_taker"], fill["book_side"]) == ("0.000000", False, "bid")
    assert desk.account.cash_e6[0] == 996 * DOLLAR_E6


TRADES = st.lists(
    st.tuples(st.sampled_from(["bid", "ask"]), st.integers(1, 9_999), st.integers(1, 10_000)), max_size=20
)


@given(TRADES)
def test_a_position_is_worth_what_was_paid_for_it(trades: list[tuple[str, int, int]]) -> None:
    position, flow = Position(), 0
    for side, price_e4, count_e2 in trades:
        flow += position.trade(side, price_e4, count_e2)
        assert position.cost_e6 >= 0
        assert position.realized_e6 == flow + position.cost_e6
    flow += position.settle("yes", 10_000)
    paid = sum(price * count * (-1 if side == "bid" else 1) for side, price, count in trades)
    won = sum(10_000 * count * (1 if side == "bid" else -1) for side, _, count in trades)
    assert position.realized_e6 == flow == paid + won


def test_a_yes_and_a_no_make_a_dollar_at_once() -> None:
    position = Position()
    assert position.trade("bid", 4000, 1000) == -4_000_000
    assert position.trade("ask", 4500, 1000) == 4_500_000
    assert (position.position_e2, position.cost_e6, position.realized_e6) == (0, 0, 500_000)


def test_crossing_zero_closes_at_average_cost_and_opens_the_other_leg() -> None:
    position = Position()
    position.trade("bid", 4000, 1000)
    position.trade("bid", 5000, 1000)
    assert position.trade("ask", 6000, 3000) == 2000 * 6000 - 1000 * 4000
    assert (position.position_e2, position.cost_e6, position.realized_e6) == (-1000, 4_000_000, 3_000_000)


@pytest.mark.parametrize(
    ("position_e2", "bids", "asks", "held"),
    [
        (0, [(4000, 1000)], [], 4_000_000),
        (0, [], [(4000, 1000)], 6_000_000),
        (0, [(4000, 1000)], [(6000, 1000)], 8_000_000),
        (1000, [], [(6000, 1000)], 0),
        (400, [], [(6000, 1000)], 2_400_000),
        (-1000, [(4000, 1500)], [], 2_000_000),
        (1000, [], [(7000, 1000), (6000, 500)], 1_500_000),
        (1000, [(4000, 100)], [], 400_000),
        (-1000, [(3000, 1000), (4000, 500)], [], 1_500_000),
    ],
)
def test_cash_held(position_e2: int, bids: Any, asks: Any, held: int) -> None:
    assert reserve_e6(position_e2, bids, asks) == held


@pytest.mark.parametrize(
    ("result", "revenue", "balance"), [("yes", 1000, "1006.0000"), ("no", 0, "996.0000")]
)
def test_a_settlement_pays_the_winner_and_closes_the_row(result: str, revenue: int, balance: str) -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1000)
    desk.exchange.settle(TICKER, result)
    (row,) = desk.get("/portfolio/settlements").body["settlements"]
    assert (row["revenue"], row["market_result"], row["yes_count_fp"]) == (revenue, result, "10.00")
    assert (row["yes_total_cost_dollars"], row["no_count_fp"]) == ("4.0000", "0.00")
    assert desk.get("/portfolio/balance", exchange_index=0).body["balance_dollars"] == balance
    assert desk.get("/portfolio/positions").body["market_positions"] == []
    (settled,) = desk.get("/portfolio/positions", settlement_status="settled").body["market_positions"]
    assert settled["position_fp"] == "0.00"
    assert settled["realized_pnl_dollars"] == ("6.0000" if result == "yes" else "-4.0000")


@pytest.mark.parametrize(
    ("side", "result", "value_e4", "revenue", "value"),
    [
        ("bid", "scalar", 3700, 370, 37),
        ("ask", "scalar", 3700, 630, 37),
        ("bid", "void", None, 400, 0),
        ("ask", "void", None, 600, 0),
    ],
)
def test_scalar_results_pay_their_value_and_void_ones_give_the_cost_back(
    side: str, result: str, value_e4: int | None, revenue: int, value: int
) -> None:
    desk = Desk()
    desk.rest(side, "0.4000", "10.00")
    desk.taken("ask" if side == "bid" else "bid", 4000, 1000)
    desk.exchange.settle(TICKER, result, value_e4)
    (row,) = desk.get("/portfolio/settlements").body["settlements"]
    assert (row["market_result"], row["revenue"], row["value"]) == (result, revenue, value)
    spent = 400 if side == "bid" else 600
    assert desk.get("/portfolio/balance", exchange_index=0).body["balance"] == 100_000 - spent + revenue


def test_a_scalar_payout_is_cut_to_whole_cents() -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "0.50")
    desk.taken("ask", 4000, 50)
    desk.exchange.settle(TICKER, "scalar", 3700)
    assert desk.get("/portfolio/settlements").body["settlements"][0]["revenue"] == 18


@pytest.mark.parametrize("listed", ["further", "replaced"])
def test_a_payout_that_is_amended_is_paid_again_by_the_difference(listed: Any) -> None:
    desk = Desk(Knobs(amended_payout=listed))
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1000)
    desk.exchange.settle(TICKER, "yes")
    desk.clock.advance_ms(HOUR_MS)
    desk.exchange.amend_result(TICKER, "no")
    rows = desk.get("/portfolio/settlements").body["settlements"]
    assert [row["market_result"] for row in rows] == (["no", "yes"] if listed == "further" else ["no"])
    assert [row["revenue"] for row in rows] == ([0, 1000] if listed == "further" else [0])
    assert desk.get("/portfolio/balance", exchange_index=0).body["balance_dollars"] == "996.0000"
    (settled,) = desk.get("/portfolio/positions", settlement_status="settled").body["market_positions"]
    assert settled["realized_pnl_dollars"] == "-4.0000"
    assert desk.get(f"/markets/{TICKER}").body["market"]["status"] == "finalized"


def test_balances_are_per_shard_and_summed_only_on_top() -> None:
    desk = Desk(cash={0: 100, 2: 50})
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 500)
    body = desk.get("/portfolio/balance").body
    assert (body["balance"], body["balance_dollars"]) == (14_800, "148.0000")
    assert body["balance_breakdown"] == [
        {"exchange_index": 0, "balance": "98.0000"},
        {"exchange_index": 2, "balance": "50.0000"},
    ]
    desk.clock.advance_ms(1_000)
    assert desk.get("/portfolio/balance", exchange_index=2).body["balance_dollars"] == "50.0000"


@pytest.mark.parametrize("spent, shown", [(False, "100.0000"), (True, "96.0000")])
def test_cash_held_for_resting_orders_shows_or_counts_as_spent(spent: bool, shown: str) -> None:
    desk = Desk(Knobs(balance_counts_resting_as_spent=spent), cash={0: 100})
    desk.rest("bid", "0.4000", "10.00")
    assert desk.get("/portfolio/balance").body["balance_dollars"] == shown


def test_positions_are_signed_and_sum_up_per_event() -> None:
    desk = Desk()
    desk.rest("ask", "0.6000", "10.00")
    desk.rest("bid", "0.3000", "5.00", ticker="RAIN-B")
    desk.taken("bid", 6000, 1000)
    desk.taken("ask", 3000, 500, "RAIN-B")
    body = desk.get("/portfolio/positions").body
    rows = {row["ticker"]: row for row in body["market_positions"]}
    assert (rows[TICKER]["position_fp"], rows[TICKER]["market_exposure_dollars"]) == ("-10.00", "4.0000")
    assert rows["RAIN-B"]["position_fp"] == "5.00"
    (event,) = body["event_positions"]
    assert (event["event_ticker"], event["event_exposure_dollars"]) == ("RAIN", "5.5000")
    assert event["total_cost_shares_fp"] == "15.00"


def test_flat_markets_stay_listed_unless_only_positions_are_asked_for() -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1000)
    desk.rest("ask", "0.5000", "10.00")
    desk.taken("bid", 5000, 1000)
    (row,) = desk.get("/portfolio/positions").body["market_positions"]
    assert (row["position_fp"], row["realized_pnl_dollars"]) == ("0.00", "1.0000")
    assert desk.get("/portfolio/positions", count_filter="position").body["market_positions"] == []


def test_a_transfer_moves_cash_between_shards_once_per_key() -> None:
    desk = Desk(Knobs(transfer_delay_ms=500), cash={0: 100, 2: 10})
    body = {
        "client_transfer_id": "t",
        "source": "event_contract",
        "destination": "event_contract",
        "amount": 250_000,
        "source_exchange_shard": 0,
        "destination_exchange_shard": 2,
    }
    path = "/portfolio/intra_exchange_instance_transfer"
    assert desk.call("POST", path, body=body).status == 200
    assert desk.call("POST", path, body=body).status == 409
    assert desk.account.cash_e6 == {0: 75 * DOLLAR_E6, 2: 10 * DOLLAR_E6}
    desk.clock.advance_ms(500)
    assert desk.account.cash_e6 == {0: 75 * DOLLAR_E6, 2: 35 * DOLLAR_E6}


def test_scheduled_fees_are_announced_and_then_apply() -> None:
    desk = Desk()
    at_ms = START_MS + HOUR_MS
    desk.exchange.schedule_fees("SRAIN", "quadratic_with_maker_fees", 5_000, at_ms)
    desk.exchange.schedule_fees("SRAIN", None, None, at_ms, event="RAIN")
    (change,) = desk.get("/series/fee_changes", series_ticker="SRAIN").body["series_fee_change_arr"]
    assert (change["fee_type"], change["fee_multiplier"]) == ("quadratic_with_maker_fees", 0.5)
    (override,) = desk.get("/events/fee_changes").body["event_fee_changes"]
    assert override["fee_type_override"] is None
    assert desk.get("/series/SRAIN").body["series"]["fee_type"] == "quadratic"
    desk.clock.advance_to(at_ms)
    assert desk.get("/series/SRAIN").body["series"]["fee_multiplier"] == 0.5
    desk.rest("bid", "0.5000", "1.00")
    desk.taken("ask", 5000, 100)
    assert desk.get("/portfolio/fills").body["fills"][0]["fee_cost"] == "0.002188"


def test_an_event_override_wins_over_its_series() -> None:
    desk = Desk()
    desk.exchange.schedule_fees("SRAIN", "quadratic_with_maker_fees", 10_000, START_MS, event="RAIN")
    desk.clock.advance_ms(0)
    event = desk.get("/events/RAIN").body["event"]
    assert (event["fee_type_override"], event["fee_multiplier_override"]) == ("quadratic_with_maker_fees", 1)
    assert desk.exchange.venue.markets[TICKER].fee_type == "quadratic_with_maker_fees"
    desk.exchange.add_market(market("RAIN-C"))
    assert desk.exchange.venue.markets["RAIN-C"].fee_type == "quadratic_with_maker_fees"
