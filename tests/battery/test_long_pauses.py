"""Scenario 80: pauses longer than what is remembered lives, and than the exchange lists what happened."""

import boto3
import pytest

from dora.core.accounts.fill_reach import MARKER_LIFE_MS, REACH_MS
from tests.battery.scene import CREATE, Scene, fill, scene
from tests.simulator.fault_plan import Fault
from tests.support.small_world import START_MS, TICKERS, resting, set_book, spec
from tests.world import config_items
from tests.world.setup import STATE_TABLE

A, _, C = TICKERS
DAY_MS = 86_400_000
REMEDY = "set fills_ms to the number 0 in the item CURSORS"
MARKETS = tuple(spec(ticker, n, close_ms=START_MS + 400 * DAY_MS) for n, ticker in enumerate(TICKERS))


def pause(stage: Scene, days: int) -> None:
    """Nobody invokes the bot; DynamoDB deletes what has expired meanwhile."""
    stage.world.clock.advance_ms(days * DAY_MS)
    table, now_s = boto3.client("dynamodb"), stage.world.clock.now_ms() // 1000
    for item in table.scan(TableName=STATE_TABLE, ConsistentRead=True)["Items"]:
        if int(item.get("expires_at", {}).get("N", now_s + 1)) <= now_s:
            table.delete_item(TableName=STATE_TABLE, Key={"pk": item["pk"], "sk": item["sk"]})


def forget_fills_before() -> None:
    """What the message asks of a person who has compared the positions."""
    boto3.client("dynamodb").update_item(
        TableName=STATE_TABLE,
        Key={"pk": {"S": "dora"}, "sk": {"S": "CURSORS"}},
        UpdateExpression="SET fills_ms = :zero",
        ExpressionAttributeValues={":zero": {"N": "0"}},
    )


def filled(stage: Scene) -> None:
    """Two cycles, between which one order fills whole."""
    stage.run(1)
    fill(stage.world, A, "bid")
    set_book(stage.world, A)
    stage.run(1)
    assert stage.world.bot.positions()[A].net == 1_000


@pytest.mark.parametrize("days", [36, 59])
def test_scenario_80_the_last_fill_before_a_pause_is_booked_once(days: int) -> None:
    with scene(markets=MARKETS) as stage:
        filled(stage)
        pause(stage, days)
        assert stage.world.start()["status"] == "active"
        answers = stage.run(2)

        assert stage.world.bot.positions()[A].net == 1_000
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        assert {answer["drift"] for answer in answers} == {0}
        stage.sound()


@pytest.mark.parametrize("days", [61, 130])
def test_scenario_80_after_a_pause_beyond_all_markers_and_lists_nothing_is_placed_before_a_person_looked(
    days: int,
) -> None:
    with scene(markets=MARKETS) as stage:
        filled(stage)
        pause(stage, days)
        started = stage.world.start()
        sent = stage.world.exchange.stats.calls[CREATE]
        answers = stage.run(3)
        why = [fact["why"] for fact in stage.seen.facts("ERROR") if fact["what"] == "read of fills"]

        assert started["status"] == "active"
        assert [found for found in started["findings"] if REMEDY in found]
        assert {(answer["status"], answer["reason"]) for answer in answers} == {("degraded", "read_unknown")}
        assert (stage.world.exchange.stats.calls[CREATE], resting(stage.world)) == (sent, {})
        assert len(why) == 3
        assert all(f"last read {days} days ago" in text and REMEDY in text for text in why)
        assert stage.world.bot.positions()[A].net == 1_000

        forget_fills_before()
        stage.run(2)
        assert stage.world.bot.positions()[A].net == 1_000
        stage.sound()


def test_scenario_80_who_does_as_the_message_says_still_gets_the_payouts_of_a_long_pause() -> None:
    with scene(markets=MARKETS) as stage:
        filled(stage)
        stage.world.clock.advance_ms(5 * DAY_MS)
        stage.world.exchange.settle(A, "yes")
        pause(stage, 61)
        (found,) = [found for found in stage.world.start()["findings"] if REMEDY in found]
        forget_fills_before()
        stage.run(2)

        assert "delete" not in found
        assert (stage.world.bot.positions()[A].settled, stage.world.bot.positions()[A].net) == (True, 0)


def test_scenario_80_a_teardown_after_such_a_pause_closes_says_so_and_does_not_hide_the_gap() -> None:
    with scene(markets=MARKETS) as stage:
        filled(stage)
        pause(stage, 130)
        answer = stage.world.teardown()
        why = [fact["why"] for fact in stage.seen.facts("ERROR") if fact["what"] == "read of fills"]
        assert stage.world.start()["status"] == "active"
        (cycle,) = stage.run(1)

        assert answer["status"] == "closed"
        assert "last read 130 days ago" in why[0]
        assert (cycle["reason"], cycle["placed"]) == ("read_unknown", 0)
        assert stage.world.bot.positions()[A].net == 1_000


@pytest.mark.parametrize("days", [15, 40])
def test_scenario_80_a_pause_longer_than_the_records_of_cycles_live_costs_no_more_than_the_record(
    days: int,
) -> None:
    with scene(markets=MARKETS) as stage:
        filled(stage)
        pause(stage, days)
        status = stage.world.status()

        assert (status["last_cycle_status"], status["markets_quoted"]) == ("completed", None)
        assert stage.world.start()["status"] == "active"
        stage.run(1)
        stage.sound()


def test_scenario_80_reads_that_lag_longer_than_a_tombstone_lives_bring_no_ended_order_back() -> None:
    limits = {**config_items.GLOBAL, "tombstone_s": 60}
    with scene(globals=limits) as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="freeze-reads"))
        stage.world.put_market(C, {**config_items.MARKET, "enabled": False})
        stage.count_cancels()
        stage.run(6)

        assert all(number == 1 for number in stage.cancelled.values()), stage.cancelled


def test_scenario_80_a_marker_outlives_every_read_that_could_show_its_fill_again() -> None:
    longest_overlap_ms = 86_400_000
    assert REACH_MS + longest_overlap_ms + 30 * DAY_MS < MARKER_LIFE_MS
