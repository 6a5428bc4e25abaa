"""Every reason says what it means, and is met by a test."""

import re

import pytest

from dora.core.reasons import CancelReason, Reason
from dora_operator.reason_words import meanings
from tests.house.checkout import ROOT

TESTS = ROOT / "tests"
ELSEWHERE = {"reason_table.py", "test_reason_table.py", "test_queries.py"}
"""Modules that go through the words of the enum without meeting what they say."""


def words_in_tests() -> set[str]:
    """Members that a test names, and texts that stand in one."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        if path.name not in ELSEWHERE:
            text = path.read_text(encoding="utf-8")
            found |= {name.lower() for name in re.findall(r"\b(?:Cancel)?Reason\.([A-Z_]+)", text)}
            found |= set(re.findall(r"[\"'`](?:slots_|skipped_|cut_)?([a-z_]+)[\"'`]", text))
    return found


MET = words_in_tests()


def test_every_reason_has_its_row_and_its_meaning() -> None:
    assert list(meanings()) == [*map(str, Reason), *map(str, CancelReason)]
    assert all(meanings().values())


@pytest.mark.parametrize("word", [*map(str, Reason), *map(str, CancelReason)])
def test_every_reason_is_met_by_a_test(word: str) -> None:
    assert word in MET
