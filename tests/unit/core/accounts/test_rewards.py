"""Rewards: expected ones only inform, credited ones are in the books and explain the cash that was found."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.cash_tie import CashBooks, CashOutcome, CashRead, movements, tie_cash
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import Attribution
from dora.core.accounts.rewards import Reward, RewardKind, explained, post_rewards
from dora.core.units import Money, TimeMs
from tests.support.account_cases import MINUTE_MS, bid, booked
from tests.support.examples import NOW, dollars
from tests.world.stored_books import StoredBooks, unlike

TICKERS = ("KXA-1", "KXB-1")
BY = {ticker: Attribution("incentive", "s1") for ticker in TICKERS}
HELD = booked([bid("0.44", "10", "0.02", ticker="KXA-1")], MarketLedger(ticker="KXA-1", shard=0))


def reward(amount: str = "3", program: str = "p1", ticker: str = "KXA-1", shard: int = 0) -> Reward:
    return Reward(
        program=program,
        ticker=ticker,
        shard=shard,
        kind=RewardKind.CREDITED,
        amount=dollars(amount),
        at_ms=NOW,
    )


def test_what_is_expected_changes_no_books_and_no_profit() -> None:
    expected = replace(reward(), kind=RewardKind.EXPECTED)
    posted = post_rewards({"KXA-1": HELD}, [expected], BY)
    (row,) = posted.rows
    assert (posted.ledgers, row.profit, row.rewards_estimated) == ({}, 0, dollars("3"))
    cash = CashBooks(unexplained=dollars("3"))
    assert explained(cash, [expected]) == cash


def test_a_reward_that_is_none_or_of_another_shard_is_refused() -> None:
    with pytest.raises(ValueError, match="is none"):
        reward("0")
    with pytest.raises(ValueError, match="shard"):
        post_rewards({"KXA-1": HELD}, [reward(shard=2)], BY)


def at(minute: int, paid_in: str, ledgers: dict[str, MarketLedger]) -> CashRead:
    moved, fills = movements(ledgers.values())
    now_ms = TimeMs(NOW + minute * MINUTE_MS)
    balances = {0: Money(dollars("100") + HELD.movement + dollars(paid_in))}
    return CashRead(at_ms=now_ms, known_ms=now_ms, balances=balances, movements=moved, fills=fills)


def test_a_credit_explains_the_cash_that_was_found() -> None:
    ledgers = {"KXA-1": HELD}
    cash = tie_cash(CashBooks(), at(0, "0", ledgers)).books
    for minute in (1, 2):
        found = tie_cash(cash, at(minute, "3", ledgers))
        cash = found.books
    assert (found.outcome, found.difference) == (CashOutcome.UNEXPLAINED, dollars("3"))

    posted = post_rewards(ledgers, [reward()], BY)
    after = tie_cash(explained(cash, [reward()]), at(3, "3", dict(posted.ledgers)))
    assert (after.outcome, after.difference, after.books.unexplained) == (CashOutcome.TIED, 0, 0)


REWARDS = st.builds(
    Reward,
    program=st.sampled_from(["p1", "p2", "p3"]),
    ticker=st.sampled_from(TICKERS),
    shard=st.just(0),
    kind=st.sampled_from(RewardKind),
    amount=st.integers(1, 10**9).map(Money),
    at_ms=st.integers(0, 3 * 24 * 60).map(lambda minutes: TimeMs(NOW + minutes * MINUTE_MS)),
)


@given(st.lists(REWARDS, max_size=12), st.integers(-(10**8), 10**8))
def test_rows_sum_to_the_books_and_cash_ties_as_it_would_have_without(
    rewards: list[Reward], moved: int
) -> None:
    empty = {ticker: MarketLedger(ticker=ticker, shard=0) for ticker in TICKERS}
    posted = post_rewards(empty, rewards, BY)
    ledgers = empty | posted.ledgers
    positions = {ticker: own.position for ticker, own in ledgers.items()}
    assert not [*unlike(StoredBooks(ledgers, posted.rows), positions)]

    credited = sum(own.amount for own in rewards if own.kind is RewardKind.CREDITED)
    assert sum(row.profit for row in posted.rows) == credited
    assert sum(row.rewards_estimated for row in posted.rows) == sum(own.amount for own in rewards) - credited

    cash = tie_cash(CashBooks(), at(0, "0", empty)).books
    later = at(1, "0", empty)
    later = later._replace(balances={0: Money(later.balances[0] + moved)})
    known = {0: sum(own.movement for own in ledgers.values())}
    without = tie_cash(cash, later)
    beside = tie_cash(explained(cash, rewards), later._replace(movements=known))
    assert (beside.outcome, beside.difference) == (without.outcome, without.difference)
    assert beside.books.unexplained == without.books.unexplained - credited
