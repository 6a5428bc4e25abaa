"""Scenario 78: a config item made invalid means the same to a warm and to a cold function."""

from decimal import Decimal
from typing import Any

import boto3
import pytest

from tests.battery.scene import SLOTS, Scene, fill, scene
from tests.support.small_world import TICKERS, resting, set_book
from tests.world import config_items
from tests.world.setup import CONFIG_TABLE

A, B, C = TICKERS
EN_DASH = "\N{EN DASH}"
INVALID_GLOBALS = (
    {"trading_enabled": "false"},
    {"trading_enabled": False, "trading_enable": False},
    {"max_position_dollars": 10},
    {"max_daily_loss_dollars": Decimal("0.001")},
)


def put(sort_key: str, item: dict[str, Any]) -> None:
    """As in the console."""
    attributes = config_items.as_attributes("dora", sort_key, item)
    boto3.client("dynamodb").put_item(TableName=CONFIG_TABLE, Item=attributes)


def later(stage: Scene, warm: bool) -> dict[str, Any]:
    """The next cycle, of the running process or of a new one."""
    if not warm:
        stage.cold_start()
    (answer,) = stage.run(1)
    return answer


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("wrong", INVALID_GLOBALS, ids=",".join)
def test_scenario_78_an_invalid_global_item_is_like_a_missing_one_to_a_warm_and_to_a_cold_function(
    wrong: dict[str, Any], warm: bool
) -> None:
    with scene() as stage:
        stage.run(1)
        before = len(resting(stage.world))
        put("GLOBAL", {**config_items.GLOBAL, **wrong})
        answers = [later(stage, warm), *stage.run(1)]
        status = stage.world.status()

        assert before == SLOTS
        assert {(answer["status"], answer["reason"]) for answer in answers} == {("halted", "config_missing")}
        assert not resting(stage.world)
        assert status["why_not_quoting"] == ["config_missing"]
        assert [fact["where"] for fact in stage.seen.facts("CONFIG_INVALID")] == ["GLOBAL"] * 2
        put("GLOBAL", dict(config_items.GLOBAL))
        stage.run(1)
        stage.sound()


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("series", [False, True], ids=["alone", "under a series"])
def test_scenario_78_a_market_whose_item_was_made_invalid_loses_its_quotes_warm_or_cold(
    series: bool, warm: bool
) -> None:
    with scene() as stage:
        if series:
            put("SERIES#KXC", dict(config_items.MARKET))
        stage.run(1)
        put(f"MARKET#{C}", {**config_items.MARKET, "enabled": "false"})
        later(stage, warm)

        assert {ticker for ticker, _ in resting(stage.world)} == {A, B}
        assert [fact["where"] for fact in stage.seen.facts("CONFIG_INVALID")] == [f"MARKET#{C}"]
        stage.world.put_market(C, config_items.MARKET)
        stage.run(1)
        stage.sound()


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_scenario_78_the_markets_of_a_series_whose_item_was_made_invalid_lose_their_quotes_warm_or_cold(
    warm: bool,
) -> None:
    items = dict.fromkeys((A, B), config_items.MARKET)
    with scene(items=items, started=False) as stage:
        put("SERIES#KXC", dict(config_items.MARKET))
        assert stage.world.start()["status"] == "active"
        stage.run(1)
        before = {ticker for ticker, _ in resting(stage.world)}
        put("SERIES#KXC", {**config_items.MARKET, "max_positions": 5})
        later(stage, warm)

        assert before == {A, B, C}
        assert {ticker for ticker, _ in resting(stage.world)} == {A, B}


def test_scenario_78_a_market_switched_off_under_a_badly_pasted_sort_key_is_not_quoted_by_its_series() -> (
    None
):
    items = dict.fromkeys((A, B), config_items.MARKET)
    with scene(items=items, started=False) as stage:
        put("SERIES#KXC", dict(config_items.MARKET))
        assert stage.world.start()["status"] == "active"
        stage.run(1)
        before = {ticker for ticker, _ in resting(stage.world)}
        put(f"MARKET#{C.replace('-', EN_DASH)}", {**config_items.MARKET, "enabled": False})
        stage.run(1)

        assert before == {A, B, C}
        assert {ticker for ticker, _ in resting(stage.world)} == {A, B}


def test_scenario_78_an_invalid_global_item_halts_nobody_for_a_daily_loss_that_nobody_chose() -> None:
    """The kill flag would outlive the typing error, under the built-in limit of $100."""
    limits: dict[str, Any] = {**config_items.GLOBAL, "max_daily_loss_dollars": 5_000}
    items = dict.fromkeys(TICKERS, {**config_items.MARKET, "quote_size": 400, "max_position": 1_000})
    with scene(globals=limits, items=items) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A, 1000, 1300)
        put("GLOBAL", {**limits, "max_daily_loss_dollars": "lots"})
        stage.run(1)
        status = stage.world.status()

        assert Decimal(status["pnl_dollars"]) < -100
        assert (status["halted"], status["why_not_quoting"]) == (False, ["config_missing"])
