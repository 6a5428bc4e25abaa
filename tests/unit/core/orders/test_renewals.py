"""Orders that fall due together are extended a few a cycle, ahead of time, and none of them runs out."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora.core.orders.diff import plan_slots
from dora.core.orders.expiry import RENEW_MS
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.keeping import Rules
from dora.core.orders.renewals import EXTENSIONS, extended_early, with_life
from dora.core.units import TimeMs
from tests.support.diff_cases import BID, live, names, view
from tests.support.examples import CENT_GRID, NOW, TICKER, config, limits, target
from tests.support.small_world import TICKERS, setup, small_world, spec
from tests.world import config_items

MINUTE_MS = 60_000
LATEST = {TICKER: TimeMs(NOW + 10**10)}
ORDER = live("0.44", "10")


def order(number: int, expires_ms: int) -> TrackedOrder:
    return ORDER._replace(client_order_id=f"dora-{number:04}", expires_ms=TimeMs(expires_ms))


def life_s(quotes: int, **chosen: int | bool) -> int:
    wanted = {f"KX-{n}": config(ticker=f"KX-{n}") for n in range(quotes // 2)}
    return with_life(limits(**chosen), wanted).order_life_s


@pytest.mark.parametrize("quotes, expected_s", [(2, 1_800), (144, 1_800), (146, 1_860), (2_000, 22_650)])
def test_orders_live_as_long_as_it_takes_to_extend_them_all(quotes: int, expected_s: int) -> None:
    assert life_s(quotes) == expected_s
    assert life_s(quotes, extend_expiry=False) == 1_800
    assert life_s(quotes, order_life_s=0) == 0
    assert life_s(quotes, order_life_s=604_800) == 604_800


# An example is two whole lives of up to 300 orders, minute by minute.
@settings(max_examples=15)
@given(st.integers(1, 300), st.randoms(use_true_random=False), st.booleans())
def test_no_order_runs_out_and_no_cycle_extends_too_many(count: int, random: Random, at_once: bool) -> None:
    life_ms = life_s(2 * -(-count // 2)) * 1000
    expiries = {n: NOW + life_ms - (0 if at_once else random.randrange(life_ms // 3)) for n in range(count)}
    for minute in range(life_ms * 2 // MINUTE_MS):
        now_ms = TimeMs(NOW + minute * MINUTE_MS)
        early = extended_early([order(n, at) for n, at in expiries.items()], LATEST, now_ms)
        due = {f"dora-{n:04}" for n, at in expiries.items() if at < now_ms + RENEW_MS}
        assert len(early | due) <= EXTENSIONS
        expiries |= {int(key[-4:]): now_ms + life_ms for key in early | due}
    assert min(expiries.values()) > NOW + life_ms


def obvious(orders: list[TrackedOrder], now_ms: TimeMs) -> frozenset[str]:
    """Each of those that expire soonest against the cycles that are left for it, one by one."""
    live = sorted((own.expires_ms or 0, own.client_order_id) for own in orders)
    horizon_ms = now_ms + RENEW_MS + (len(live) // EXTENSIONS + 1) * MINUTE_MS
    near = [one for one in live if one[0] < horizon_ms]
    must = 0
    for place, (expires_ms, _) in enumerate(near, 1):
        cycles_left = max((expires_ms - RENEW_MS - now_ms) // MINUTE_MS + 1, 0)
        must = max(must, place - EXTENSIONS * cycles_left)
    return frozenset(key for _, key in near[: min(must, EXTENSIONS)])


@given(st.lists(st.integers(NOW - 10 * MINUTE_MS, NOW + 40 * MINUTE_MS), max_size=60))
def test_those_are_extended_that_the_obvious_reckoning_names(expiries: list[int]) -> None:
    orders = [order(number, expires_ms) for number, expires_ms in enumerate(expiries)]
    assert extended_early(orders, LATEST, NOW) == obvious(orders, NOW)


def test_what_has_time_is_left_alone() -> None:
    few = [order(n, NOW + RENEW_MS) for n in range(EXTENSIONS)]
    assert extended_early(few, LATEST, NOW) == frozenset()
    assert len(extended_early([*few, order(9, NOW + RENEW_MS)], LATEST, NOW)) == 1


@pytest.mark.parametrize(
    "changes, latest",
    [
        ({"state": OrderState.PENDING_CHANGE}, LATEST),
        ({"expires_ms": None}, LATEST),
        ({}, {}),
        ({}, {TICKER: TimeMs(NOW + MINUTE_MS - 1)}),
    ],
)
def test_an_order_that_cannot_be_extended_or_gains_nothing_by_it_is_left_alone(
    changes: dict[str, object], latest: dict[str, TimeMs]
) -> None:
    one = order(1, NOW)._replace(**changes)  # type: ignore[arg-type]
    assert extended_early([one], latest, NOW) == frozenset()


@pytest.mark.parametrize("early", [True, False])
def test_an_order_whose_turn_it_is_is_kept_and_extended(early: bool) -> None:
    held = order(1, NOW + 10 * MINUTE_MS)
    keys = frozenset({held.client_order_id} if early else ())
    later = TimeMs(NOW + 30 * MINUTE_MS)
    rules = {TICKER: Rules(CENT_GRID, config(), TimeMs(NOW + RENEW_MS), later, early=keys)}
    plan = plan_slots([target(BID.side, "0.44", "10")], view([held]), rules)
    assert names(plan) == ([held.client_order_id], [], [], [])
    assert [one.expires_s for one in plan.extends] == ([later // 1000] if early else [])


def test_start_says_that_orders_live_longer_than_was_asked_for() -> None:
    tickers = (*TICKERS, "KXD-26NOV21-T1", "KXE-26NOV21-T1")
    five = {**config_items.MARKET, "levels": 5, "max_position": 1000}
    chosen = setup(
        markets=tuple(spec(ticker, 0) for ticker in tickers),
        items=dict.fromkeys(tickers, five),
        globals={**config_items.GLOBAL, "order_life_s": 600},
    )
    with small_world(chosen) as seen:
        (said,) = [one for one in seen.world.start()["findings"] if "order_life_s" in one]
        assert said.startswith("orders live 780 s and not order_life_s (600 s): a cycle extends 8 of them")
