"""Scenarios 31 and 32: tokens that are gone, and far more markets than tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.battery.scarce_tokens import (
    MARKETS,
    PLACED_AT_LEAST,
    SCARCE,
    many,
    placed_by_cycle,
    scarce,
    set_books,
)
from tests.battery.scene import CANCEL, CREATE, HOLD_CYCLES, SLOTS, Scene, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import broken, resting

BODIES = (Knobs(), Knobs(body_of_429="nested", balance_body_of_429="text"))
TOO_MANY = 429
ALL_READS = "GET /portfolio/*"


# --- 31: tokens that are gone ----------------------------------------------------------------------------


@contextmanager
def poor(knobs: Knobs | None = None) -> Iterator[Scene]:
    """A scene in which somebody else spends our tokens: a 429 is not the bot's fault."""
    with scene(knobs) as stage:
        stage.world.exchange.invariants.expectations.tolerate_429 = True
        yield stage


@pytest.mark.parametrize("knobs", BODIES, ids=unlike)
def test_scenario_31_a_create_without_tokens_was_not_placed_and_is_placed_next_time(knobs: Knobs) -> None:
    with poor(knobs) as stage:
        stage.meanwhile(CREATE, lambda: stage.faults.now(Fault(kind="starve", where="write")))
        refused = stage.world.cycle()
        tries = stage.world.exchange.stats.calls[CREATE]
        (placed,) = stage.run(1)

        assert (refused["placed"], refused["unknown"], refused["failed"], tries) == (0, 0, SLOTS, 1)
        assert placed["placed"] == SLOTS
        assert stage.seen.facts("RATE_LIMIT")
        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()


def backoffs(stage: Scene) -> list[tuple[int, float]]:
    told = stage.seen.facts("RATE_LIMIT_BACKOFF")
    return [
        (fact["consecutive_hits"], fact["backoff_seconds"]) for fact in told if fact["endpoint"] == "place"
    ]


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_scenario_31_429s_in_a_row_back_off_exponentially_over_cycles_until_a_write_passes(
    warm: bool,
) -> None:
    def cycles(number: int) -> None:
        for _ in range(number):
            if not warm:
                stage.cold_start()
            stage.run(1)

    with poor() as stage:
        stage.faults.now(Fault(kind="refuse", where=CREATE, amount=TOO_MANY, code="too_many_requests"))
        cycles(4)
        in_a_row = backoffs(stage)
        stage.faults.clear()
        cycles(2)
        stage.move()
        stage.faults.now(Fault(kind="refuse", where=CREATE, amount=TOO_MANY, code="too_many_requests"))
        cycles(1)
        later = backoffs(stage)[len(in_a_row) :]
        stage.faults.clear()
        cycles(2)

        assert in_a_row == [(1, 2.25), (2, 4.5), (3, 9.0), (4, 18.0)]
        assert later == [(1, 2.25)]
        stage.sound()


@pytest.mark.parametrize("knobs", BODIES, ids=unlike)
def test_scenario_31_a_cancel_without_tokens_withholds_its_replacement(knobs: Knobs) -> None:
    with poor(knobs) as stage:
        stage.run(1)
        stage.move()
        stage.meanwhile(CANCEL, lambda: stage.faults.now(Fault(kind="starve", where="write")))
        refused = stage.world.cycle()
        tries = stage.world.exchange.stats.calls[CANCEL]
        stage.slots()
        stage.run(2)

        assert (refused["placed"], refused["cancelled"], tries) == (0, 0, 1)
        assert all(order.price_e4 > 4400 for order in stage.world.member.resting.values())
        stage.sound()


@pytest.mark.parametrize("knobs", BODIES, ids=unlike)
@pytest.mark.parametrize("bucket", ["read", "balance"])
def test_scenario_31_reads_without_tokens_are_unknown_and_place_nothing(bucket: str, knobs: Knobs) -> None:
    where = ALL_READS if bucket == "read" else "GET /portfolio/balance"
    with poor(knobs) as stage:
        stage.run(1)
        stage.move()
        before = resting(stage.world)
        answer = stage.struck(Fault(kind="refuse", where=where, amount=TOO_MANY))
        during = resting(stage.world)
        stage.run(2)

        assert (answer["status"], answer["reason"]) == ("degraded", "read_unknown")
        assert answer["placed"] == 0
        assert all(before[slot] == orders for slot, orders in during.items())
        # Cancelling what is dangerous needs orders and books, not cash.
        assert (answer["cancelled"] == 0) is (bucket == "read")
        stage.sound()


@pytest.mark.parametrize("bucket", ["read", "balance", "write"])
def test_scenario_31_a_bucket_that_is_empty_at_the_start_of_every_cycle_doubles_nothing(bucket: str) -> None:
    with poor() as stage:
        for minute in range(4):
            stage.move(4400 + 100 * (minute % 2))
            stage.world.clock.advance_to(stage.world.next_tick_ms())
            stage.struck(Fault(kind="starve", where=bucket))
            stage.slots()
        stage.run(HOLD_CYCLES)

        assert stage.world.exchange.stats.too_many_requests
        stage.sound()


