"""Fills are stored in transactions: as many at once as fit, each of them in exactly one."""

from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.posting import Attribution, post_fills
from dora.core.accounts.stored_books import (
    FILLS_PER_TRANSACTION,
    ITEMS_PER_MARKET,
    ITEMS_PER_TRANSACTION,
    BookChange,
    Booking,
    fitting,
)
from dora.core.exchange.account import Fill
from dora.core.zones import DAY_MS
from tests.support.account_cases import bid

BY = {f"o{number}": Attribution("reservation", f"s{number}") for number in range(3)}


def filled(number: int, market: int = 0, order: int = 0, day: int = 0) -> Fill:
    at_ms = {"after_ms": number + day * DAY_MS}
    return bid("0.44", "1", fill_id=f"f{number}", ticker=f"KX-{market}", order_id=f"o{order}", **at_ms)


def test_thirty_three_fills_of_one_market_fit_and_twenty_four_of_as_many() -> None:
    same = [filled(number) for number in range(70)]
    assert [len(part) for part in fitting(same, BY)] == [33, 33, 4]
    each = [filled(number, market=number) for number in range(50)]
    assert [len(part) for part in fitting(each, BY)] == [24, 24, 2]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(0, 1)), max_size=150))
def test_every_fill_is_in_exactly_one_part_and_every_part_fits(drawn: list[tuple[int, int, int]]) -> None:
    fills = [filled(number, *where) for number, where in enumerate(drawn)]
    parts = list(fitting(fills, BY))
    assert [one for part in parts for one in part] == fills
    for part in parts:
        posted = post_fills({}, part, (), BY)
        changes = tuple(map(BookChange, posted.ledgers.values()))
        booking = Booking(changes=changes, rows=posted.rows, fills=posted.fills)
        items = len(booking.fills) + ITEMS_PER_MARKET * len(changes) + len(booking.rows)
        assert len(booking.fills) <= FILLS_PER_TRANSACTION
        assert items <= ITEMS_PER_TRANSACTION
