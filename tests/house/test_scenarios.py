"""Every scenario of the list has a test or says that it has none, and every test has its line there."""

import re
from pathlib import Path

from tests.house.checkout import ROOT

LIST = Path(ROOT, "tests/battery/SCENARIOS.md")
LINE = re.compile(r"^\| (\d+) \| (.+) \|$", re.M)
NAME = re.compile(r"def (test_scenario_\w+)")
OPEN = "not held yet"


def numbers_of(name: str) -> set[int]:
    """The scenarios that a test's name claims: `test_scenario_13_and_14_...` plays two."""
    claimed = re.match(r"test_scenario_(\d+)(?:_and_(\d+))?", name)
    assert claimed, name
    return {int(number) for number in claimed.groups() if number}


def played() -> set[int]:
    files = [path for path in Path(ROOT, "tests").rglob("*.py") if "node_modules" not in path.parts]
    names = [name for path in files for name in NAME.findall(path.read_text("utf-8"))]
    return {number for name in names for number in numbers_of(name)}


def test_every_scenario_has_its_line_and_every_line_its_test() -> None:
    lines = {int(number): text for number, text in LINE.findall(LIST.read_text("utf-8"))}
    held = {number for number, text in lines.items() if OPEN not in text}
    assert sorted(lines) == list(range(1, len(lines) + 1))
    assert played() == held


def test_a_name_may_claim_two_scenarios() -> None:
    assert numbers_of("test_scenario_13_and_14_lists_that_lag") == {13, 14}
    assert numbers_of("test_scenario_02_a_create") == {2}
