"""Scenario 15, write by write: acknowledged writes that the reads lack, and what follows from it."""

from dataclasses import replace

from tests.battery.scene import HOLD_CYCLES, SLOTS, Scene, scene
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, resting, set_book
from tests.world import config_items

A, B, C = TICKERS
HOUR_MS = 3_600_000
SHARD_OF_C = 2
ANY_SPEED = dict.fromkeys(TICKERS, {**config_items.MARKET, "max_speed_percent": 10_000})


def hidden(stage: Scene, lag_ms: int = HOUR_MS) -> None:
    """From now on reads of one shard are so old; those of the others, and the stamp, are fresh."""
    stage.world.exchange.knobs = replace(stage.world.exchange.knobs, shard_lag_ms=((SHARD_OF_C, lag_ms),))


def replaced_unseen(stage: Scene) -> None:
    """Quotes that rest; then those of one shard are replaced, and no read shows it."""
    stage.run(1)
    stage.world.clock.advance_ms(1_000)
    hidden(stage)
    stage.move()
    stage.run(1)
    assert stage.slots() == SLOTS


def busy(stage: Scene, number: int) -> dict[str, object]:
    """One cycle in which a market whose reads are fresh is written to."""
    set_book(stage.world, A, 4600 + 200 * (number % 2), 4900 + 200 * (number % 2))
    return stage.world.cycle()


def test_scenario_15_a_fresh_write_does_not_hide_an_older_one_that_the_reads_do_not_show() -> None:
    with scene(items=ANY_SPEED) as stage:
        replaced_unseen(stage)
        answers = [busy(stage, number) for number in range(3)]

        assert [answer["reason"] for answer in answers][-1] == "read_stale"
        assert answers[-1]["placed"] == 0
        assert not broken(stage.world)


def test_scenario_15_an_order_that_stays_invisible_closes_three_cycles_and_then_its_own_market() -> None:
    with scene(items=ANY_SPEED) as stage:
        replaced_unseen(stage)
        answers = [busy(stage, number) for number in range(8)]
        stale = [answer for answer in answers if answer["reason"] == "read_stale"]
        alarms = [f for f in stage.seen.facts("ERROR") if f["what"] == "order that no read shows"]

        assert len(stale) == 3
        assert {fact["market"] for fact in alarms} == {C}
        assert answers[-1]["reason"] == ""
        assert sum(int(str(answer["placed"])) for answer in answers[-3:]) > 0
        assert len(resting(stage.world)[A, "bid"]) == 1

        hidden(stage, 0)
        stage.run(HOLD_CYCLES)
        stage.sound()


def test_scenario_15_a_stamp_that_stays_behind_closes_nothing_while_rows_show_every_write() -> None:
    with scene(Knobs(user_data_timestamp_offset_ms=-HOUR_MS), items=ANY_SPEED) as stage:
        answers = [*stage.run(5), busy(stage, 0)]

        assert {answer["reason"] for answer in answers} == {""}
        stage.sound()
