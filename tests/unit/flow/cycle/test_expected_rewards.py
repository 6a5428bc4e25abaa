"""What a program is expected to pay is booked when it is over: once, an estimate, and in no profit."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dora.core.accounts.cash_tie import CashBooks
from dora.core.errors import StateUnavailable
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.incentives.programs import Due, Programs, read_programs
from dora.core.orders.journal import Journal
from dora.core.units import Money, TimeMs
from dora.core.zones import DAY_MS
from dora.flow.cycle.expected_rewards import book_due, resumed, with_due
from tests.support.examples import NOW, TICKER, dollars
from tests.support.kept_state import KeptState
from tests.world.memory_cloud import StoreFaults

PROGRAM = IncentiveProgram(
    "p", TICKER, "liquidity", TimeMs(NOW - DAY_MS), NOW, dollars("25"), None, None, dollars("4")
)
DUE = Due("p", TICKER, 2, NOW, dollars("3"))
NOW_TOO = TimeMs(NOW - 1)


class Unreachable(StoreFaults):
    """The next booking fails."""

    failed = False

    def before(self, method: str) -> None:
        if method == "state.book" and not self.failed:
            self.failed = True
            raise StateUnavailable("throttled")


def over(banked: str, now_ms: TimeMs = NOW, **changes: Any) -> Programs:
    given: dict[str, Any] = {"tickers": {TICKER}, "shards": {TICKER: 2}, **changes}
    return with_due(Programs(rows=(PROGRAM,)), remembered(banked), given["tickers"], given["shards"], now_ms)


def remembered(banked: str) -> dict[str, dict[str, object]]:
    return {TICKER: {"i_program": "p", "i_banked": int(dollars(banked))}}


def book(kept: KeptState, known: Programs, now_ms: TimeMs = NOW) -> Programs:
    state = kept.state.load()
    accounts = SimpleNamespace(books=state.books, positions=state.positions, journal=Journal())
    loaded = SimpleNamespace(state=SimpleNamespace(session=None, cash=CashBooks()), wanted={})
    context = SimpleNamespace(grant=SimpleNamespace(fence=kept.fence), began_ms=now_ms)
    return book_due(kept.ports, cast(Any, context), cast(Any, loaded), cast(Any, accounts), known)


@pytest.mark.parametrize(("banked", "due"), [("3.009", "3"), ("0.99", None), ("1", "1"), ("9", "4")])
def test_what_is_booked_is_what_would_be_paid(banked: str, due: str | None) -> None:
    kept, known = KeptState([]), over(banked)
    assert known.rows == ()
    assert book(kept, known) == Programs()
    assert [row.rewards_estimated for row in kept.state.profit_rows()] == ([dollars(due)] if due else [])


def test_a_program_is_over_with_its_period_or_with_its_market() -> None:
    assert over("3", NOW_TOO) == Programs(rows=(PROGRAM,))
    assert over("3", NOW_TOO, tickers=set()) == Programs(due=(DUE,))


@pytest.mark.parametrize(("banked", "in_all"), [("5", "4"), ("3.5", "3.5"), ("0.4", "3.4"), ("2", "4")])
def test_a_market_that_comes_back_to_its_program_is_booked_once_with_all_that_it_earned(
    banked: str, in_all: str
) -> None:
    """Its memory has gone on from the three dollars, or has begun anew."""
    left = over("3", NOW_TOO, tickers=set())
    assert book(KeptState([]), left, NOW_TOO) == left
    at_first = "3" if dollars(banked) > dollars("3") else "0"
    back = resumed(left._replace(rows=(PROGRAM,)), left, remembered(at_first))

    kept = KeptState([])
    ended = with_due(back, remembered(banked), {TICKER}, {TICKER: 2}, NOW)
    assert book(kept, ended) == Programs()
    assert [row.rewards_estimated for row in kept.state.profit_rows()] == [dollars(in_all)]


def test_without_a_known_shard_it_waits_and_a_day_at_most() -> None:
    assert over("3", shards={}) == Programs(rows=(PROGRAM,))
    assert over("3", TimeMs(NOW + DAY_MS), shards={}) == Programs()


def test_it_is_booked_once_in_a_row_alone_and_what_failed_stays_due() -> None:
    kept = KeptState([])
    kept.state.cloud.faults = Unreachable()
    owed = book(kept, Programs(due=(DUE,)))
    assert owed == Programs(due=(DUE,))
    assert book(kept, owed) == Programs()
    assert book(kept, owed) == Programs()

    (row,) = kept.state.profit_rows()
    assert (row.rewards_estimated, row.rewards, row.profit) == (dollars("3"), Money(0), Money(0))
    assert kept.state.load().books == {}
    assert len(kept.facts.of("REWARD_EXPECTED")) == 1


def test_memory_keeps_what_is_due_and_an_older_one_has_none() -> None:
    known = Programs(tried_ms=1, read_ms=2, rows=(PROGRAM,), due=(DUE,))
    assert read_programs(known.stored()) == known
    older = {name: own for name, own in known.stored().items() if name != "due"}
    assert read_programs(older) == known._replace(due=())
