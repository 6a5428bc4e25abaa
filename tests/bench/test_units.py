"""The rules by which DynamoDB bills, on sizes worked out by hand."""

import base64

import pytest

from tests.bench.units import get_units, item_bytes, query_units, write_units


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({}, 0),
        ({"pk": {"S": "dora"}}, 6),
        ({"pk": {"S": "é"}}, 4),
        ({"n": {"N": "7"}}, 1 + 2),
        ({"n": {"N": "-1234567"}}, 1 + 4 + 1 + 1),
        ({"n": {"N": "1200"}}, 1 + 1 + 1),
        ({"b": {"B": base64.b64encode(b"12345").decode()}}, 1 + 5),
        ({"f": {"BOOL": True}}, 2),
        ({"l": {"L": [{"S": "ab"}, {"NULL": True}]}}, 1 + 3 + 2 + 1 + 1 + 1),
        ({"m": {"M": {"k": {"S": "v"}}}}, 1 + 3 + 2 + 1),
    ],
)
def test_an_item_weighs_its_names_and_values(item: dict[str, dict[str, object]], size: int) -> None:
    assert item_bytes(item) == size


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [(0, 0, 1), (0, 1, 1), (0, 1024, 1), (0, 1025, 2), (5000, 10, 5), (5000, 0, 5), (10, 5000, 5)],
)
def test_a_write_is_billed_by_the_larger_of_before_and_after(before: int, after: int, units: int) -> None:
    assert write_units(before, after) == units


def test_a_query_adds_up_before_it_rounds_and_single_reads_round_each() -> None:
    sizes = [100, 200, 4000]

    assert query_units(sizes) == 2
    assert get_units(sizes) == 3
    assert get_units([0]) == query_units([]) == 1
    assert get_units([]) == 0
