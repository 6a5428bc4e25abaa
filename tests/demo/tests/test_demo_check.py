"""The check of the demo's figures sees each of them go wrong."""

from typing import Any

import pytest

from tests.demo.check import complaints, differences

GOOD: dict[str, Any] = {
    "seconds": 61.5,
    "cycles": 240,
    "markets": 60,
    "placed": 500,
    "mean_batch": 3,
    "slot_cycles_quoted": 3_600,
    "fills": 1,
    "failed": 0,
    "unknown": 0,
    "cancel_404": 0,
    "rejected_429": 0,
    "position_drift": 0,
    "ledger_difference_micro_dollars": 0,
    "cash_difference_micro_dollars": 0,
    "invariants_broken": 0,
    "open_after_teardown": 0,
}


def test_good_figures_hold() -> None:
    assert complaints(GOOD) == []
    assert differences(GOOD, GOOD | {"seconds": 99}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("placed", 499),
        ("mean_batch", 2.9),
        ("slot_cycles_quoted", 3_599),
        ("fills", 0),
        ("markets", 0),
        ("failed", 1),
        ("unknown", 1),
        ("cancel_404", 1),
        ("rejected_429", 1),
        ("position_drift", 1),
        ("ledger_difference_micro_dollars", 1),
        ("cash_difference_micro_dollars", 1),
        ("invariants_broken", 1),
        ("open_after_teardown", 1),
    ],
)
def test_each_figure_that_goes_wrong_is_named(name: str, value: float) -> None:
    assert len(complaints(GOOD | {name: value})) == 1


@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"seconds"}))
def test_an_absent_figure_is_a_complaint(name: str) -> None:
    assert complaints({key: value for key, value in GOOD.items() if key != name}) == [f"absent: {name}"]


def test_two_runs_that_differ_are_told_apart() -> None:
    assert differences(GOOD, GOOD | {"fills": 2}) == ["fills: 1 then 2"]
