"""A credit is booked once, in a market that has left the state too, and the rows still sum to the books."""

from dataclasses import replace

import pytest

from dora.core.accounts.booking import book_fill
from dora.core.accounts.cash_tie import CashBooks, UnexplainedCash
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.accounts.settlement import settle
from dora.core.errors import StateUnavailable
from dora.core.orders.journal import Journal
from dora.core.units import Money
from dora.flow.shared.bookkeeping import Bookkeeper
from dora.flow.shared.earners import Earners
from dora.flow.shared.rewards import book_rewards
from tests.support.account_cases import bid, settled
from tests.support.examples import NOW, TICKER, dollars
from tests.support.kept_state import KeptState
from tests.world.memory_cloud import StoreFaults
from tests.world.stored_books import unlike

OVER = settle(book_fill(MarketLedger(ticker=TICKER, shard=0), bid("0.44", "10", "0.01")), settled("1", "yes"))
CREDIT = Reward(
    program="p1", ticker=TICKER, shard=0, kind=RewardKind.CREDITED, amount=dollars("3"), at_ms=NOW
)
EXPECTED = replace(CREDIT, kind=RewardKind.EXPECTED, amount=dollars("2.5"))
UNKNOWN = replace(CREDIT, ticker="KXNEVER-1", program="p2")
CASH = CashBooks(unexplained=dollars("10"))
FOUND = UnexplainedCash(since_ms=NOW, found_ms=NOW, amount=dollars("10"), by_shard={})


class LostAnswer(StoreFaults):
    """The answer of the next booking is lost."""

    lost = False

    def after(self, method: str) -> None:
        if method == "state.book" and not self.lost:
            self.lost = True
            raise StateUnavailable("answer lost")


def cycle(kept: KeptState, *rewards: Reward, cash: CashBooks = CASH) -> CashBooks:
    """A cycle that has just read the state."""
    state = kept.state.load()
    books = Bookkeeper(kept.ports, kept.fence, state.books, state.positions)
    earners = Earners(None, Journal(), {TICKER: "incentive"})
    return book_rewards(kept.ports, books, earners, rewards, cash, FOUND)


def credited(kept: KeptState) -> Money:
    return Money(sum(own.rewards for own in kept.state.load().books.values()))


def test_a_program_is_credited_once_in_a_market_and_what_it_explains_is_explained_once() -> None:
    kept = KeptState([OVER])
    first = cycle(kept, EXPECTED, CREDIT, UNKNOWN)
    assert first.unexplained == dollars("4")
    assert kept.state.load().cash == first
    again = cycle(kept, EXPECTED, CREDIT, replace(CREDIT, amount=dollars("9")), cash=first)
    assert (again, credited(kept)) == (first, dollars("6"))
    rows = kept.state.profit_rows()
    assert sum(row.rewards for row in rows) == dollars("6")
    assert sum(row.rewards_estimated for row in rows) == dollars("2.5")
    assert not [*unlike(kept.books(), kept.positions())]
    assert [fact["amount_dollars"] for fact in kept.facts.of("REWARD_CREDITED")] == ["3.000000"] * 2
    assert [*kept.partition.unexplained.values()] == [FOUND]


def test_a_booking_whose_answer_was_lost_credits_once() -> None:
    kept = KeptState([OVER])
    kept.state.cloud.faults = LostAnswer()
    with pytest.raises(StateUnavailable):
        cycle(kept, CREDIT)
    stored = kept.state.load().cash
    assert stored.unexplained == dollars("7")
    assert cycle(kept, CREDIT, cash=stored) == stored
    assert credited(kept) == dollars("3")


def test_a_market_that_has_left_the_state_comes_back_for_its_credit() -> None:
    kept = KeptState([OVER])
    state = kept.state.load()
    Bookkeeper(kept.ports, kept.fence, state.books, state.positions).retire([OVER])
    assert TICKER not in kept.state.load().books

    cycle(kept, CREDIT)

    assert kept.state.load().books[TICKER] == OVER._replace(rewards=dollars("3"))
    assert not [*unlike(kept.books(), kept.positions())]


def test_more_credits_than_one_transaction_holds_are_all_booked() -> None:
    kept = KeptState([])
    many = [replace(CREDIT, ticker=f"KX-{number}", program="p") for number in range(60)]
    cash = cycle(kept, *many, cash=CashBooks(unexplained=dollars("180")))
    assert (cash.unexplained, credited(kept)) == (0, dollars("180"))
