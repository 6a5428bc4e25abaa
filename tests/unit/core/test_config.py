"""Config items are read exactly or refused with a fix; nothing in them is ever ignored."""

from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.config import GlobalConfig, MarketConfig, SeriesConfig
from dora.core.config_items import market_of, parse_global, parse_market, parse_series
from dora.core.errors import ConfigInvalid
from dora.core.units import format_scaled
from tests.support.examples import cents, contracts, dollars

GLOBAL = {"pk": "dora", "sk": "GLOBAL", "v": "1", "group_burst_limit": "250"}
KINDS = [GlobalConfig, MarketConfig, SeriesConfig]
TOGETHER: dict[type[Any], tuple[str, ...]] = {
    GlobalConfig: ("order_life_s is too short",),
    MarketConfig: (
        "below max_price",
        "above max_position",
        "above max_speed_percent",
        "above max_spread_dollars",
        "above quote_size",
        "of fair_value_dollars and fair_value_until there is only one",
    ),
    SeriesConfig: (),
}
"""How a value within its own bounds may be refused: for what stands beside it, or for a gap in them."""


def _numbers(kind: type[Any]) -> list[tuple[str, Any]]:
    """Item key and rule of every number of a kind."""
    specs = [(spec.name, spec.metadata["rule"]) for spec in fields(kind) if "rule" in spec.metadata]
    return [(name + rule.suffix, rule) for name, rule in specs]


def _parse(kind: type[Any], raw: dict[str, object]) -> Any:
    if kind is GlobalConfig:
        return parse_global({**GLOBAL, **raw})
    return parse_market("MARKET#T", "T", raw) if kind is MarketConfig else parse_series("S", raw)


def test_the_burst_limit_has_no_default() -> None:
    with pytest.raises(ConfigInvalid, match="group_burst_limit is missing"):
        parse_global({})


def test_a_global_item_in_human_units() -> None:
    parsed = parse_global(
        {**GLOBAL, "trading_enabled": True, "max_event_loss_dollars": "150.50", "create_batch_size": "40"}
    )
    assert parsed.group_burst_limit == contracts("250")
    assert parsed.max_event_loss == dollars("150.50")
    assert (parsed.trading_enabled, parsed.create_batch_size) == (True, 40)


def test_nothing_trades_by_default() -> None:
    assert not parse_global(GLOBAL).trading_enabled
    assert not parse_market("MARKET#T", "T", {}).enabled
    assert not parse_series("S", {}).enabled


def test_a_market_item_in_human_units() -> None:
    raw = {"enabled": True, "quote_size": "12.50", "min_edge_dollars": "0.005", "note": "try it"}
    parsed = parse_market("MARKET#T", "T", raw)
    assert parsed.ticker == "T"
    assert (parsed.enabled, parsed.quote_size, parsed.min_edge) == (True, contracts("12.50"), cents("0.005"))


def test_a_series_template_makes_its_markets() -> None:
    series = parse_series(
        "KXRAIN", {"enabled": True, "max_markets": "5", "quote_size": "20", "strategy_tag": "calm"}
    )
    market = market_of(series, "KXRAIN-26NOV21-T1")
    assert (series.enabled, series.max_markets) == (True, 5)
    assert (market.ticker, market.enabled, market.quote_size) == ("KXRAIN-26NOV21-T1", True, contracts("20"))
    assert market.strategy_tag == "calm"


def test_a_series_with_a_bad_template_is_refused_as_its_market_would_be() -> None:
    with pytest.raises(ConfigInvalid, match="quote_size is 0") as caught:
        parse_series("KXRAIN", {"quote_size": "0"})
    assert caught.value.where == "SERIES#KXRAIN"


