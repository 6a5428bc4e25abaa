"""A configured fair value: an anchor or a gate until its time, and from then on told to be stale."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.calendar import format_time
from dora.core.config_items import parse_market
from dora.core.errors import ConfigInvalid
from dora.core.exchange.market import Side
from dora.core.quoting.decision import Decision
from dora.core.quoting.outside_value import ANCHOR, STALE
from dora.core.quoting.registry import STRATEGIES
from dora.core.reasons import Reason
from dora.core.units import Price, TimeMs
from tests.support.examples import HOUR_MS, NOW, TICKER, config
from tests.support.quoting_cases import inputs, situations, warm

FRESH, OLD = format_time(TimeMs(NOW + HOUR_MS)), format_time(NOW)


def quoted(until: str = FRESH, **settings: Any) -> tuple[Decision, Mapping[str, object]]:
    """In a book of 45 and 55 cents."""
    own = config(fair_value_until=until, **settings)
    return STRATEGIES[own.strategy].quote(inputs(config=own), warm())


def sides(decision: Decision) -> dict[Side, int]:
    return {target.slot.side: target.price for target in decision.targets}


def test_quotes_stand_around_a_configured_fair_value_and_memory_learns_the_books() -> None:
    decision, memory = quoted(fair_value=Price(4_800), max_improve_ticks=50)
    _, of_the_book = quoted(until="", fair_value=Price(0))

    assert (decision.fair_value, decision.fair_value_source) == (0.48, ANCHOR)
    assert sides(decision) == {Side.BID: 4_700, Side.ASK: 4_900}
    assert memory == of_the_book


def test_a_fair_value_that_is_too_old_is_not_used_and_said() -> None:
    stale, _ = quoted(until=OLD, fair_value=Price(4_800))
    without, _ = quoted(until="", fair_value=Price(0))

    assert stale.fair_value_source == STALE
    assert stale._replace(fair_value_source=without.fair_value_source) == without


@pytest.mark.parametrize(
    "fair, gate, kept",
    [
        (3_900, 1_000, {Side.BID, Side.ASK}),
        (3_899, 1_000, {Side.ASK}),
        (6_100, 1_000, {Side.BID, Side.ASK}),
        (6_101, 1_000, {Side.BID}),
    ],
)
def test_a_side_that_fights_the_fair_value_by_more_than_the_gate_stands_aside(
    fair: int, gate: int, kept: set[Side]
) -> None:
    decision, _ = quoted(fair_value=Price(fair), fair_value_gate=Price(gate))

    assert (decision.fair_value, decision.fair_value_source) == (0.5, "book")
    assert sides(decision).keys() == kept
    assert {why for _, why in decision.dropped} <= {Reason.FAIR_VALUE_GATE}
    assert {slot.side for slot, _ in decision.dropped} == set(Side) - kept


@given(situations(), st.integers(1, 9_999).map(Price), st.integers(1, 5_000).map(Price))
def test_no_quote_is_worse_than_a_gates_fair_value_by_more_than_the_gate(
    situation: Any, fair: Price, gate: Price
) -> None:
    asked, memory = situation
    own = config(fair_value=fair, fair_value_gate=gate, fair_value_until=FRESH)
    decision, _ = STRATEGIES[own.strategy].quote(asked._replace(config=own), memory)
    for target in decision.targets:
        assert target.slot.side.sign * (target.price - fair) <= gate


@pytest.mark.parametrize(
    "raw, complaint",
    [
        ({"fair_value_dollars": "0.4"}, "there is only one; write both, or neither"),
        ({"fair_value_until": FRESH}, "there is only one; write both, or neither"),
        (
            {"fair_value_dollars": "0.4", "fair_value_until": "noon"},
            "fair_value_until is 'noon'; write a time as",
        ),
    ],
)
def test_an_item_whose_fair_value_cannot_grow_old_is_refused(raw: Mapping[str, str], complaint: str) -> None:
    with pytest.raises(ConfigInvalid, match=complaint):
        parse_market(f"MARKET#{TICKER}", TICKER, raw)
