"""A dry run with the archive on is the recorder: all configured markets, what traded, what pays makers."""

from collections.abc import Iterator
from contextlib import contextmanager

from dora.core.cycle_record import CycleRecord
from dora.core.exchange.public_data import PublicData
from dora.core.reasons import Reason
from dora.edge.archive.packing import unpack
from tests.battery.scene import Scene, scene
from tests.simulator.model import IncentiveProgram
from tests.support.small_world import START_MS, TICKERS
from tests.world import config_items
from tests.world.archive_bucket import ARCHIVE_BUCKET, archive_objects

A, B, C = TICKERS
TRADES = "GET /markets/trades"
HOUR_MS = 3_600_000


@contextmanager
def recorder() -> Iterator[Scene]:
    """A market to be quoted, one to be recorded alone, one that is switched off."""
    items = {A: config_items.MARKET, B: {"record_only": True}, C: {"enabled": False}}
    with scene(archive_bucket=ARCHIVE_BUCKET, dry_run=True, items=items) as stage:
        yield stage


def records() -> list[CycleRecord]:
    return [unpack(body) for body in archive_objects().values()]


def public(record: CycleRecord) -> PublicData:
    assert record.public is not None
    return record.public


def test_books_of_every_configured_market_are_recorded_and_none_is_quoted_that_is_only_recorded() -> None:
    with recorder() as stage:
        stage.run(1)
        (record,) = records()

    assert record.seen is not None
    assert record.seen.snapshot.books.keys() == set(TICKERS)
    skipped = {own.ticker: own.skip for own in record.decided.decisions}
    assert (skipped[B], skipped[C]) == (Reason.RECORD_ONLY, Reason.MARKET_DISABLED)


def test_every_trade_is_recorded_once_though_looks_overlap() -> None:
    with recorder() as stage:
        taken = []
        for cycle in range(3):
            stage.run(1)
            taken.append(stage.world.exchange.background_take(B, "ask", 4_400, 100 * (cycle + 1)))
            stage.world.clock.advance_ms(5_000)
        stage.run(1)
        seen = [public(record) for record in records()]

    printed = {own.trade_id: own for look in seen for own in look.trades or ()}
    assert sorted(own.count for own in printed.values()) == taken == [100, 200, 300]
    assert all(later.since_ms <= earlier.until_ms for earlier, later in zip(seen, seen[1:], strict=False))


def test_programs_are_recorded_when_it_is_their_turn() -> None:
    with recorder() as stage:
        span = {"start_ms": START_MS - HOUR_MS, "end_ms": START_MS + HOUR_MS, "reward_e4": 200_000}
        stage.world.exchange.venue.programs += [
            IncentiveProgram(id="ours", ticker=B, **span),
            IncentiveProgram(id="elsewhere", ticker="KXELSEWHERE-1", **span),
        ]
        stage.run(12)
        looks = [public(record).programs for record in records()]

    assert [look is not None for look in looks].count(True) == 2
    assert {own.program_id for look in looks for own in look or ()} == {"ours"}


def test_how_a_market_ended_is_recorded() -> None:
    with recorder() as stage:
        stage.run(1)
        stage.world.exchange.settle(B, "yes")
        stage.run(1)
        before, after = (record.seen for record in records())

    assert before is not None
    assert after is not None
    results = [seen.snapshot.markets[B].result for seen in (before, after)]
    assert results == ["", "yes"]


def test_a_live_bot_asks_for_nothing_of_it_unless_told_to() -> None:
    with scene(archive_bucket=ARCHIVE_BUCKET) as stage:
        stage.run(1)
        (silent,) = records()
        assert (silent.public, stage.world.exchange.stats.calls[TRADES]) == (None, 0)

        stage.world.put_global({**config_items.GLOBAL, "record_public": "always"})
        stage.run(1)
        assert public(records()[-1]).trades == ()
