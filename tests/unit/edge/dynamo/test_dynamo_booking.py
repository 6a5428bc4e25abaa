"""How the books lie in the table: markers that may go one day, and what must stay."""

from typing import TYPE_CHECKING

from dora.core.accounts.posting import EXTERNAL, Attribution, post_fills
from dora.core.accounts.stored_books import (
    FILLS_PER_TRANSACTION,
    MARKETS_PER_TRANSACTION,
    BookChange,
    Booking,
)
from tests.support.bookings import FIRST, of_fills, of_payout
from tests.support.dynamo_values import (
    BOT,
    NOW_MS,
    StandingClock,
    fill,
    open_state,
    settlement,
    stored,
    take_lease,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


SEVEN_YEARS_S = 7 * 366 * 86_400
"""So long tax offices ask for records of fills and payouts."""


def test_each_part_lies_in_a_partition_of_its_own(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    state.book(fence, FIRST)

    marker = stored(dynamo, f"{BOT}#fills")["FILL#fill-1"]
    assert int(marker["expires_at"]["N"]) == NOW_MS // 1000 + SEVEN_YEARS_S
    assert "expires_at" not in stored(dynamo, f"{BOT}#books")["BOOK#1#KXA-1"]
    (row,) = FIRST.rows
    assert stored(dynamo, f"{BOT}#pnl")[f"{row.day}#KXA-1#external#"]["fees"] == {"N": "1234"}


def test_the_largest_transactions_fit(dynamo: "DynamoDBClient") -> None:
    """Every fill in a market and a row of its own; many in one market; and as many markets without fills."""
    fence, state = take_lease(dynamo), open_state(dynamo)
    assert state.book(fence, of_fills([fill(n, f"KXA-{n}") for n in range(24)]))
    assert state.book(fence, of_fills([fill(1_000 + n, "KXC-1") for n in range(FILLS_PER_TRANSACTION)]))

    each = [of_fills([fill(100 + n, f"KXB-{n}")]) for n in range(MARKETS_PER_TRANSACTION)]
    changes = tuple(change for one in each for change in one.changes)
    assert state.book(fence, Booking(changes=changes, rows=tuple(row for one in each for row in one.rows)))
    assert len(open_state(dynamo).load().books) == 24 + 1 + MARKETS_PER_TRANSACTION


def test_fills_of_one_market_may_be_of_rows_of_their_own(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    posted = post_fills({}, [fill(1), fill(2)], (), {"order-1": Attribution("reservation", "s1")})
    changes = (BookChange(posted.ledgers["KXA-1"]),)
    state.book(fence, Booking(changes=changes, rows=posted.rows, fills=posted.fills))
    assert [row.strategy for row in state.profit_rows()] == [EXTERNAL.strategy, "reservation"]


def test_more_fills_are_looked_up_than_one_request_may_name(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    state.book(fence, of_fills([fill(150)]))

    assert state.booked([f"fill-{n}" for n in range(205)]) == {"fill-150"}


def test_a_settled_position_still_counts_in_what_was_traded(dynamo: "DynamoDBClient") -> None:
    clock = StandingClock()
    fence, state = take_lease(dynamo), open_state(dynamo, clock)
    state.book(fence, FIRST)
    state.book(fence, of_payout(settlement(), FIRST.ledgers["KXA-1"]))

    clock.sleep_ms(10**12)

    assert [(own.settled, own.traded) for own in state.load().positions.values()] == [(True, fill(1).count)]
    assert "expires_at" not in stored(dynamo)["POSITION#1#KXA-1"]
    (payout,) = stored(dynamo, f"{BOT}#settlements").values()
    assert int(payout["expires_at"]["N"]) >= SEVEN_YEARS_S
