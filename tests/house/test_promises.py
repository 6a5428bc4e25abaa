"""Every promise of layers/README.md names tests that exist, and its figures are the defaults of settings."""

import re
from dataclasses import fields

import pytest

from dora.core.config import GlobalConfig
from tests.house.checkout import ROOT

REFERENCE = (ROOT / "layers/README.md").read_text(encoding="utf-8")
SECTION = REFERENCE.partition("## Promises about orders")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in row.strip("|").split("|")] for row in SECTION.splitlines() if row[:2] == "| "
]
PROMISES = [row for row in ROWS if len(row) == 3][1:]
FIGURES = [row for row in ROWS if len(row) == 4][1:]


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


@pytest.mark.parametrize("figure", FIGURES, ids=lambda row: row[0])
def test_every_figure_is_a_setting_with_that_default(figure: list[str]) -> None:
    defaults = {field.name: field.default for field in fields(GlobalConfig)}

    assert defaults[figure[0].strip("`")] == int(figure[2])


def test_the_tables_are_found() -> None:
    assert len(PROMISES) > 5
    assert len(FIGURES) > 5