@pytest.mark.parametrize(
    ("kind", "misspelt", "meant"),
    [
        (GlobalConfig, "max_open_order", "max_open_orders"),
        (GlobalConfig, "max_event_loss", "max_event_loss_dollars"),
        (MarketConfig, "max_positon", "max_position"),
        (MarketConfig, "min_edge", "min_edge_dollars"),
        (MarketConfig, "Enabled", "enabled"),
        (SeriesConfig, "min_edgedollars", "min_edge_dollars"),
        (MarketConfig, "max_position_dollars", "'max_position' (contracts)"),
        (MarketConfig, "max_psition_dollars", "'max_position' (contracts)"),
        (MarketConfig, "position_max", "'max_position' (contracts)"),
        (MarketConfig, "quote_size_dollars", "'quote_size' (contracts)"),
        (MarketConfig, "min_price_cents", "'min_price_dollars' (dollars)"),
        (MarketConfig, "half_spread_min_dollars", "'min_half_spread_dollars' (dollars)"),
        (MarketConfig, "refill_below_contracts", "'refill_below_percent' (percent)"),
        (GlobalConfig, "max_loss_daily", "'max_daily_loss_dollars' (dollars)"),
        (GlobalConfig, "order_life_ms", "'order_life_s' (seconds)"),
        (GlobalConfig, "session_limit", "'session_contract_limit' (contracts)"),
        (GlobalConfig, "trading_on", "'trading_enabled' (true or false)"),
        (
            GlobalConfig,
            "max_position_dollars",
            "'max_position' (contracts), a key of MARKET# and SERIES# items",
        ),
        (SeriesConfig, "max_market", "did you mean 'max_markets' (a whole number)?"),
        (MarketConfig, "trading_enabled", "'trading_enabled' (true or false), a key of the GLOBAL item"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_name(
    kind: type[Any], misspelt: str, meant: str
) -> None:
    with pytest.raises(ConfigInvalid, match=f"unknown key '{misspelt}'") as caught:
        _parse(kind, {misspelt: "1"})
    assert meant in caught.value.fix


@pytest.mark.parametrize(
    ("kind", "name", "rule"),
    [pytest.param(kind, name, rule, id=name) for kind in KINDS for name, rule in _numbers(kind)],
)
def test_every_number_is_held_to_its_bounds(kind: type[Any], name: str, rule: Any) -> None:
    for ports in (rule.low - 1, rule.high + 1):
        with pytest.raises(ConfigInvalid, match=name):
            _parse(kind, {name: format_scaled(ports, rule.decimals).rstrip(".")})


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(kind, name, id=name) for kind in KINDS for name, _ in _numbers(kind)],
)
@pytest.mark.parametrize("value", ["", "much", "1e1", 5, 0.5, None, True, "nan", "0.0000001"])
def test_every_number_must_be_an_exact_decimal_string(kind: type[Any], name: str, value: object) -> None:
    with pytest.raises(ConfigInvalid, match=name):
        _parse(kind, {name: value})


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind, spec.name, id=f"{kind.__name__}.{spec.name}")
        for kind in KINDS
        for spec in fields(kind)
        if isinstance(spec.default, bool)
    ],
)
@pytest.mark.parametrize("value", ["true", "True", "1", 1, 0, None, ""])
def test_every_flag_must_be_a_flag(kind: type[Any], name: str, value: object) -> None:
    with pytest.raises(ConfigInvalid, match=name):
        _parse(kind, {name: value})


