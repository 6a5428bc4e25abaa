"""A user's strategy in one file of at most 40 lines: the one that the documents show."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from dora.core.exchange.market import Side
from dora.core.quoting.checked import checked
from dora.core.reasons import Reason
from tests.house.checkout import ROOT
from tests.support.examples import book, cents, config
from tests.support.quoting_cases import Situation, inputs, situations, warm
from tests.unit.core.quoting.width_maker import WidthMaker, WidthSettings

SOURCE = Path(__file__).with_name("width_maker.py").read_text(encoding="utf-8")
quote = WidthMaker().quote


def test_it_is_short_and_the_documents_show_it_as_it_is() -> None:
    assert len(SOURCE.splitlines()) <= 40
    shown = "\n".join(f"    {line}" if line else "" for line in SOURCE.splitlines())
    assert shown in (ROOT / "layers" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("contracts", "bid", "ask"), [("50", "0.47", "0.53"), ("5", "0.44", "0.56")])
def test_it_quotes_where_it_says(contracts: str, bid: str, ask: str) -> None:
    shown = book([("0.45", contracts)], [("0.55", contracts)])
    asked = inputs(book=shown, config=config(settings=WidthSettings()))
    decision, _ = checked(quote(asked, warm()), asked)
    assert {target.slot.side: target.price for target in decision.targets} == {
        Side.BID: cents(bid),
        Side.ASK: cents(ask),
    }


def test_it_waits_until_the_market_was_watched_as_every_strategy_does() -> None:
    asked = inputs(config=config(settings=WidthSettings(), warm_up_minutes=10))
    decision, memory = checked(quote(asked, None), asked)
    assert decision.skip is Reason.WARMING_UP
    assert memory["at_ms"] == asked.now_ms


@given(situations(most_levels=3))
def test_whatever_it_is_asked_its_answer_holds(situation: Situation) -> None:
    asked, memory = situation
    own = asked._replace(config=replace(asked.config, settings=WidthSettings()))
    answer = quote(own, memory)
    assert checked(answer, own) == answer
