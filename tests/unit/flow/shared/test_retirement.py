"""State does not grow with the markets that were ever traded, and forgets nothing of them."""

import pytest

from dora.core.accounts.booking import book_fill
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.retirement import QUIET_MS, is_totals
from dora.core.accounts.settlement import settle
from dora.core.exchange.account import ExchangePosition, Fill, Settlement
from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.market import Market, MarketStatus
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.journal import Journal
from dora.core.orders.ownership import POSITIONS
from dora.core.units import TimeMs
from dora.flow.shared.accounting import Accounts, keep_accounts
from dora.flow.shared.retirement import LEAVING_AT_ONCE
from tests.support.account_cases import MINUTE_MS, bid, settled
from tests.support.examples import NOW, TICKER, dollars, market
from tests.support.kept_state import KeptState
from tests.world.stored_books import unlike

MARKETS = 2_000
LATER = TimeMs(NOW + 2 * QUIET_MS)


def over(ticker: str, shard: int = 0) -> MarketLedger:
    """Bought, and paid out."""
    ledger = MarketLedger(ticker=ticker, shard=shard)
    bought = book_fill(ledger, bid("0.44", "10", "0.01", ticker=ticker, shard=shard))
    return settle(bought, settled("1", "yes", ticker=ticker)._replace(shard=shard))


def cycle(
    kept: KeptState,
    *,
    fills: tuple[Fill, ...] = (),
    settlements: tuple[Settlement, ...] = (),
    status: MarketStatus | None = None,
    listed: Market | None = None,
    positions: tuple[ExchangePosition, ...] | None = (),
    set_apart: tuple[UnreadableRow, ...] = (),
) -> Accounts:
    """One cycle's accounts. `status`: of the test's market, or all that is `listed` of it."""
    shown = listed or (market(status=status) if status else None)
    markets = {TICKER: shown} if shown else {}
    reads = Snapshot(
        began_ms=LATER,
        as_of_ms=LATER,
        fills=fills,
        settlements=settlements,
        positions=positions,
        markets=markets,
        set_apart=set_apart,
    )
    strategies = {TICKER: "reservation"}
    state = kept.state.load()
    return keep_accounts(kept.ports, kept.fence, state, Journal(), reads, strategies)


def test_no_market_leaves_while_nobody_knows_whether_the_exchange_holds_it() -> None:
    kept = KeptState([over(TICKER)])
    row = UnreadableRow(list_name=POSITIONS, ticker=TICKER, problem="no whole number")

    assert TICKER in cycle(kept, positions=None).books
    assert TICKER in cycle(kept, set_apart=(row,)).books
    assert TICKER not in cycle(kept).books


def test_state_after_two_thousand_settled_markets_is_that_of_none_and_two_totals() -> None:
    kept = KeptState(over(f"KX-{number}", number % 2) for number in range(MARKETS))
    before = kept.state.load()
    for _ in range(MARKETS // LEAVING_AT_ONCE + 1):
        accounts = cycle(kept)
    after = kept.state.load()

    assert all(map(is_totals, after.books))
    assert after.books.keys() == after.positions.keys()
    assert len(after.books) == 2
    assert len(kept.partition.retired) == MARKETS
    assert after.traded == before.traded == accounts.traded
    assert accounts.fees == dollars("20")
    assert accounts.profit({}) == dollars("5.59") * MARKETS
    assert list(unlike(kept.books(), kept.positions())) == []


@pytest.mark.parametrize("retired", [True, False])
def test_a_late_fill_of_a_market_that_left_is_paid_out_with_the_rest(retired: bool) -> None:
    kept = KeptState([over(TICKER)])
    if retired:
        cycle(kept)
        assert kept.partition.retired.keys() == {TICKER}
    late = bid("0.50", "2", "0.01", fill_id="late", after_ms=1)

    accounts = cycle(kept, fills=(late,))

    assert accounts.profit({}) == dollars("6.58")
    assert list(unlike(kept.books(), kept.positions())) == []
    assert cycle(kept, fills=(late,)).profit({}) == dollars("6.58")


def test_an_amended_payout_of_a_market_that_left_is_corrected() -> None:
    kept = KeptState([over(TICKER)])
    cycle(kept)
    amended = settled("0", "no", after_ms=LATER - NOW - MINUTE_MS)

    for _ in range(2):
        accounts = cycle(kept, settlements=(amended,))
        assert accounts.books[TICKER].result == "no"

    assert accounts.profit({}) == dollars("-4.41")
    assert list(unlike(kept.books(), kept.positions())) == []


def test_a_payout_that_is_late_is_known_by_the_capital_it_ties_up() -> None:
    kept = KeptState([book_fill(MarketLedger(ticker=TICKER, shard=0), bid("0.44", "10"))])
    closed = market(status=MarketStatus.DETERMINED)._replace(close_ms=TimeMs(NOW - 1))

    (late,) = cycle(kept, listed=closed).overdue

    assert (late.ticker, late.tied_up) == (TICKER, dollars("4.4"))
    assert cycle(kept, status=MarketStatus.ACTIVE).overdue == ()


@pytest.mark.parametrize("status", [None, MarketStatus.ACTIVE])
def test_a_flat_market_that_is_quoted_or_could_not_be_read_stays(status: MarketStatus | None) -> None:
    held = book_fill(MarketLedger(ticker=TICKER, shard=0), bid("0.44", "10"))
    flat = held._replace(net=held.net * 0, cost=held.cost * 0)
    kept = KeptState([flat])

    assert cycle(kept, status=status).books.keys() == {TICKER}
    assert cycle(kept, status=MarketStatus.FINALIZED).books.keys() == {"#retired-0"}
