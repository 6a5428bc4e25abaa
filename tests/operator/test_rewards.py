"""`dora rewards`: reads alone unless it is told to book, asks first, and a credit is booked once."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from dora.core.accounts.cash_tie import UnexplainedCash
from dora.core.accounts.records import AccountRecords
from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.units import TimeMs
from dora.core.zones import DAY_MS
from dora_operator.commands.rewards import Match, matches
from tests.operator.driver import local_driver
from tests.support.examples import NOW, TICKER, dollars

EXPECTED = Reward(
    program="p",
    ticker=TICKER,
    shard=0,
    kind=RewardKind.EXPECTED,
    amount=dollars("5"),
    at_ms=TimeMs(NOW - DAY_MS),
)
CASH = UnexplainedCash(since_ms=NOW, found_ms=NOW, amount=dollars("5.20"), by_shard={})


def records(*rewards: Reward, cash: tuple[UnexplainedCash, ...] = (CASH,)) -> AccountRecords:
    return AccountRecords(fills=(), payouts=(), cash=cash, rewards=rewards)


def test_cash_matches_the_program_that_it_can_be_of_once() -> None:
    found = [Match("p", TICKER, CASH.amount)]
    credited = Reward(
        program="p", ticker=TICKER, shard=0, kind=RewardKind.CREDITED, amount=CASH.amount, at_ms=NOW
    )
    assert list(matches(records(EXPECTED), lambda: frozenset({"p"}))) == found
    assert list(matches(records(EXPECTED, cash=(CASH, CASH)), lambda: frozenset({"p"}))) == found
    assert list(matches(records(EXPECTED), frozenset)) == []
    assert list(matches(records(EXPECTED, credited), lambda: frozenset({"p"}))) == []


def test_without_cash_that_was_found_the_exchange_is_not_asked() -> None:
    assert list(matches(records(EXPECTED, cash=()), lambda: pytest.fail("asked"))) == []


def test_a_credit_that_a_person_names_is_booked_once_after_asking(tmp_path: Path) -> None:
    with local_driver() as driver:
        ticker = driver.stack.scene.tickers[0]
        named = ("rewards", "--book", "--program", "p", "--market", ticker, "--amount", "1.25")
        assert driver.run("start", "--yes").exit_code == 0
        driver.minutes(2)
        assert driver.answer("rewards") == []
        assert driver.run(*named).exit_code != 0  # Nobody said yes.
        driver.stack.world.clock.advance_ms(1_000)
        first = driver.run(*named, "--yes")
        driver.stack.world.clock.advance_ms(1_000)
        again = driver.run(*named, "--yes")
        driver.stack.sleep_to_the_next_tick()
        driver.minutes(1)

        assert (first.exit_code, again.exit_code) == (0, 0)
        assert "credited before" in again.output
        (row,) = driver.answer("rewards")
        assert (row["market"], row["credited"], row["expected"]) == (ticker, "1.250000", None)
        (earned,) = [
            own for own in driver.answer("pnl", "--by", "strategy")["rows"] if own["rewards"] != "0.000000"
        ]
        assert (earned["strategy"], earned["rewards"]) == ("incentive", "1.250000")
        page = tmp_path / "report.html"
        assert driver.run("report", "--out", str(page)).exit_code == 0
        text = page.read_text(encoding="utf-8")
        credited = re.search(rf"<td>{ticker}</td><td>([^<]+)</td><td>1\.25</td><td>0\.00</td>", text)
        (own,) = [row for row in driver.answer("pnl", "--by", "market")["rows"] if row["market"] == ticker]
        assert credited is not None
        assert abs(Decimal(credited[1]) - Decimal(own["profit"])) <= Decimal("0.005")
        assert "<b>1.25 $</b><span>rewards credited, in the profit</span>" in text
