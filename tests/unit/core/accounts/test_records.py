"""One line for each thing an account did, in the order of time."""

import csv
from dataclasses import replace

from dora.core.accounts.cash_tie import UnexplainedCash
from dora.core.accounts.records import COLUMNS, AccountRecords, csv_lines
from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.units import TimeMs
from tests.support.account_cases import ask, bid, settled
from tests.support.examples import NOW, TICKER, dollars

LATER = TimeMs(NOW + 60_000)
PAID_IN = UnexplainedCash(
    since_ms=NOW, found_ms=LATER, amount=dollars("20"), by_shard={0: dollars("25"), 2: dollars("-5")}
)
CREDIT = Reward(
    program="p1", ticker=TICKER, shard=0, kind=RewardKind.CREDITED, amount=dollars("3"), at_ms=LATER
)
RECORDS = AccountRecords(
    fills=(ask("0.45", "3", "0.01", after_ms=2), bid("0.44", "10", after_ms=1)),
    payouts=(settled("1", "yes", after_ms=9, revenue="7"),),
    cash=(PAID_IN, PAID_IN._replace(since_ms=LATER, by_shard={})),
    rewards=(CREDIT, replace(CREDIT, kind=RewardKind.EXPECTED)),
)


def rows(year: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(csv_lines(RECORDS, year)))


def test_a_line_says_what_when_where_and_how_much() -> None:
    assert list(csv_lines(RECORDS))[3:5] == [
        f"2026-11-20T14:00:00.001Z,2026-11-20,fill,{TICKER},0,bid,10.00,0.4400,-4.400000,0.000000,f1",
        f"2026-11-20T14:00:00.002Z,2026-11-20,fill,{TICKER},0,ask,3.00,0.4500,1.350000,0.010000,f2",
    ]


def test_lines_stand_in_the_order_of_time_and_cash_by_shard() -> None:
    assert tuple(rows()[0]) == COLUMNS
    told = [(row["kind"], row["shard"], row["side"], row["amount_dollars"]) for row in rows()]
    assert told == [
        ("cash", "0", "", "25.000000"),
        ("cash", "2", "", "-5.000000"),
        ("fill", "0", "bid", "-4.400000"),
        ("fill", "0", "ask", "1.350000"),
        ("payout", "0", "yes", "7.000000"),
        ("cash", "", "", "20.000000"),
        ("reward", "0", "", "3.000000"),
    ]


def test_a_year_is_the_exchange_s_and_strange_words_stay_one_cell() -> None:
    new_year = TimeMs(1_798_779_600_000 - 1)
    strange = bid("0.44", "1", fill_id='a,"b', at_ms=new_year)
    records = AccountRecords((strange, bid("0.44", "1", at_ms=TimeMs(new_year + 1))), (), ())
    (row,) = csv.DictReader(csv_lines(records, "2026"))
    assert (row["id"], row["exchange_day"]) == ('a,"b', "2026-12-31")
