"""What is made of the counts: dollars, fairness, waiting, and the table."""

import pytest

from tests.bench.cost import CYCLES_A_MONTH, PRICES, month, used
from tests.bench.pacing import DELAYS, Demand, empty_share, fair_share, longest_wait, pacing
from tests.bench.report import ROWS, table

FIGURES = {"wru": 100.0, "rru": 10.0, "wall_ms_50": 500.0, "log_kb": 10.0, "log_lines": 20} | {
    "archive_bytes": 300
}


def test_a_month_costs_what_its_parts_cost() -> None:
    dollars = month(FIGURES)

    assert dollars["write_units"] == round(100 * 43_200 * 0.625e-6, 2) == 2.70
    assert dollars["gb_seconds"] == round(0.5 * 43_200 * 0.0000133334, 2)
    assert dollars["total"] == pytest.approx(sum(dollars.values()) - dollars["total"])
    assert used(FIGURES)["log_bytes"] == (10 * 1024 + 20 * 26) * CYCLES_A_MONTH
    assert used(FIGURES).keys() == PRICES.keys()


def test_shares_are_fair_when_all_are_alike() -> None:
    alike = [frozenset({("A", "bid"), ("B", "bid")})]
    one_has_all = [frozenset({("A", "bid"), ("A", "ask")})]

    assert fair_share(alike, ["A", "B"]) == 1.0
    assert fair_share(one_has_all, ["A", "B"]) == 0.5
    assert fair_share([frozenset()], ["A"]) == 1.0


def test_a_wait_is_counted_in_cycles_in_a_row() -> None:
    a, b = ("A", "bid"), ("B", "bid")
    filled = [frozenset({a}), frozenset({a}), frozenset({a, b}), frozenset({b})]

    assert longest_wait(filled, [a, b]) == 2
    assert longest_wait(filled, [a]) == 1
    assert empty_share(filled, slots=2) == 3 / 8


@pytest.mark.long
@pytest.mark.parametrize("delay", DELAYS)
def test_more_is_wanted_than_a_tier_pays_for(delay: str) -> None:
    found = pacing(Demand("basic", delay, cycles=2))

    assert 0.8 < found["utilisation"] <= 1.0
    assert found["refused_429"] == 0
    assert found["empty_slots"] < 0.4
    assert found["fair_share"] > 0.9
    assert found["longest_wait"] <= 2


def test_the_table_has_a_line_for_every_row_and_a_dash_for_what_is_missing() -> None:
    text = table({"markets": {"10": {"wru": 12.5}}, "cost_month": {"10": {"total": 1.0}}})

    lines = text.splitlines()
    assert len(lines) == 1 + len(ROWS) + 1 + 2
    assert lines[1].endswith("-")
    assert any(line.startswith("write units, mean") and line.endswith("12.5") for line in lines)
