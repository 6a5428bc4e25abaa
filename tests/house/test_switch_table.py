"""Every row of the off-switches in layers/README.md is held by tests, and every such test has its row."""

import ast
import re

import pytest

from dora.core.reasons import Reason
from tests.house.checkout import ROOT

TESTS = ROOT / "tests/battery/test_switches.py"


def rows() -> list[list[str]]:
    """The cells of the table's rows."""
    text = (ROOT / "layers/README.md").read_text(encoding="utf-8")
    _, _, after = text.partition("## Off-switches")
    lines = [line for line in after.split("\n## ")[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def existing() -> set[str]:
    tree = ast.parse(TESTS.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_switch_of_the_table_is_held_by_a_test_that_exists(row: list[str]) -> None:
    assert len(row) == 5
    assert code(row[4])
    assert set(code(row[4])) <= existing()


def test_every_test_of_a_switch_has_its_row() -> None:
    assert {name for row in rows() for name in code(row[4])} == existing()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_switch_names_the_reason_that_is_given(row: list[str]) -> None:
    assert set(code(row[2])) <= set(Reason)