@pytest.mark.parametrize("value", ["", None, 7, True])
def test_a_tag_must_be_a_text(value: object) -> None:
    with pytest.raises(ConfigInvalid, match="strategy_tag"):
        parse_market("MARKET#T", "T", {"strategy_tag": value})


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (
            {"strategy_tag": "cal\N{ZERO WIDTH SPACE}m"},
            "strategy_tag holds U+200B ZERO WIDTH SPACE at position 4",
        ),
        ({"strategy_tag": "very calm"}, "strategy_tag holds U+0020 SPACE at position 5"),
        (
            {"strategy_tag": "c\N{NON-BREAKING HYPHEN}1"},
            "strategy_tag holds U+2011 NON-BREAKING HYPHEN at position 2",
        ),
        ({"quote_size": "1\N{ZERO WIDTH SPACE}0"}, "quote_size holds U+200B ZERO WIDTH SPACE at position 2"),
        ({"quote_size\N{ZERO WIDTH SPACE}": "10"}, "which holds U+200B ZERO WIDTH SPACE at position 11"),
    ],
)
def test_a_pasted_character_is_named_with_its_key(raw: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse_market("MARKET#T", "T", raw)
    assert refused.value.problem.endswith(problem)


def test_white_space_around_a_text_does_no_harm() -> None:
    parsed = parse_market("MARKET#T", "T", {"strategy_tag": " calm\n", "quote_size": " 10 "})
    assert (parsed.strategy_tag, parsed.quote_size) == ("calm", contracts("10"))


def test_the_price_collar_must_have_room() -> None:
    with pytest.raises(ConfigInvalid, match="min_price_dollars"):
        parse_market("MARKET#T", "T", {"min_price_dollars": "0.5", "max_price_dollars": "0.5"})


def test_one_fill_must_fit_the_position_cap() -> None:
    with pytest.raises(ConfigInvalid, match="quote_size is above max_position"):
        parse_market("MARKET#T", "T", {"quote_size": "11", "max_position": "10"})


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_lies_within_its_own_bounds(kind: type[Any]) -> None:
    for spec in fields(kind):
        if "rule" in spec.metadata and spec.default is not MISSING:
            assert spec.metadata["rule"].low <= spec.default <= spec.metadata["rule"].high, spec.name


@given(st.sampled_from(KINDS), st.data())
def test_a_number_within_bounds_is_read_exactly(kind: type[Any], data: st.DataObject) -> None:
    name, rule = data.draw(st.sampled_from(_numbers(kind)))
    value = data.draw(st.integers(rule.low, rule.high))
    try:
        parsed = _parse(kind, {name: format_scaled(value, rule.decimals).rstrip(".")})
    except ConfigInvalid as error:
        assert any(words in error.problem for words in TOGETHER[kind]), error
        return
    assert getattr(parsed, name.removesuffix(rule.suffix) if rule.suffix else name) == value


def test_a_value_within_its_bounds_that_a_cross_check_refuses_is_refused_for_that() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        _parse(GlobalConfig, {"order_life_s": "599"})
    assert any(words in refused.value.problem for words in TOGETHER[GlobalConfig])


@given(st.text(max_size=12), st.none() | st.booleans() | st.integers() | st.text(max_size=8))
def test_no_item_breaks_the_reader(name: str, value: object) -> None:
    for kind in KINDS:
        try:
            parsed = _parse(kind, {name: value})
        except ConfigInvalid as error:
            assert error.where
            assert error.fix
        else:
            assert isinstance(parsed, kind)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"group_by": "market"}, "group_by is 'market'"),
        ({"group_by": "event", "use_order_groups": False}, "group_by is event without order groups"),
        ({"group_by": "event", "event_cooldown_s": "121"}, "event_cooldown_s is shorter"),
        ({"group_by": "event", "unknown_create_hold_s": "241"}, "event_cooldown_s is shorter"),
    ],
)
def test_events_are_not_grouped_without_groups_nor_armed_before_a_late_create_can_have_landed(
    raw: dict[str, object], problem: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        _parse(GlobalConfig, raw)
    assert problem in refused.value.problem
    assert _parse(GlobalConfig, {**raw, "group_by": "shard"}).group_by == "shard"


# --- burst limits of strategy tags -----------------------------------------------------------------------


def test_a_strategy_tag_may_have_a_burst_limit_of_its_own() -> None:
    parsed = _parse(GlobalConfig, {"group_burst_limits": "calm 500 ; fast 2000.5"})

    assert {tag: parsed.burst_limit_of(tag) for tag in ("calm", "fast")} == {
        "calm": contracts("500"),
        "fast": contracts("2000.5"),
    }
    assert parsed.burst_limit_of("maker") == parsed.group_burst_limit


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("500", "holds '500'", 'write each tag with its contracts, as "calm 500; fast 2000"'),
        ("calm 500, fast 5", "holds 'calm 500, fast 5'", "write each tag with its contracts"),
        ("calm 500;", "holds ''", "write each tag with its contracts"),
        ("calm many", "holds 'many' for tag 'calm'", "write a number from 1 to 1000000"),
        ("calm 0.99", "holds 0.99 for tag 'calm'", "write a number from 1 to 1000000"),
        ("calm 1000001", "holds 1000001 for tag 'calm'", "write a number from 1 to 1000000"),
        ("calm 5; calm 6", "holds tag 'calm' twice", "write one limit for each tag"),
    ],
)
def test_a_burst_limit_of_a_tag_that_says_nothing_is_refused_with_what_to_write(
    text: str, problem: str, fix: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        _parse(GlobalConfig, {"group_burst_limits": text})

    assert (refused.value.where, refused.value.problem) == ("GLOBAL", f"group_burst_limits {problem}")
    assert refused.value.fix.startswith(fix)
