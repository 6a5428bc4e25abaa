"""The front page: short, in its order, and each figure with what it can be made again by."""

import re

from dora.core.digest import MONTH_BY_MARKETS, MONTH_FIXED
from tests.house.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 150
ORDER = (
    "**For whom.**",
    "┌─ one cycle",
    "**What is proven, and where.**",
    "**Beside other bots**",
    "## What you need, and what it costs a month",
    "## Two commands",
    "**What you will see.**",
    "![",
    "## The first hour",
    "## What to expect in money",
    "| two days,",
    "Not affiliated with Kalshi; no advice; real money can be lost",
    "## Stop it now",
    "## Where things live",
    "**Security.**",
)
_MEASURED = re.compile(r"\d+\.\d\d\b|\d+ requests a cycle|\d+ dollars (?:lost|earned)")
"""Figures that a run comes to, and that another run may change."""


def _sections() -> list[str]:
    return re.split(r"\n(?=## )", README)


def test_it_is_short_and_in_its_order() -> None:
    places = [README.find(part) for part in ORDER]

    assert len(README.splitlines()) <= MOST_LINES
    assert -1 not in places
    assert places == sorted(places)


def test_it_has_one_screenshot_that_is_there() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)

    assert picture.startswith(("layers/", "tests/"))
    assert (ROOT / picture).is_file()


def test_every_figure_that_was_measured_has_its_command_beside_it() -> None:
    measured = [part for part in _sections() if _MEASURED.search(part)]
    bare = [part.splitlines()[0] for part in measured if not re.search(r"make (?:bench|replay)\b", part)]

    assert len(measured) >= 3
    assert bare == []


def test_the_months_are_the_same_on_the_front_page_in_the_table_and_in_the_digest() -> None:
    document = (ROOT / "functions/README.md").read_text(encoding="utf-8")
    table = document.partition("## What it costs a month")[2].partition("\n## ")[0]
    by_use = re.findall(r"^\| ([\d,]+) \| ([\d.]+) \|", table, flags=re.MULTILINE)
    fixed = sum(map(float, re.findall(r"(?:metrics|alarms|secret|key) (\d\.\d\d)", table)))
    months = tuple((int(markets.replace(",", "")), round(float(own) * 10**6)) for markets, own in by_use)
    (_, one), (_, forty), (_, thousand) = by_use

    assert f"{one}, {forty} and {thousand} dollars a month" in README
    assert f"and {fixed:.2f}" in README
    assert months == MONTH_BY_MARKETS
    assert round(fixed * 10**6) == MONTH_FIXED
