"""What pays makers is read beside the trading, and nothing that is wrong with it costs a cycle anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from dora.core.exchange.public_data import IncentiveProgram
from dora.core.incentives.programs import PROGRAMS as KEPT_AS
from dora.edge.archive.packing import unpack
from dora.flow.cycle.archive import decide_again
from tests.battery.scene import Scene, fill, scene
from tests.simulator.fault_plan import Fault
from tests.simulator.model import IncentiveProgram as Listed
from tests.support.small_world import START_MS, TICKERS, broken, resting, set_book
from tests.world import config_items
from tests.world.archive_bucket import ARCHIVE_BUCKET, archive_objects

A, B, _ = TICKERS
PROGRAMS = "GET /incentive_programs"
HOUR_MS = 3_600_000
SPAN = {"start_ms": START_MS - HOUR_MS, "end_ms": START_MS + 24 * HOUR_MS, "reward_e4": 200_000}
TURN = 10
"""Minutes from one turn of the programs to the next."""


@contextmanager
def recording_beside_trading() -> Iterator[Scene]:
    always = {**config_items.GLOBAL, "record_public": "always"}
    with scene(archive_bucket=ARCHIVE_BUCKET, globals=always) as stage:
        yield stage


def looks() -> list[tuple[IncentiveProgram, ...] | None]:
    records = [unpack(body) for body in archive_objects().values()]
    return [record.public.programs if record.public else None for record in records]


def test_scenario_85_programs_that_cannot_be_read_cost_their_own_turn_and_no_quote() -> None:
    with recording_beside_trading() as stage:
        stage.world.exchange.venue.programs.append(Listed(id="ours", ticker=A, **SPAN))
        stage.struck(Fault(kind="refuse", where=PROGRAMS, code="internal_server_error"))
        stage.sound()
        (warned,) = [own for own in stage.seen.facts("WARNING") if own["what"] == "incentive programs"]
        assert warned["why"]

        stage.run(TURN)
        stage.sound()
        first, *later = looks()

    (read,) = [own for own in later if own is not None]
    assert first is None
    assert [own.program_id for own in read] == ["ours"]


def test_scenario_85_nulls_and_ten_thousand_programs_of_others_leave_ours() -> None:
    with recording_beside_trading() as stage:
        stage.world.exchange.venue.programs += [
            *(Listed(id=f"theirs-{number}", ticker=f"KXELSE-{number}", **SPAN) for number in range(10_000)),
            Listed(id="bare", ticker=A, target_e2=None, discount_bps=None, **SPAN),
            Listed(id="", ticker=B, **SPAN),
            Listed(id="over", ticker=B, **SPAN | {"end_ms": START_MS - 1}),
        ]
        stage.run(1)
        stage.sound()
        assert stage.world.exchange.stats.calls[PROGRAMS] == 2
        (found,) = looks()

    assert [(own.program_id, own.target, own.discount_bps) for own in found or ()] == [("bare", None, None)]


# --- the strategy that is paid by them ----------------------------------------------------------------------

PAID = {
    "enabled": True,
    "strategy": "incentive",
    "quote_size": 100,
    "max_position": 400,
    "warm_up_minutes": 0,
    "max_spread_dollars": Decimal("0.30"),
}
RICH = {**SPAN, "reward_e4": 1_000_000}
ENTERED = 13
"""Cycles until it rests: programs are known after the first, a look at them in each of the next ten, and
ten minutes in which they are worth it."""


@contextmanager
def paid_for(*programs: Listed, **changes: Any) -> Iterator[Scene]:
    with scene(items=dict.fromkeys(TICKERS, PAID), archive_bucket=ARCHIVE_BUCKET, **changes) as stage:
        for program in programs:
            stage.world.exchange.add_program(program)
        yield stage


def one_each(**changes: int) -> list[Listed]:
    return [Listed(id=f"of-{ticker}", ticker=ticker, **RICH | changes) for ticker in TICKERS]


def reasons(stage: Scene) -> set[str]:
    """Why markets are not quoted, by the latest word on each."""
    said = {own["market"]: own["skip_reason"] for own in stage.seen.facts("DECISION_MADE")}
    return set(said.values())


def test_scenario_85_a_market_is_quoted_once_its_program_was_worth_it_for_ten_minutes() -> None:
    with paid_for(*one_each()) as stage:
        stage.run(ENTERED - 2)
        assert stage.slots() == 0
        stage.run(2)
        stage.sound()
        assert {price for quotes in resting(stage.world).values() for price, _ in quotes} == {4_400, 4_700}
        assert stage.world.exchange.stats.calls[PROGRAMS] == 2
        (found, *_) = [own for own in stage.seen.facts("DECISION_MADE") if own["targets"]]
        assert float(found["reward_estimate_dollars"]) >= float(found["reward_cost_dollars"]) + 0.5
        for body in archive_objects().values():
            record = unpack(body)
            assert record.seen is not None
            assert decide_again(record.seen, record.asked) == record.decided


def test_scenario_85_without_such_a_market_nothing_is_read_and_nothing_is_kept() -> None:
    assert _unpaid(*one_each()) == _unpaid()


def _unpaid(*programs: Listed) -> tuple[dict[str, int], dict[str, bytes]]:
    """What markets of another strategy ask of the exchange, and what they know, decide and keep."""
    with scene(archive_bucket=ARCHIVE_BUCKET) as stage:
        for program in programs:
            stage.world.exchange.add_program(program)
        stage.run(TURN + 2)
        stage.sound()
        calls = dict(stage.world.exchange.stats.calls)
        archived = dict(archive_objects())
    assert PROGRAMS not in calls
    known = [record.seen.memory for record in map(unpack, archived.values()) if record.seen]
    assert len(known) == TURN + 2
    assert not any(KEPT_AS in memory for memory in known)
    return calls, archived


def test_scenario_85_reads_that_fail_age_what_is_known_and_no_quote_goes_for_it() -> None:
    with paid_for(*one_each()) as stage:
        stage.run(ENTERED)
        stage.faults.now(Fault(kind="refuse", where=PROGRAMS, code="internal_server_error"))
        stage.run(2 * TURN)
        stage.faults.clear()
        stage.sound()
        warned = [own for own in stage.seen.facts("WARNING") if own["what"] == "incentive programs"]
        assert 2 <= len(warned) <= TURN


def test_scenario_85_what_a_program_is_expected_to_pay_is_booked_once_when_it_is_over() -> None:
    end_ms = START_MS + (ENTERED + 20) * 60_000
    with paid_for(*one_each(start_ms=START_MS, end_ms=end_ms)) as stage:
        stage.run(ENTERED + 25)
        told = stage.seen.facts("REWARD_EXPECTED")
        stage.world.clock.advance_to(end_ms + 2 * 24 * HOUR_MS)
        credited = {own.program_id: own.amount_e6 / 1_000_000 for own in stage.world.exchange.rewards.credits}
        assert not broken(stage.world)

    assert sorted(own["market"] for own in told) == sorted(TICKERS)
    for own in told:
        assert float(own["amount_dollars"]) == pytest.approx(credited[own["program"]], rel=0.2)


def test_scenario_85_a_market_that_is_disabled_and_comes_back_is_expected_once_with_all_it_earned() -> None:
    end_ms = START_MS + (ENTERED + 40) * 60_000
    with paid_for(*one_each(end_ms=end_ms, reward_e4=100_000_000)) as stage:
        stage.run(ENTERED + 10)
        stage.world.put_market(A, {**PAID, "enabled": False})
        stage.run(2)
        assert not stage.seen.facts("REWARD_EXPECTED")
        stage.world.put_market(A, PAID)
        stage.run(32)
        told = {own["market"]: float(own["amount_dollars"]) for own in stage.seen.facts("REWARD_EXPECTED")}
        assert not broken(stage.world)

    assert len(stage.seen.facts("REWARD_EXPECTED")) == len(TICKERS)
    assert told[A] > 0.45 * told[B]  # The first stay alone is a quarter.


def test_scenario_85_when_programs_end_quotes_go_and_what_is_held_is_closed() -> None:
    end_ms = START_MS + (ENTERED + 3) * 60_000
    with paid_for(*one_each(end_ms=end_ms, reward_e4=100_000_000)) as stage:
        stage.run(ENTERED)
        stage.sound()
        fill(stage.world, A, "bid", 3_000)
        set_book(stage.world, A)
        stage.run(5)
        assert reasons(stage) == {"no_program", ""}
        assert resting(stage.world) == {(A, "ask"): [(4_700, 3_000)]}
        assert not broken(stage.world)
