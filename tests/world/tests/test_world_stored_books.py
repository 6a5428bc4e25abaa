"""I11 sees rows that do not add up and books that are not the position."""

from dora.core.units import Count, Money
from tests.support.bookings import FIRST, of_fills
from tests.support.dynamo_values import fill
from tests.world.stored_books import StoredBooks, unlike

SECOND = of_fills([fill(2)], FIRST.ledgers)
ROWS = FIRST.rows + SECOND.rows


def found(rows: tuple[object, ...], net: int = 200) -> list[str]:
    positions = {"KXA-1": SECOND.positions["KXA-1"]._replace(net=Count(net))}
    return [text.split(":")[0] for text in unlike(StoredBooks(SECOND.ledgers, rows), positions)]  # type: ignore[arg-type]


def test_rows_and_books_of_one_mind_pass() -> None:
    assert found(ROWS) == []


def test_a_row_twice_a_row_less_and_a_row_of_another_market_are_seen() -> None:
    assert found((*ROWS, ROWS[0])) == found(ROWS[1:]) == ["KXA-1"]
    assert found((*ROWS, ROWS[0]._replace(fees=Money(1), traded=Count(0)))) == ["KXA-1"]
    assert found((*ROWS, ROWS[0]._replace(ticker="KXB-1"))) == ["KXB-1"]


def test_books_that_are_not_the_position_are_seen() -> None:
    assert found(ROWS, net=100) == ["KXA-1"]
    assert list(unlike(StoredBooks({}, ()), FIRST.positions)) != []
