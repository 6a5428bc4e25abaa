"""Liquidity programs of the simulator: who is paid, how much, and when."""

import pytest

from tests.simulator.exchange import Exchange, Member
from tests.simulator.model import IncentiveProgram
from tests.support.simulator_desk import START_MS, TICKER, Desk

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SPAN = {"start_ms": START_MS, "end_ms": START_MS + HOUR_MS, "reward_e4": 400_000}


def paid(desk: Desk, *, own_e2: int, price_e4: int = 4_500, asks_e2: int = 40_000) -> int:
    """What an hour's program of 40 $ adds to cash: our bid beside one of 300 contracts at 45 cents."""
    exchange, member = desk.exchange, desk.member
    exchange.set_background_book(TICKER, [(4_500, 30_000)], [(5_500, asks_e2)])
    exchange.add_program(IncentiveProgram(id="p", ticker=TICKER, **SPAN))
    exchange.member_order(member, TICKER, "bid", price_e4, own_e2, post_only=True)
    before = cash(member)
    exchange.venue.clock.advance_to(START_MS + HOUR_MS + DAY_MS - 1)
    assert cash(member) == before
    exchange.venue.clock.advance_to(START_MS + HOUR_MS + 2 * DAY_MS)
    return cash(member) - before


def cash(member: Member) -> int:
    return sum(member.accounts[0].cash_e6.values())


@pytest.mark.parametrize(
    ("own_e2", "price_e4", "asks_e2", "amount_e6"),
    [
        (10_000, 4_500, 40_000, 5_000_000),
        (10_000, 4_400, 40_000, 0),
        (10_000, 4_500, 29_999, 0),
        (1_500, 4_500, 40_000, 0),
    ],
    ids=["a quarter of half the pool", "behind the target", "one side short", "below a dollar"],
)
def test_a_period_pays_its_shares_a_day_or_two_after_its_end(
    own_e2: int, price_e4: int, asks_e2: int, amount_e6: int
) -> None:
    desk = Desk()
    assert paid(desk, own_e2=own_e2, price_e4=price_e4, asks_e2=asks_e2) == amount_e6
    assert [own.amount_e6 for own in desk.exchange.rewards.credits] == [amount_e6] * bool(amount_e6)
    assert [own.paid_out for own in desk.exchange.venue.programs] == [True]


def test_a_program_that_does_not_say_what_it_asks_for_is_listed_and_pays_nobody() -> None:
    exchange: Exchange = Desk().exchange
    exchange.add_program(IncentiveProgram(id="bare", ticker=TICKER, target_e2=None, **SPAN))
    exchange.venue.clock.advance_to(START_MS + 3 * DAY_MS)
    assert ([own.id for own in exchange.venue.programs], exchange.rewards.credits) == (["bare"], [])
