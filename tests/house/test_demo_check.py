"""The check of the demo's figures sees each of them go wrong."""

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from tests.house.checkout import ROOT

GOOD: dict[str, Any] = {
    "seconds": 61.5,
    "cycles": 240,
    "markets": 60,
    "placed": 500,
    "mean_batch": 3,
    "slot_cycles_quoted": 3_600,
    "fills": 1,
    "cancel_404": 0,
    "rejected_429": 0,
    "position_drift": 0,
    "ledger_difference_micro_dollars": 0,
    "cash_difference_micro_dollars": 0,
    "invariants_broken": 0,
    "open_after_teardown": 0,
}


@pytest.fixture(scope="module")
def check() -> ModuleType:
    """The script, which is no package."""
    spec = importlib.util.spec_from_file_location("check_demo", ROOT / ".ci" / "check_demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_good_figures_hold(check: ModuleType) -> None:
    assert check.complaints(GOOD) == []
    assert check.differences(GOOD, GOOD | {"seconds": 99}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("placed", 499),
        ("mean_batch", 2.9),
        ("slot_cycles_quoted", 3_599),
        ("fills", 0),
        ("markets", 0),
        ("cancel_404", 1),
        ("rejected_429", 1),
        ("position_drift", 1),
        ("ledger_difference_micro_dollars", 1),
        ("cash_difference_micro_dollars", 1),
        ("invariants_broken", 1),
        ("open_after_teardown", 1),
    ],
)
def test_each_figure_that_goes_wrong_is_named(check: ModuleType, name: str, value: float) -> None:
    assert len(check.complaints(GOOD | {name: value})) == 1


@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"seconds"}))
def test_an_absent_figure_is_a_complaint(check: ModuleType, name: str) -> None:
    assert check.complaints({key: value for key, value in GOOD.items() if key != name}) == [f"absent: {name}"]


def test_two_runs_that_differ_are_told_apart(check: ModuleType) -> None:
    assert check.differences(GOOD, GOOD | {"fills": 2}) == ["fills: 1 then 2"]
