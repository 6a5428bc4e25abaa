"""What a bot recorded: it replays to the same decisions, and the fill models stand beside its true fills."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dora.core.config import DEFAULT_STRATEGY
from dora.core.cycle_record import CycleRecord
from dora.core.errors import ConfigInvalid
from dora.core.quoting.decision import Decision
from dora.edge.archive.packing import pack, unpack
from tests.demo.options import DemoError, Options
from tests.demo.scene import choose_scene
from tests.replay.archive_folder import read_folder
from tests.replay.bot import Bot
from tests.replay.claims import conclusions, limits
from tests.replay.desk import Desk
from tests.replay.fill_models import PESSIMISTIC
from tests.replay.loading import read_tape
from tests.replay.recorded_settings import RECORDED, setting_for
from tests.replay.report import as_json
from tests.replay.run import Result, replay
from tests.replay.settings import setting
from tests.replay.tape import Tape
from tests.simulator.tape import RecordingError
from tests.support.cycle_records import cycle_record
from tests.world import config_items
from tests.world.archive_bucket import ARCHIVE_BUCKET, archive_objects, beside_a_bucket
from tests.world.bot import deployed_bot
from tests.world.output import Catcher, printed_to
from tests.world.world import open_world

CYCLES, MARKETS = 40, 6
AS_QUOTED = {name: str(own).lower() for name, own in config_items.MARKET.items() if name != "enabled"}


@cache
def recorded_objects(*, dry_run: bool) -> Mapping[str, bytes]:
    """What a bot archives that quotes, or only records, against the simulator."""
    chosen = choose_scene(Options(cycles=CYCLES, markets=MARKETS, seed=3))
    always = {**config_items.GLOBAL, "record_public": "always"}
    setup = replace(
        chosen.setup("adapter", "process"),
        archive_bucket=ARCHIVE_BUCKET,
        dry_run=dry_run,
        globals=always,
        items=dict.fromkeys(chosen.tickers, config_items.MARKET),
    )
    with open_world(setup, beside_a_bucket(deployed_bot)) as world, printed_to(Catcher().stream):
        chosen.play(world)
        world.start()
        for _ in range(CYCLES):
            world.cycle()
        return archive_objects()


def written(folder: Path, objects: Mapping[str, bytes]) -> Path:
    for key, body in objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return folder


@pytest.fixture
def dry(tmp_path: Path) -> Path:
    return written(tmp_path / "dry-run", recorded_objects(dry_run=True))


@pytest.fixture
def live(tmp_path: Path) -> Path:
    return written(tmp_path / "live", recorded_objects(dry_run=False))


def records_in(folder: Path) -> list[CycleRecord]:
    return [unpack(path.read_bytes()) for path in sorted(folder.rglob("*.json.gz"))]


def decided_again(tape: Tape) -> list[tuple[Decision, ...]]:
    """What the bot of a replay decides that never fills, at every look."""
    bot, desk = Bot(tape, setting(DEFAULT_STRATEGY, AS_QUOTED)), Desk(PESSIMISTIC)
    assert tape.archived is not None
    decisions = []
    for now_ms in tape.archived.looks:
        quotes = {ticker: track.seen_at(now_ms) for ticker, track in tape.tracks.items()}
        books = {
            ticker: tape.tracks[ticker].book(quote)
            for ticker, quote in quotes.items()
            if quote is not None and quote.at_ms == now_ms
        }
        decisions.append(bot.cycle(now_ms, tuple(tape.tracks), books, desk).decisions)
    return decisions


def wanted(decisions: tuple[Decision, ...]) -> list[object]:
    return [(own.ticker, own.skip, own.fair_value, own.half_spread, own.targets) for own in decisions]


def test_a_recording_made_by_the_bot_replays_to_the_same_decisions(dry: Path) -> None:
    recorded, tape = records_in(dry), read_tape(dry)

    again = decided_again(tape)

    assert len(again) == len(recorded) == CYCLES
    for record, decisions in zip(recorded, again, strict=True):
        assert wanted(decisions) == wanted(record.decided.decisions), record.cycle_id
    assert sum(len(own.targets) for decisions in again for own in decisions) > CYCLES * MARKETS


def test_a_folder_is_replayed_with_the_settings_that_it_was_recorded_with(dry: Path) -> None:
    tape = read_tape(dry)
    assert tape.archived is not None
    recorded = tape.archived.configs

    own = setting_for(tape, RECORDED, {})

    assert {ticker: own.market_config(ticker) for ticker in recorded} == recorded
    result = replay(tape, [RECORDED], {}, lambda _strategy, _model: None)
    alike = replay(tape, [DEFAULT_STRATEGY], AS_QUOTED, lambda _strategy, _model: None)
    assert as_json(result)[RECORDED] == as_json(alike)[DEFAULT_STRATEGY]
    assert "as they were last recorded (reservation)" in "\n".join(conclusions(result))


def test_what_is_set_goes_over_what_was_recorded(dry: Path) -> None:
    tape = read_tape(dry)
    assert tape.archived is not None
    asked = {"quote_size": "7", "min_half_spread_dollars": "0.04", "order_life_s": "900"}

    own = setting_for(tape, RECORDED, asked)

    for ticker, recorded in tape.archived.configs.items():
        config = own.market_config(ticker)
        settings: Any = config.settings
        assert (config.quote_size, settings.min_half_spread) == (700, 400)
        assert replace(config, quote_size=recorded.quote_size, settings=recorded.settings) == recorded
    assert (own.global_config().order_life_s, own.side_contracts) == (900, 7.0)
    with pytest.raises(ConfigInvalid, match="means nothing in a replay"):
        setting_for(tape, RECORDED, {"trading_enabled": "false"})


def replayed(tape: Tape) -> Result:
    return replay(tape, [DEFAULT_STRATEGY], AS_QUOTED, lambda _strategy, _model: None)


@pytest.mark.long
def test_inferred_fills_are_compared_with_the_true_ones(live: Path) -> None:
    tape = read_tape(live)
    result = replayed(tape)

    assert tape.archived is not None
    assert tape.archived.filled is not None
    true = sum(tape.archived.filled.values())
    by_model = {name: own.total.contracts for name, own in result.strategies[DEFAULT_STRATEGY].items()}
    assert true > 0
    assert by_model["pess"] <= by_model["infer"] <= by_model["opt"]
    assert true / 2 < by_model["infer"] < 2 * true
    told = "\n".join(conclusions(result))
    assert f"the bot that recorded, as it was set, filled {true / 100:.0f}." in told


@pytest.mark.long
def test_our_own_orders_are_no_part_of_the_books_of_others(live: Path) -> None:
    folder = read_folder(live)
    records = {record.seen.now_ms: record.seen for record in records_in(live) if record.seen}
    taken_off = 0
    for look in folder.looks:
        shown = records[look.at_ms].snapshot.books
        taken_off += sum(shown[ticker] != book for ticker, book in look.books.items())

    assert taken_off > 0


def test_a_trade_is_one_print_though_two_looks_saw_it(dry: Path) -> None:
    paths = sorted(dry.rglob("*.json.gz"))
    records = [unpack(path.read_bytes()) for path in paths]
    looks = [record.public for record in records if record.public]
    trades = [own for look in looks for own in look.trades or ()]
    again = looks[-1]._replace(trades=tuple(trades))
    paths[-1].write_bytes(pack(records[-1]._replace(public=again)))

    folder = read_folder(dry)

    assert len(folder.prints) == len(trades) > 0
    assert folder.without_trades == 0
    assert folder.filled is None


def test_a_market_settles_as_the_last_look_says(dry: Path) -> None:
    last = max(dry.rglob("*.json.gz"))
    record = unpack(last.read_bytes())
    assert record.seen is not None
    ticker, market = next(iter(record.seen.snapshot.markets.items()))
    markets = {**record.seen.snapshot.markets, ticker: market._replace(result="no")}
    snapshot = replace(record.seen.snapshot, markets=markets)
    last.write_bytes(pack(record._replace(seen=record.seen._replace(snapshot=snapshot))))

    results = {name: track.result for name, track in read_tape(dry).tracks.items()}

    assert results == dict.fromkeys(results, None) | {ticker: "no"}


def test_looks_without_trades_make_bounds_of_it(dry: Path) -> None:
    first = min(dry.rglob("*.json.gz"))
    first.write_bytes(pack(unpack(first.read_bytes())._replace(public=None)))

    told = "\n".join(limits(read_tape(dry)))

    assert f"BOUND: before 1 of {CYCLES} looks trades may be missing" in told


def test_the_demo_plays_a_folder_like_any_other_recording(dry: Path) -> None:
    scene = choose_scene(Options(data=dry, cycles=10, markets=4))

    assert scene.recording.quotes
    assert scene.recording.prints
    assert len(scene.tickers) == 4


def test_a_folder_that_is_no_recording_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="Give a folder of archive objects"):
        read_folder(tmp_path)
    with pytest.raises(DemoError, match="Give a folder of archive objects"):
        choose_scene(Options(data=tmp_path))

    (tmp_path / "a.json.gz").write_bytes(pack(cycle_record()._replace(loaded=None, seen=None)))
    with pytest.raises(RecordingError, match="Record with ARCHIVE=full"):
        read_folder(tmp_path)

    (tmp_path / "a.json.gz").write_bytes(b"text")
    with pytest.raises(RecordingError, match=r"a\.json\.gz: no archive object"):
        read_folder(tmp_path)


def test_objects_of_two_bots_are_refused(tmp_path: Path) -> None:
    for bot in ("alpha", "beta"):
        written(tmp_path, {f"{bot}/a.json.gz": pack(cycle_record())})

    with pytest.raises(RecordingError, match="two bots, or of a dry run beside a live one"):
        read_folder(tmp_path)
