"""ACTIVE, REDUCING, HALTED: limits of loss are reached exactly, and what latched ends by a `resume`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.reasons import Reason
from dora.core.risk.standing import (
    HIGH,
    RiskMode,
    Standing,
    counted_from,
    halts,
    is_low,
    latches,
    lost_percent,
    mode_of,
    reduces,
    resumed,
)
from dora.core.state import KillSwitch, RiskState
from dora.core.units import Money, TimeMs
from tests.support.examples import NOW, dollars, limits

TODAY = "2026-11-21"


def standing(**changes: Any) -> Standing:
    values: dict[str, Any] = {
        "now_ms": NOW,
        "profit": Money(0),
        "day_lost": Money(0),
        "equity": dollars("100"),
        "all_marked": True,
    }
    return Standing(**{**values, **changes})


@pytest.mark.parametrize(
    ("lost", "why"), [("99.999999", None), ("100", "daily_loss"), ("100.000001", "daily_loss")]
)
def test_a_day_may_lose_less_than_its_limit(lost: str, why: str | None) -> None:
    lost_day = standing(day_lost=dollars(lost))
    assert halts(RiskState(), limits(max_daily_loss=dollars("100")), lost_day) == why


@pytest.mark.parametrize(
    ("profit", "why"), [("-199.999999", None), ("-200", "loss_since"), ("-201", "loss_since")]
)
def test_a_longer_stretch_may_lose_less_than_its_limit(profit: str, why: str | None) -> None:
    state = RiskState(since=HIGH, profit_since=dollars("50"))
    bounds = limits(max_loss_since=dollars("250"))
    assert halts(state, bounds, standing(profit=dollars(profit))) == why


@pytest.mark.parametrize(
    ("day_lost", "profit", "percent"),
    [("79.99", "0", 79), ("80", "0", 80), ("80", "-150", 80), ("10", "-175", 90), ("-5", "60", 0)],
)
def test_a_loss_is_told_in_percent_of_the_limit_that_is_nearest(
    day_lost: str, profit: str, percent: int
) -> None:
    state = RiskState(since=HIGH, profit_since=dollars("50"))
    bounds = limits(max_daily_loss=dollars("100"), max_loss_since=dollars("250"))
    seen = standing(day_lost=dollars(day_lost), profit=dollars(profit))
    assert lost_percent(state, bounds, seen) == percent


@pytest.mark.parametrize(("worth", "low"), [("99.999999", True), ("100", False), ("100.000001", False)])
def test_equity_below_its_floor_halts_in_the_second_cycle_that_says_so(worth: str, low: bool) -> None:
    bounds, seen = limits(equity_floor=dollars("100")), standing(equity=dollars(worth))
    assert is_low(bounds, seen) is low
    assert halts(RiskState(), bounds, seen) is None
    assert reduces(RiskState(), bounds, seen) == (Reason.EQUITY_FLOOR if low else None)
    assert halts(RiskState(equity_low=True), bounds, seen) == (Reason.EQUITY_FLOOR if low else None)


def test_without_a_floor_equity_is_not_asked_for() -> None:
    assert reduces(RiskState(), limits(), standing(equity=None)) is None


@pytest.mark.parametrize(
    "unknown", [{"all_marked": False}, {"equity": None}], ids=["position without a price", "cash not read"]
)
def test_while_profit_is_unknown_no_new_risk_is_taken(unknown: dict[str, Any]) -> None:
    bounds = limits(equity_floor=dollars("1"))
    assert reduces(RiskState(), bounds, standing(**unknown)) is Reason.PROFIT_UNKNOWN
    assert halts(RiskState(equity_low=True), bounds, standing(equity=None)) is None


@pytest.mark.parametrize(
    ("lost", "why"), [("79.999999", None), ("80", "daily_loss"), ("80.000001", "daily_loss")]
)
def test_near_the_limit_of_a_day_no_new_risk_is_taken(lost: str, why: str | None) -> None:
    bounds = limits(max_daily_loss=dollars("100"), reduce_at=80)
    assert latches(RiskState(), bounds, standing(day_lost=dollars(lost))) == why


@pytest.mark.parametrize(("profit", "why"), [("-79.999999", None), ("-80", "loss_since")])
def test_near_the_limit_of_a_stretch_no_new_risk_is_taken(profit: str, why: str | None) -> None:
    bounds = limits(max_loss_since=dollars("100"), reduce_at=80)
    assert latches(RiskState(since=HIGH), bounds, standing(profit=dollars(profit))) == why


@given(st.lists(st.integers(-500, 500).map(Money), min_size=1))
def test_without_a_day_losses_count_from_the_high(profits: list[Money]) -> None:
    state = RiskState()
    for profit in profits:
        state = counted_from(state, limits(), TODAY, profit, Money(0))
    assert (state.since, state.profit_since) == (HIGH, max(profits))


def test_a_day_counts_from_the_profit_with_which_it_began_whatever_came_after() -> None:
    bounds = limits(loss_since=TODAY)
    state = counted_from(
        RiskState(since=HIGH, profit_since=Money(900)), bounds, TODAY, Money(500), Money(300)
    )
    assert (state.since, state.profit_since) == (TODAY, 300)
    assert counted_from(state, bounds, "2026-12-24", Money(10_000), Money(0)) == state


def test_a_day_to_come_counts_nothing_until_it_begins() -> None:
    bounds = limits(loss_since="2026-11-22")
    state = counted_from(RiskState(), bounds, TODAY, Money(500), Money(0))
    assert (state.since, state.profit_since) == ("", 500)
    assert counted_from(state, bounds, "2026-11-22", Money(400), Money(450)).profit_since == 450


LATCHED = RiskState(
    reducing="daily_loss",
    reducing_ms=NOW,
    tripped_ms=TimeMs(NOW - 1),
    cool_until_ms=TimeMs(NOW + 9),
    profit_since=Money(7),
)


def test_a_resume_ends_what_latched_before_it_and_keeps_what_is_counted() -> None:
    after = resumed(LATCHED, KillSwitch(at_ms=TimeMs(NOW + 1)))
    assert (after.reducing, after.cool_until_ms, after.profit_since) == ("", 0, 7)


@pytest.mark.parametrize(
    "control", [KillSwitch(at_ms=TimeMs(NOW - 1)), KillSwitch(halted=True, at_ms=TimeMs(NOW + 1))]
)
def test_nothing_else_ends_it(control: KillSwitch) -> None:
    assert resumed(LATCHED, control) == LATCHED
    assert reduces(LATCHED, limits(), standing()) is Reason.DAILY_LOSS


def test_the_most_restrictive_mode_holds() -> None:
    halted = KillSwitch(halted=True)
    modes = [mode_of(control, reducing=low) for control in (KillSwitch(), halted) for low in (False, True)]
    assert modes == [RiskMode.ACTIVE, RiskMode.REDUCING, RiskMode.HALTED, RiskMode.HALTED]


def test_every_reason_that_latches_can_be_read_back() -> None:
    for why in (Reason.DAILY_LOSS, Reason.LOSS_SINCE):
        assert reduces(LATCHED._replace(reducing=why.value), limits(), standing()) is why
