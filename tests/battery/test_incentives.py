"""What pays makers is read beside the trading, and nothing that is wrong with it costs a cycle anything."""

from collections.abc import Iterator
from contextlib import contextmanager

from dora.core.exchange.public_data import IncentiveProgram
from dora.edge.archive.packing import unpack
from tests.battery.scene import Scene, scene
from tests.simulator.fault_plan import Fault
from tests.simulator.model import IncentiveProgram as Listed
from tests.support.small_world import START_MS, TICKERS
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
