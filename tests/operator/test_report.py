"""The page of a bot's day tells what the exchange knows of it, and nothing that is not known as known."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.units import format_count
from dora_operator.failures import Exit
from dora_operator.reading import spread
from dora_operator.report.page import QUOTED, REASONS
from dora_operator.report.story import stretches
from dora_operator.report.svg import Line, Span, chart
from tests.house.checkout import ROOT
from tests.operator.driver import Driver, local_driver


@pytest.fixture(scope="module")
def dora() -> Iterator[Driver]:
    """A session with a market that is disabled on the way."""
    with local_driver() as driver:
        assert driver.run("start", "--yes").exit_code == 0
        driver.minutes(7)
        driver.stack.world.put_market(
            driver.stack.scene.tickers[-1], {"enabled": False, "quote_size": 10, "max_position": 200}
        )
        driver.minutes(3)
        yield driver


def _page(dora: Driver, folder: Path, *more: str) -> str:
    out = folder / "report.html"
    result = dora.run("report", "--out", str(out), *more)
    assert result.exit_code == 0, result.output
    return out.read_text(encoding="utf-8")


def _figure(page: str, name: str) -> str:
    found = re.search(rf"<b>([^<]*)</b><span>{name}</span>", page)
    assert found, name
    return found[1]


def test_its_figures_are_those_of_the_exchange_and_of_other_commands(dora: Driver, tmp_path: Path) -> None:
    page = _page(dora, tmp_path)
    fills = dora.stack.world.member.fills
    rows = dora.answer("pnl", "--by", "market")["rows"]

    assert int(_figure(page, "fills")) == len(fills) > 0
    assert f"{format_count(sum(own.trade.count_e2 for own in fills))} contracts" in page
    told = Decimal(_figure(page, "profit after fees").removesuffix(" $"))
    assert abs(told - sum(Decimal(own["profit"]) for own in rows)) <= Decimal("0.005")
    assert "10 of 10 archived cycles are shown" in page


def test_a_market_that_is_left_out_shows_since_when_and_why(dora: Driver, tmp_path: Path) -> None:
    page = _page(dora, tmp_path)

    assert "<title>15:07 market_disabled</title>" in page
    assert "Its `enabled` is false, or it has no config." in page


def test_it_needs_neither_script_nor_network_and_holds_no_key(dora: Driver, tmp_path: Path) -> None:
    page = _page(dora, tmp_path)
    secret = boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")["SecretString"]

    assert "<script" not in page
    assert not re.search(r"(src|href)=[\"']?http", page)
    assert not any(len(line) > 20 and line in page for line in secret.split("\\n"))


def test_a_week_reads_so_many_cycles_and_says_of_how_many(
    dora: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dora_operator.commands.report.MOST_CYCLES", 4)
    page = _page(dora, tmp_path, "--days", "7")

    assert "4 of 10 archived cycles are shown" in page


def test_a_report_that_is_there_is_not_written_over(dora: Driver, tmp_path: Path) -> None:
    _page(dora, tmp_path)

    assert dora.run("report", "--out", str(tmp_path / "report.html")).exit_code == Exit.USAGE


@given(keys=st.lists(st.text("ab"), max_size=40), most=st.integers(2, 12))
def test_cycles_are_spread_with_both_ends(keys: list[str], most: int) -> None:
    found = spread(keys, most)

    assert len(found) == min(len(keys), most)
    assert [found[:1], found[-1:]] == [keys[:1], keys[-1:]]


@given(words=st.lists(st.sampled_from("ab")))
def test_stretches_of_one_word_cover_all_cycles_once(words: list[str]) -> None:
    told = list(stretches(words))

    assert [word for first, after, word in told for _ in range(first, after)] == words
    assert all(one[2] != two[2] for one, two in zip(told, told[1:], strict=False))


def test_what_is_not_known_is_a_gap_and_no_line() -> None:
    drawn = chart(Span(0, 60), [Line("a", [(0, 1.0), (20, None), (40, 1.0)], "red")])

    path = re.search(r'd="([^"]*)"', drawn)
    assert path is not None
    assert path[1].count("M") == 2
    assert "Nothing is known" in chart(Span(0, 60), [Line("a", [(0, None)], "red")])


def _linear(colour: str) -> tuple[float, ...]:
    return tuple((int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5))


SIGHTS = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cones": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "no green cones": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
}
"""What an eye makes of linear red, green and blue: Machado, Oliveira and Fernandes 2009, at full severity."""


@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_colours_of_a_strip_look_alike(sight: str) -> None:
    def seen(colour: str) -> list[float]:
        light = _linear(colour)
        mixed = (sum(one * two for one, two in zip(row, light, strict=True)) for row in SIGHTS[sight])
        return [max(own, 0.0) ** (1 / 2.2) for own in mixed]

    colours = [*QUOTED.values(), *REASONS]
    apart = {(one, two): math.dist(seen(one), seen(two)) for one, two in combinations(colours, 2)}
    assert min(apart.values()) > 0.15, min(apart.items(), key=lambda own: own[1])


def test_the_demo_s_page_has_the_same_colours() -> None:
    script = (ROOT / "tests/demo/report.js").read_text(encoding="utf-8")
    listed = re.search(r"const REASONS = \[([^\]]*)\]", script)

    assert listed is not None
    assert tuple(re.findall("#[0-9a-f]{6}", listed[1])) == REASONS
