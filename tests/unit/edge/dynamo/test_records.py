"""Records of fills, payouts, cash and rewards are kept for seven years, and read for people."""

from typing import TYPE_CHECKING

from dora.core.accounts.cash_tie import CashBooks, UnexplainedCash
from dora.core.accounts.records import AccountRecords
from dora.core.accounts.rewards import Reward, RewardKind, explained
from dora.core.accounts.stored_books import Booking
from dora.core.state import Changes
from dora.core.units import Money
from dora.edge.dynamo.records import read_records
from tests.support.bookings import FIRST, of_payout
from tests.support.dynamo_values import BOT, NOW_MS, empty_tables, settlement
from tests.support.store_backings import DynamoBacking, take_fence

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SEVEN_YEARS_S = 7 * 365 * 86_400


def test_all_that_was_booked_is_on_record_for_seven_years(dynamo: "DynamoDBClient") -> None:
    empty_tables(dynamo)
    backing = DynamoBacking(dynamo)
    fence, state = take_fence(backing), backing.state()
    found = UnexplainedCash(since_ms=NOW_MS, found_ms=NOW_MS, amount=Money(7), by_shard={2: Money(7)})
    state.book(fence, FIRST)
    state.book(fence, of_payout(settlement(), FIRST.ledgers["KXA-1"]))
    for _ in range(2):
        state.commit(fence, Changes(cash=CashBooks(unexplained=Money(7)), unexplained=found))
    credit = Reward(
        program="p", ticker="KXA-1", shard=1, kind=RewardKind.CREDITED, amount=Money(7), at_ms=NOW_MS
    )
    cash = explained(CashBooks(unexplained=Money(7)), [credit])
    state.book(fence, Booking(changes=(), rewards=(credit,), cash=cash))

    assert read_records(dynamo, "state", BOT) == AccountRecords(
        FIRST.fills, (settlement(),), (found,), (credit,)
    )
    items = [
        item
        for item in dynamo.scan(TableName="state", ConsistentRead=True)["Items"]
        if item["pk"]["S"].endswith(("#fills", "#settlements", "#cash", "#rewards"))
    ]
    assert len(items) == 4
    assert all(int(item["expires_at"]["N"]) >= NOW_MS // 1000 + SEVEN_YEARS_S for item in items)
