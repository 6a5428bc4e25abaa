"""The books equal the simulator's own, to the millionth of a dollar, however late or often they are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from dora.core.accounts.booking import RECENT
from dora.core.accounts.cash_tie import CashOutcome
from dora.core.accounts.drift import ABSENCE_MS
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.units import Price
from tests.simulator import model
from tests.simulator.account import Position
from tests.simulator.knobs import Knobs
from tests.support.kept_books import KeptBooks
from tests.support.simulator_desk import DOLLAR_E6, HOUR_MS, Desk, market

MARKETS = {"RAIN-A": 0, "RAIN-B": 0, "COIN-A": 2, "SNOW-A": 0}
CASH = {0: 100_000, 2: 100_000}


@dataclass(frozen=True, slots=True)
class Account:
    """What one market of the simulator's account came to since the books were opened."""

    net: int
    cost: int
    realised: int
    fees: int
    volume: int
    unrealised: int


@dataclass(slots=True)
class Trading:
    """An account on the simulator, and books that are kept of it."""

    knobs: Knobs
    desk: Desk = field(init=False)
    books: KeptBooks = field(init=False)
    before: dict[str, Position] = field(default_factory=dict)
    withheld: list[model.Fill] = field(default_factory=list)
    listed: int = 0
    foreign_e6: int = 0

    def __post_init__(self) -> None:
        self.desk = Desk(self.knobs, cash=CASH)
        self.desk.exchange.add_market(market("SNOW-A", fee_type="quadratic_with_maker_fees"))
        self.books = KeptBooks(self.desk)

    # --- what happens on the exchange -------------------------------------------------------------------

    def trade(self, ticker: str, side: str, price_e4: int, count_e2: int, taker: bool) -> None:
        """One fill of ours. Times differ, for within a millisecond nobody knows the exchange's order."""
        if self.desk.exchange.venue.markets[ticker].result:
            return
        self.desk.clock.advance_ms(1_000)
        exchange, other = self.desk.exchange, "ask" if side == "bid" else "bid"
        if taker:
            exchange.background_order(ticker, other, price_e4, count_e2)
            exchange.member_order(
                self.desk.member, ticker, side, price_e4, count_e2, time_in_force="immediate_or_cancel"
            )
        else:
            exchange.member_order(self.desk.member, ticker, side, price_e4, count_e2)
            exchange.background_take(ticker, other, price_e4, count_e2)

    def settle(self, ticker: str, result: str, value_e4: int) -> None:
        """Settle it, or amend its result after the payout."""
        self.desk.clock.advance_ms(1_000)
        over = self.desk.exchange.venue.markets[ticker].result
        change = self.desk.exchange.amend_result if over else self.desk.exchange.settle
        change(ticker, result, value_e4 if result == "scalar" else None)

    def pay_in(self, shard: int, amount_e6: int) -> None:
        """A deposit, a withdrawal or a credit that no list shows."""
        self.desk.account.move(shard, amount_e6)
        self.foreign_e6 += amount_e6

    # --- what the books are told ------------------------------------------------------------------------

    def open_books(self) -> None:
        """Begin: cash is anchored, positions held already are taken over."""
        self.before = {ticker: replace(own) for ticker, own in self.desk.account.positions.items()}
        self.withheld = [
            fill for fill in self.desk.member.fills if self.before[fill.trade.ticker].position_e2
        ]
        self.listed = len(self.desk.member.fills)
        self.books.positions()
        assert self.books.balance().outcome is CashOutcome.OPENED

    def read(self, keep_back: Sequence[bool], doubled: bool) -> None:
        """A list of fills since the last one, some rows of which come later, and all payouts."""
        new = self.desk.member.fills[self.listed :]
        self.listed += len(new)
        late = [fill for fill, back in zip(new, keep_back, strict=False) if back]
        shown = [fill for fill in new if fill not in late]
        self.withheld += late
        self.books.fills([*reversed(shown), *(shown if doubled else ())])
        self.books.settlements(self.desk.member.settlements)

    def compare(self) -> None:
        """Positions are compared while fills lag; afterwards all that is held is held in our books too."""
        self.books.positions()
        over = {row.market.ticker for row in self.desk.member.settlements}
        held = [ticker for ticker in MARKETS.keys() - over if self.theirs(ticker).net]
        assert [self.ours(ticker).net for ticker in held] == [self.theirs(ticker).net for ticker in held]

    def opened_at(self, ledger: MarketLedger) -> int:
        """What the contracts cost that the account held in that market before the books began."""
        return self.before.get(ledger.ticker, Position()).cost_e6

    def catch_up(self) -> None:
        """What was held back arrives, newest first as in every list."""
        self.books.fills([*reversed(self.withheld)])
        self.withheld.clear()

    # --- what must be equal -----------------------------------------------------------------------------

    def theirs(self, ticker: str) -> Account:
        own = self.desk.account.positions.get(ticker, Position())
        before = self.before.get(ticker, Position())
        mark_e4 = 3_700
        leg_e4 = mark_e4 if own.position_e2 > 0 else 10_000 - mark_e4
        return Account(
            own.position_e2,
            own.cost_e6,
            own.realized_e6 - before.realized_e6,
            own.fees_e6 - before.fees_e6,
            own.traded_e6 - before.traded_e6,
            abs(own.position_e2) * leg_e4 - own.cost_e6,
        )

    def ours(self, ticker: str) -> Account:
        own = self.books.ledgers.get(ticker) or MarketLedger(ticker=ticker, shard=MARKETS[ticker])
        unrealised = own.unrealised(Price(3_700))
        return Account(own.net, own.cost, own.realised, own.fees, own.volume, unrealised)


