"""A position's profit at a mark, and where two counts of it disagree."""

from dora.core.accounts.ledger import Drift, Position, find_drift
from dora.core.units import Count
from tests.support.examples import TICKER, cents, contracts, dollars

FLAT = Position(ticker=TICKER, shard=0)


def test_profit_counts_the_open_contracts_at_the_mark_and_fees_in() -> None:
    short = FLAT._replace(net=contracts("-3"), cash=dollars("1.38"), fees=dollars("0.013041"))
    assert short.profit(cents("0.46")) == dollars("-0.013041")
    assert short.profit(cents("0")) == dollars("1.366959")


def test_drift_names_every_market_whose_counts_differ() -> None:
    ours = {
        "same": FLAT._replace(ticker="same", net=contracts("3")),
        "off": FLAT._replace(ticker="off", net=contracts("3")),
        "ours": FLAT._replace(ticker="ours", net=contracts("-1")),
        "flat": FLAT._replace(ticker="flat"),
        "paid": FLAT._replace(ticker="paid", settled=True),
    }
    theirs = {"same": contracts("3"), "off": contracts("4"), "theirs": contracts("2")}
    assert find_drift(ours, theirs) == (
        Drift("off", contracts("3"), contracts("4")),
        Drift("ours", contracts("-1"), Count(0)),
        Drift("theirs", Count(0), contracts("2")),
    )
