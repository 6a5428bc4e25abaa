"""What the account is worth: cash and marked positions, never told too high."""

from dora.core.accounts.ledger import Position
from dora.core.risk.equity import equity
from dora.core.units import Money, Price
from tests.support.examples import EVENT, TICKER, cents, contracts, dollars, event, market
from tests.support.risk_cases import OTHER

CASH = {0: dollars("10"), 2: dollars("5")}


def held(ticker: str, net: str) -> Position:
    return Position(ticker=ticker, shard=0, net=contracts(net))


def worth(*positions: Position, exclusive: bool = False) -> Money | None:
    markets = {ticker: market(ticker=ticker) for ticker in (TICKER, OTHER)}
    marks: dict[str, Price] = {TICKER: cents("0.30"), OTHER: cents("0.40")}
    return equity(CASH, positions, marks, markets, {EVENT: event(exclusive=exclusive)})


def test_cash_of_all_shards_counts() -> None:
    assert worth() == dollars("15")


def test_bought_contracts_are_worth_their_mark_and_sold_ones_the_rest_to_a_dollar() -> None:
    assert worth(held(TICKER, "10")) == dollars("18")
    assert worth(held(TICKER, "-10")) == dollars("22")


def test_collateral_that_may_have_been_returned_is_not_counted_twice() -> None:
    pair = (held(TICKER, "-10"), held(OTHER, "-6"))
    assert worth(*pair) == dollars("25.60")
    assert worth(*pair, exclusive=True) == dollars("19.60")


def test_it_is_unknown_without_cash_or_without_a_mark() -> None:
    assert equity(None, (), {}, {}, {}) is None
    assert equity(CASH, [held(TICKER, "1")], {}, {}, {}) is None
    assert equity(CASH, [held(TICKER, "0")], {}, {}, {}) == dollars("15")