def test_scenario_31_a_limiter_that_cannot_be_written_stops_placements_and_no_dangerous_quote_stays() -> None:
    """Neither the reads nor a cancel wait for a table: bids above the fallen fair value go, asks rest on."""
    with scene() as stage:
        stage.run(1)
        stage.move()
        answer = stage.struck(Fault(kind="aws-throttle", where="UpdateItem LIMITER", times=0))

        assert (answer["status"], answer["cancelled"], answer["placed"]) == ("completed", SLOTS // 2, 0)
        assert len({side for _, side in resting(stage.world)}) == 1
        assert any("bucket write" in error["what"] for error in stage.seen.facts("ERROR"))
        stage.run(2)
        stage.sound()


def test_scenario_31_a_limiter_that_cannot_be_written_ends_no_cycle_that_reads_cash_again() -> None:
    with scene() as stage:
        stage.run(1)
        limiter = Fault(kind="aws-throttle", where="UpdateItem LIMITER", times=0)
        answer = stage.struck(limiter, Fault(kind="no-cash"))

        assert (answer["reason"], answer["placed"]) == ("read_unknown", 0)


def test_scenario_31_the_balance_is_waited_for_where_nobody_can_say_when_it_was_read_last() -> None:
    """A start has just read it, and the bucket that would say so cannot be written (I8)."""
    with scene(started=False) as stage:
        assert stage.world.start()["status"] == "active"
        stage.struck(Fault(kind="aws-throttle", where="UpdateItem LIMITER", times=0))

        assert not stage.world.exchange.stats.too_many_requests
        assert not broken(stage.world)


def test_scenario_31_a_start_whose_reads_had_to_be_repeated_leaves_the_balance_to_the_next_cycle() -> None:
    with scene(started=False) as stage:
        tick_ms = stage.world.next_tick_ms()
        stage.world.clock.advance_to(tick_ms)
        stage.faults.now(Fault(kind="refuse", where="GET /exchange/status", times=1))
        assert stage.world.start()["status"] == "active"
        stage.invoke(tick_ms)

        assert not stage.world.exchange.stats.too_many_requests
        assert not broken(stage.world)


@pytest.mark.parametrize(("lag_ms", "skew_ms"), [(0, 0), (70_000, 0), (70_000, -1_400)])
def test_scenario_31_what_a_429_refused_though_a_copy_of_it_had_come_is_not_placed_on_older_reads(
    lag_ms: int, skew_ms: int
) -> None:
    """The network delivered a create twice, and the client heard of the second copy: too many requests."""
    with scene(Knobs(user_data_timestamp_offset_ms=600_000), skew_ms=skew_ms) as stage:
        stage.run(2)
        stage.move()
        exchange = stage.world.exchange
        exchange.knobs = replace(exchange.knobs, orders_lag_ms=lag_ms)
        stage.struck(Fault(kind="error-after", where=CREATE, amount=429, code="too_many_requests"))
        stage.run(1)
        assert not broken(stage.world), broken(stage.world)
        exchange.knobs = replace(exchange.knobs, orders_lag_ms=0)
        stage.run(3)

        stage.sound()


def test_scenario_31_batches_are_cut_to_what_the_bucket_holds() -> None:
    with scene(tier="basic", **many(12)) as stage:
        set_books(stage)
        stage.run(2)
        set_books(stage, 4600)
        stage.run(2)
        stats = stage.world.exchange.stats
        batches = [cost for _, cost in stats.tokens["write"]]

        assert stage.world.open_orders() == 24
        assert max(batches) <= 50
        assert stats.peak_excess("write", 100, 100) <= 0
        assert not stats.too_many_requests
        assert not broken(stage.world)


# --- 32: far more markets than tokens -------------------------------------------------------------------


@pytest.mark.long
def test_scenario_32_scarce_tokens_go_to_cancels_first_and_then_round_all_markets() -> None:
    with scarce() as stage:
        placed = placed_by_cycle(stage, 16)
        stats = stage.world.exchange.stats

        assert all(PLACED_AT_LEAST <= len(slots) < MARKETS // 2 for slots in placed), [*map(len, placed)]
        assert len(set[tuple[str, str]]().union(*placed)) == 2 * MARKETS
        assert stats.peak_excess("write", SCARCE.write_rate, SCARCE.write_capacity) <= 0
        assert not stats.too_many_requests
        assert not broken(stage.world)


@pytest.mark.long
def test_scenario_32_what_is_dropped_is_the_same_in_every_run() -> None:
    runs = []
    for _ in range(2):
        with scarce() as stage:
            runs.append(placed_by_cycle(stage, 3))

    assert runs[0] == runs[1]
