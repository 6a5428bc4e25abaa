"""Every promise of layers/README.md names tests that exist, and the figures they rest on are settings."""

import re

import pytest

from dora.core.config import GlobalConfig
from dora.core.config_fields import keys_of
from tests.house.checkout import ROOT

REFERENCE = (ROOT / "layers/README.md").read_text(encoding="utf-8")
SECTION = REFERENCE.partition("## Promises about orders")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in row.strip("|").split("|")] for row in SECTION.splitlines() if row[:2] == "| "
]
PROMISES = [row for row in ROWS if len(row) == 3][1:]
FIGURES = set(re.findall(r"`([a-z_]+)`", SECTION.partition("The figures they rest on")[2]))


def existing() -> set[str]:
    files = (ROOT / "tests/battery").glob("test_*.py")
    return {
        name for file in files for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("promise", PROMISES, ids=lambda row: row[0])
def test_every_promise_names_tests_that_hold_it(promise: list[str]) -> None:
    named = set(re.findall(r"`(test_\w+)`", promise[2]))

    assert named
    assert named <= existing()


def test_every_figure_that_they_rest_on_is_a_setting() -> None:
    assert keys_of(GlobalConfig).keys() >= FIGURES


def test_the_tables_are_found() -> None:
    assert len(PROMISES) > 5
    assert len(FIGURES) > 5
