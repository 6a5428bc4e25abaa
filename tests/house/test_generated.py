"""Tables in documents are the ones that the source makes."""

import pytest

from tests.house.generated import TABLES, Generated


@pytest.mark.parametrize("own", TABLES, ids=lambda own: own.name)
def test_a_table_is_the_one_that_its_source_makes(own: Generated) -> None:
    assert own.written() == own.table(), "tests/house/generated.py says how it is written"


@pytest.mark.parametrize("own", TABLES, ids=lambda own: own.name)
def test_no_cell_of_a_table_is_empty(own: Generated) -> None:
    rows = [line for line in own.table().splitlines() if line.startswith("|")]
    cells = [row.strip("|").split(" | ") for row in rows]

    assert cells
    assert not [row for row in cells if not all(cell.strip() for cell in row)]
