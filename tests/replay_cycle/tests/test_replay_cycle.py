"""Archived cycles decided again: bit for bit the same, and a difference is named with its market (I12)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dora.core.cycle_record import CycleRecord
from dora.core.quoting import fair_value
from dora.core.reasons import Reason
from dora.core.units import Price
from dora.edge.archive.packing import SCHEMA, pack, unpack
from tests.battery.eventful import eventful_cycles
from tests.battery.scarce_tokens import placed_by_cycle, scarce
from tests.battery.scene import scene
from tests.demo.options import Options
from tests.demo.scene import choose_scene
from tests.replay_cycle.__main__ import AGREES, CANNOT_RUN, DIFFERS, main
from tests.replay_cycle.archived_cycle import NotReplayableError, Replay, replay
from tests.replay_cycle.differences import WHOLE_PLAN, Difference, differences
from tests.replay_cycle.kept_object import DEEP, FLAT, kept_object
from tests.world.archive_bucket import ARCHIVE_BUCKET, archive_objects, beside_a_bucket
from tests.world.bot import deployed_bot
from tests.world.output import Catcher, printed_to
from tests.world.world import open_world

CYCLES, MARKETS = 24, 8


def demo_objects(*, dry_run: bool = False, cycles: int = CYCLES) -> Mapping[str, bytes]:
    """What the cycles of a short demo leave behind."""
    chosen = choose_scene(Options(cycles=CYCLES, markets=MARKETS))
    setup = replace(chosen.setup("adapter", "process"), archive_bucket=ARCHIVE_BUCKET, dry_run=dry_run)
    with (
        open_world(setup, beside_a_bucket(deployed_bot)) as world,
        printed_to(Catcher().stream),
    ):
        chosen.play(world)
        world.start()
        for _ in range(cycles):
            world.cycle()
        return archive_objects()


def replayed(objects: Mapping[str, bytes]) -> Iterator[Replay]:
    for key, body in objects.items():
        done = replay(body)
        assert done.exact, f"{key}: {done.found}"
        assert done.found == ()
        yield done


@pytest.mark.long
def test_every_cycle_of_a_demo_is_decided_again_bit_for_bit() -> None:
    done = list(replayed(demo_objects()))

    assert len(done) == CYCLES
    assert sum(len(one.again.places) for one in done) > MARKETS
    assert all(len(one.again.decisions) == MARKETS for one in done)


@pytest.mark.long
def test_every_cycle_among_faults_is_decided_again_bit_for_bit() -> None:
    with scene(archive_bucket=ARCHIVE_BUCKET) as stage:
        eventful_cycles(stage)
        done = list(replayed(archive_objects()))

    blocked = {str(one.seen.permission.blocked_by) for one in done}
    assert {"None", "halted", "auth_refused", "read_unknown"} <= blocked
    assert any(one.record.asked.tapes for one in done), "a tape was read"
    assert any(one.record.asked.most_places == 0 for one in done), "the limiter could not be written"
    assert any(one.record.done.codes.get("unanswered") for one in done)


@pytest.mark.long
def test_every_cycle_that_is_short_of_tokens_is_decided_again_bit_for_bit() -> None:
    with scarce(archive_bucket=ARCHIVE_BUCKET) as stage:
        placed_by_cycle(stage, 4)
        done = list(replayed(archive_objects()))

    assert Reason.BUDGET in {why for one in done for _, why in one.again.withheld}


def test_a_dry_run_lies_apart_and_is_decided_again() -> None:
    objects = demo_objects(dry_run=True, cycles=2)

    (first, second) = replayed(objects)
    assert all(key.startswith("dora/dry/") for key in objects)
    assert first.record.dry_run
    assert second.record.asked.tokens is None


def test_the_object_kept_for_each_schema_can_be_read_and_todays_is_decided_again() -> None:
    for schema in range(1, SCHEMA + 1):
        unpack(kept_object(schema).read_bytes())

    done = replay(kept_object().read_bytes())
    assert done.agrees, done.found
    assert done.again.places
    assert done.again.cancels


def test_a_changed_constant_is_reported_at_the_market_that_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only one book of the kept object has more than one price a side."""
    monkeypatch.setattr(fair_value, "LEVELS", 1)

    done = replay(kept_object().read_bytes())

    assert not done.agrees
    assert {one.market for one in done.found} - {WHOLE_PLAN} == {DEEP}
    assert (DEEP, "fair_value") in {(one.market, one.fact) for one in done.found}


def test_a_changed_setting_is_reported_at_its_market() -> None:
    record = kept()
    assert record.seen is not None
    dearer = replace(record.seen.wanted[FLAT], min_edge=Price(300))
    changed = record._replace(seen=record.seen._replace(wanted={**record.seen.wanted, FLAT: dearer}))

    done = replay(pack(changed))

    assert {one.market for one in done.found} - {WHOLE_PLAN} == {FLAT}
    assert any(one.fact.startswith("place ") for one in done.found)


def test_the_last_digit_of_a_model_value_is_reported_and_tolerated_and_no_price_is() -> None:
    assert Difference(DEEP, "fair_value", 0.45, 0.450000001).tolerable
    assert not Difference(DEEP, "fair_value", 0.45, 0.450000003).tolerable
    assert not Difference(DEEP, "fair_value", 0.45, None).tolerable
    assert not Difference(DEEP, "place bid 0", (4_400, 10), (4_500, 10)).tolerable


def test_the_sequence_of_a_plan_counts_too() -> None:
    record = kept()
    assert record.seen is not None
    turned = record.decided._replace(places=record.decided.places[::-1])

    (one,) = differences(record.decided, turned, record.seen.orders)
    assert (one.market, one.fact) == (WHOLE_PLAN, "sequence of placements")


def test_decisions_alone_cannot_be_decided_again() -> None:
    with pytest.raises(NotReplayableError, match="without what it was decided from"):
        replay(pack(kept()._replace(loaded=None, seen=None)))


# --- the command ------------------------------------------------------------------------------------


def test_the_command_tells_by_its_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = kept()
    first, *others = record.decided.decisions
    other = first._replace(fair_value=0.9)
    changed = record._replace(decided=record.decided._replace(decisions=(other, *others)))
    spoiled = tmp_path / "spoiled.json.gz"
    spoiled.write_bytes(pack(changed))

    assert main([str(kept_object())]) == AGREES
    assert main([str(spoiled)]) == DIFFERS
    said = capsys.readouterr().out
    assert "decided again" in said
    assert f"{first.ticker}: fair_value: 0.9 archived" in said


@pytest.mark.parametrize("arguments", [["nowhere.json.gz"], [str(kept_object()), "--explain", "KXNONE"]])
def test_what_cannot_be_found_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == CANNOT_RUN
    assert "replay-cycle: " in capsys.readouterr().err


def kept() -> CycleRecord:
    return unpack(kept_object().read_bytes())