TICKERS = st.sampled_from(sorted(MARKETS))
TRADES = st.tuples(
    st.just("trade"),
    TICKERS,
    st.sampled_from(["bid", "ask"]),
    st.integers(1, 99).map(lambda cents: cents * 100),
    st.integers(1, 5_000),
    st.booleans(),
)
RESULTS = st.tuples(
    st.just("settle"),
    TICKERS,
    st.sampled_from(["yes", "no", "scalar", "void"]),
    st.integers(0, 100).map(lambda cents: cents * 100),
)
READS = st.tuples(st.just("read"), st.lists(st.booleans(), max_size=6), st.booleans())
PAYMENTS = st.tuples(
    st.just("pay_in"), st.sampled_from([0, 2]), st.integers(-500, 500).map(lambda x: x * DOLLAR_E6 // 7)
)
EARLIER = st.lists(TRADES, max_size=4)
CATCH_UPS, COMPARISONS = st.tuples(st.just("catch_up")), st.tuples(st.just("compare"))
MOST = RECENT - 1
"""Beside an opening, no market has more events than are kept: then late fills are exact in every figure."""
LATER = st.lists(st.one_of(TRADES, TRADES, TRADES, RESULTS, READS, CATCH_UPS, PAYMENTS), max_size=MOST)
COMPARED = st.lists(
    st.one_of(TRADES, TRADES, TRADES, RESULTS, READS, CATCH_UPS, COMPARISONS, COMPARISONS), max_size=MOST
)
KNOBS = st.builds(
    Knobs,
    balance_rounding_e6=st.sampled_from([1, 100, 10_000]),
    amended_payout=st.sampled_from(["further", "replaced"]),
)


def played(knobs: Knobs, earlier: list[Any], later: list[Any]) -> Trading:
    """Open the books after some trading, go through the rest of it, and at last hear of everything."""
    trading = Trading(knobs)
    for _, *arguments in earlier:
        trading.trade(*arguments)
    trading.open_books()
    for name, *arguments in later:
        getattr(trading, name)(*arguments)
    trading.read([], doubled=True)
    trading.catch_up()
    return trading


def assert_equal(trading: Trading) -> None:
    for ticker in MARKETS:
        assert trading.ours(ticker) == trading.theirs(ticker), ticker


@given(KNOBS, EARLIER, LATER)
def test_position_cost_profit_and_fees_are_the_exchange_s(
    knobs: Knobs, earlier: list[Any], later: list[Any]
) -> None:
    trading = played(knobs, earlier, later)
    assert_equal(trading)
    ledgers = trading.books.ledgers.values()
    event(f"opened: {any(own.opened_ms for own in ledgers)}, settled: {any(own.settled for own in ledgers)}")


@given(KNOBS, EARLIER, LATER)
def test_the_rows_sum_to_the_books_and_the_books_tie_to_the_cash(
    knobs: Knobs, earlier: list[Any], later: list[Any]
) -> None:
    trading = played(knobs, earlier, later)
    ledgers = trading.books.ledgers.values()
    assert sum(row.profit for row in trading.books.rows) == sum(own.realised - own.fees for own in ledgers)
    assert sum(row.traded for row in trading.books.rows) == sum(own.traded for own in ledgers)

    tie = trading.books.balance_confirmed()
    assert tie.outcome is CashOutcome.TIED
    assert tie.books.residue + tie.books.unexplained == trading.foreign_e6


@given(KNOBS, EARLIER, COMPARED)
def test_scenario_63_drift_that_healed_is_undone_by_the_fills_that_explain_it(
    knobs: Knobs, earlier: list[Any], later: list[Any]
) -> None:
    trading = played(knobs, earlier, later)
    assert_equal(trading)
    ledgers = trading.books.ledgers.values()
    assert all(own.unexplained == 0 and own.brought == trading.opened_at(own) for own in ledgers)
    assert sum(row.profit for row in trading.books.rows) == sum(own.realised - own.fees for own in ledgers)
    event(f"adjusted: {any(own.adjusted_ms for own in ledgers)}")


def test_a_position_that_went_flat_unseen_heals_when_its_row_is_missing_long_enough() -> None:
    trading = Trading(Knobs())
    trading.open_books()
    trading.trade("RAIN-A", "bid", 4_000, 1_000, taker=False)
    trading.read([], doubled=False)
    trading.trade("RAIN-A", "ask", 4_500, 1_000, taker=False)
    assert trading.books.positions() == 0
    trading.desk.clock.advance_ms(HOUR_MS)
    assert trading.books.positions() == 0
    trading.desk.clock.advance_ms(ABSENCE_MS)
    assert trading.books.positions() == 1
    assert (trading.ours("RAIN-A").net, trading.ours("RAIN-A").realised) == (0, 0)
    trading.read([], doubled=False)
    assert trading.ours("RAIN-A") == trading.theirs("RAIN-A")
