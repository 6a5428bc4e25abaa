"""Scenario 91: cash that comes and goes without a trade of ours, and cash that only seems to."""

from typing import Any

import pytest

from tests.battery.ending_markets import HOUR_MS, A, B
from tests.battery.scene import Scene, fill, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import Scripted, broken, set_book

MINUTE_MS = 60_000
BALANCES = (Knobs(), Knobs(balance_counts_resting_as_spent=True), Knobs(user_data_timestamp_on_activity=True))


def moved(stage: Scene, shard: int, dollars: int) -> None:
    """Somebody pays in or takes out, and nothing of the exchange's lists says so."""
    account = stage.world.member.accounts[0]
    account.move(shard, dollars * 1_000_000)
    account.stamp_cash(shard, stage.world.clock.now_ms())


def traded(stage: Scene) -> None:
    """A position in two markets, a part of one closed again."""
    for ticker, side, count in ((A, "bid", None), (B, "ask", 400), (A, "ask", 200)):
        fill(stage.world, ticker, side, count)
        set_book(stage.world, ticker)
        stage.run(1)


def told(stage: Scene) -> list[tuple[str, str]]:
    found = stage.seen.facts("UNEXPLAINED_CASH")
    return [(fact["amount_dollars"], fact["by_shard"]) for fact in found]


def ties(stage: Scene) -> list[str]:
    return [fact["cash_tie"] for fact in stage.seen.facts("CYCLE")]


@pytest.mark.parametrize("knobs", BALANCES, ids=unlike)
def test_scenario_91_trades_and_payouts_leave_nothing_unexplained(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.run(2)
        traded(stage)
        for ticker in (A, B):
            stage.world.exchange.settle(ticker, "yes")
        stage.run(2)
        stage.world.clock.advance_ms(6 * HOUR_MS)
        stage.world.exchange.amend_result(A, "no")
        stage.run(3)

        assert told(stage) == []
        assert (ties(stage)[0], ties(stage)[-1]) == ("opened", "tied")
        assert not broken(stage.world)


@pytest.mark.parametrize("knobs", BALANCES[::2], ids=unlike)
def test_scenario_91_what_is_paid_in_is_named_once_and_kept(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.run(2)
        moved(stage, 2, 25)
        traded(stage)
        stage.run(10)

        assert told(stage) == [("25.000000", "2 25.000000")]
        assert stage.world.status()["cash"]["unexplained_dollars"] == "25.000000"


def test_scenario_91_cash_between_shards_is_awaited_and_what_does_not_arrive_was_taken_out() -> None:
    with scene() as stage:
        stage.run(2)
        moved(stage, 0, -30)
        stage.run(5)
        assert ties(stage)[-1] == "in_transit"
        moved(stage, 2, 30)
        stage.run(1)
        assert [fact["by_shard"] for fact in stage.seen.facts("CASH_MOVED")] == ["0 -30.000000; 2 30.000000"]

        moved(stage, 0, -10)
        stage.run(63)
        assert told(stage) == [("-10.000000", "0 -10.000000")]


@pytest.mark.parametrize("dies", [True, False])
def test_scenario_91_a_finding_is_stored_once_though_its_cycle_may_die(dies: bool) -> None:
    """After any call: told at least once, counted once."""
    after = 0
    while True:
        with scene() as stage:
            stage.run(2)
            moved(stage, 1, 25)
            stage.run(1)
            died = dies and stage.dies(after)
            stage.run(3)
            assert set(told(stage)) == {("25.000000", "1 25.000000")}
            assert stage.world.status()["cash"]["unexplained_dollars"] == "25.000000"
        after += 6
        if not died:
            break
    assert after > 12 or not dies


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="lose-answer", where="GET /portfolio/fills", for_ms=5 * MINUTE_MS),
        Fault(kind="lose-answer", where="GET /portfolio/settlements", for_ms=5 * MINUTE_MS),
        Fault(kind="lose-answer", where="GET /portfolio/positions", for_ms=5 * MINUTE_MS),
    ],
    ids=lambda fault: fault.where.rsplit("/", 1)[1],
)
def test_scenario_91_what_a_list_could_not_tell_is_not_called_unexplained(fault: Fault) -> None:
    with scene() as stage:
        stage.run(2)
        fill(stage.world, A, "bid", 300)
        set_book(stage.world, A)
        stage.world.exchange.settle(B, "yes")
        for _ in range(3):
            stage.struck(fault)
        assert all(tie.startswith("unknown: ") for tie in ties(stage)[-3:])
        stage.run(2)

        assert told(stage) == []
        assert ties(stage)[-1] == "tied"


@pytest.mark.parametrize("lag_ms", [30_000, 90_000, 200_000])
def test_scenario_91_a_fill_that_the_balance_knew_before_its_list_is_waited_for(lag_ms: int) -> None:
    with scene(Knobs(fills_lag_ms=lag_ms)) as stage:
        stage.run(6)
        fill(stage.world, A, "bid", 300)
        set_book(stage.world, A)
        stage.run(7)

        assert told(stage) == []
        assert ties(stage)[-1] == "tied"


def test_scenario_91_a_balance_that_could_not_be_read_is_unknown_and_not_zero() -> None:
    with scene() as stage:
        stage.run(1)
        stage.world.exchange.faults = Scripted({"GET /portfolio/balance": "answer"})
        stage.run(1)
        record: dict[str, Any] = stage.seen.facts("CYCLE")[-1]
        assert record["cash_tie"] == "unknown: the balance was not read"
        assert "cash_by_shard" not in record
