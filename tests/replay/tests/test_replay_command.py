"""The command: what it refuses, what it leaves, and what it says it cannot prove."""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dora.core.calendar import format_time
from dora.core.units import TimeMs
from tests.replay.__main__ import CANNOT_RUN, main
from tests.replay.claims import conclusions, limits, sign_of_profit
from tests.replay.options import parse
from tests.replay.play import Played
from tests.replay.report import as_json, details, summary, table
from tests.replay.run import Outcome, Result, replay
from tests.replay.score import Score, Scored
from tests.replay.settings import Setting
from tests.replay.splits import parts
from tests.replay.tape import Tape
from tests.replay.tapes import TICKER, tape_with, track_of, wandering
from tests.simulator.tape import Quote

FIGURES = {
    "cents_per_quote_hour",
    "low",
    "high",
    "contracts_per_quote_hour",
    "quoted_share",
    "end_dollars",
}
RESTLESS = {"max_speed_percent": "10000", "resume_speed_percent": "10000"}


def quiet(strategy: str, model: str) -> None:
    pass


def result_of(tape: Tape) -> Result:
    return replay(tape, ["reservation"], RESTLESS, quiet)


@pytest.fixture(scope="module")
def result() -> Result:
    return result_of(tape_with(track_of(wandering(3))))


def bbo_file(folder: Path, name: str, quotes: Sequence[Quote]) -> Path:
    lines = ["ts,ticker,yes_bid_dollars,yes_bid_size,yes_ask_dollars,yes_ask_size"]
    for each in quotes:
        assert each.bid
        assert each.ask
        prices = f"{each.bid.price_e4 / 10_000:.4f},50.00,{each.ask.price_e4 / 10_000:.4f},50.00"
        lines.append(f"{format_time(TimeMs(each.at_ms))},{TICKER},{prices}")
    path = folder / f"bbo-{name}.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def test_the_json_holds_every_strategy_under_every_fill_model(result: Result) -> None:
    content = as_json(result)
    assert list(content) == ["reservation", "join_the_touch", "older_system", "nothing"]
    for by_model in content.values():
        assert list(by_model) == ["pess", "infer", "opt"]
        assert all(set(figures) == FIGURES for figures in by_model.values())
    assert content["nothing"]["pess"]["end_dollars"] == 0.0


def test_a_fill_model_that_the_recording_lacks_the_figures_for_is_null() -> None:
    sizeless = [
        replace(
            each,
            bid=each.bid and replace(each.bid, best_e2=None),
            ask=each.ask and replace(each.ask, best_e2=None),
        )
        for each in wandering(1)
    ]
    content = as_json(result_of(tape_with(track_of(sizeless), sized=False)))
    assert {name: by_model["infer"] for name, by_model in content.items()} == dict.fromkeys(content)
    assert content["reservation"]["pess"] is not None


def test_each_fill_model_keeps_an_inventory_of_its_own(result: Result) -> None:
    totals = {name: outcome.total for name, outcome in result.strategies["join_the_touch"].items()}
    assert totals["pess"].contracts < totals["infer"].contracts < totals["opt"].contracts


def test_every_quoted_minute_is_in_one_part_of_each_scale(result: Result) -> None:
    outcome = result.strategies["reservation"]["opt"]
    found = parts(result, outcome)
    for beginning in ("R ", "spread", "price"):
        scale = [part for name, part in found.items() if name.startswith(beginning)]
        assert sum(part.quoted for part in scale) == outcome.total.quoted
        assert sum(part.contracts for part in scale) == outcome.total.contracts
        assert sum(part.profit for part in scale) == outcome.total.after_30


def test_the_tables_name_event_days_and_markets(result: Result) -> None:
    text = details(result)
    assert "KXHAND-E1 2026-03-10" in text
    assert TICKER in text
    assert "not quoted" in text
    assert summary(result) in text


def test_a_table_is_as_wide_as_its_widest_cell() -> None:
    assert table(["a", "bb"], [["ccc", "1"]]) == "a    bb\nccc   1"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"traded_only": True}, "BOUND: only prints"),
        ({"coarse": True}, "BOUND: snapshots"),
        ({"made_up": True}, "MADE UP"),
        ({"sized": False}, "No sizes"),
        ({"assumed": ("KXHAND",)}, "KXHAND"),
        ({}, "No prints"),
        ({}, "How 1 of 1 markets settled is not recorded"),
    ],
)
def test_what_a_recording_cannot_prove_is_said(change: dict[str, Any], said: str) -> None:
    tape = replace(tape_with(track_of(wandering(1))), **change)
    assert any(said in line for line in limits(tape))


def test_nothing_is_proven_by_a_single_event_day(result: Result) -> None:
    said = "\n".join(conclusions(result))
    assert "reservation: the sign of its profit is not proven here" in said
    assert "1 event-days: no interval" in said


def outcome_of(cents: Sequence[float]) -> Any:
    """An outcome whose event-days came to so much an hour."""
    days = {str(n): Score(quoted=60, contracts=100, after_30=round(c * 10**5)) for n, c in enumerate(cents)}
    total = Score(quoted=60 * len(cents), contracts=100, after_30=round(sum(cents) * 10**5))
    setting = Setting("s", {}, {}, 10)
    return Outcome(setting, Played({}, Counter(), 0.0), Scored({}, {}), total, days)


@pytest.mark.parametrize(
    ("pessimistic", "optimistic", "said"),
    [
        ([1, 2, 3], [4, 5, 6], "earns, even if it fills only where"),
        ([-3, -2, -1], [-2, -2, -1], "loses, even if it stands first"),
        ([-3, 9, 1], [4, 5, 6], "not proven"),
        ([-3, -2, -1], [4, 5, 6], "not proven"),
        ([1, 2], [4, 5], "not proven"),
    ],
)
def test_a_sign_is_proven_by_intervals_and_never_by_bounds(
    pessimistic: list[float], optimistic: list[float], said: str
) -> None:
    models = {"pess": outcome_of(pessimistic), "opt": outcome_of(optimistic)}
    assert said in sign_of_profit("s", models, bound=False)
    assert "not proven" in sign_of_profit("s", models, bound=True)


def test_a_run_leaves_json_and_tables_and_a_total_over_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(bbo_file(tmp_path, name, wandering(1, seed))) for name, seed in (("a", 1), ("b", 2))]
    pairs = " ".join(f"{key}={value}" for key, value in RESTLESS.items())
    assert main(["--data", *files, "--set", pairs, "--out", str(tmp_path / "out")]) == 0
    left = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert set(left) == {"bbo-a.json", "bbo-a.txt", "bbo-b.json", "bbo-b.txt", "total.json", "total.txt"}
    ends = [
        json.loads(left[f"{name}.json"])["join_the_touch"]["opt"]["end_dollars"]
        for name in ("bbo-a", "bbo-b", "total")
    ]
    assert ends[2] == pytest.approx(ends[0] + ends[1], abs=0.001)
    assert "all recordings" in capsys.readouterr().out


def test_brakes_are_compared_for_each_rest_and_each_reading_of_the_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bbo_file(tmp_path, "a", wandering(1))
    assert main(["--data", str(path), "--brake", "300,600", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert [
        said.count(f"event, {word} 9, rests {s} s") for word in ("above", "from") for s in (300, 600)
    ] == [3] * 4


def test_a_sweep_that_cannot_be_judged_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bbo_file(tmp_path, "a", wandering(1))
    assert (
        main(["--data", str(path), "--sweep", "quote_size=5,10", "--out", str(tmp_path / "out")])
        == CANNOT_RUN
    )
    said = capsys.readouterr().err
    assert said.startswith("replay: SPLIT: no two parts")
    assert said.count("\n") == 1


def test_a_missing_recording_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "bbo-nowhere.csv.gz")
    assert main(["--data", missing, "--out", str(tmp_path)]) == CANNOT_RUN
    said = capsys.readouterr().err
    assert missing in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "magic"], "not registered"),
        (["--set", "qote_size=5"], "quote_size"),
        (["--set", "quote_size"], "no key=value"),
        (["--set", "cash_reserve_dollars=5"], "means nothing in a replay"),
        (["--set", "quote_size=-1"], "write a number"),
        (["--sweep", "quote_size=1,2", "--strategy", "reservation,reservation"], "sweep one strategy"),
        (["--split", "2026-03-12"], "nothing is chosen without a sweep"),
        (["--brake", "5m"], "no list of seconds"),
        (["--brake", "300", "--sweep", "quote_size=1,2"], "two questions at once"),
        (["--split", "tomorrow", "--sweep", "quote_size=1,2"], "is no day"),
    ],
)
def test_a_senseless_argument_is_refused_by_name(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_flags_and_numbers_are_set_as_in_a_config_item() -> None:
    options = parse(
        ["--set", "extend_expiry=true quote_size=5", "--sweep", "levels=1,2 level_gap_dollars=0.01,0.02"]
    )
    assert options.raw == {"extend_expiry": "true", "quote_size": "5"}
    assert options.sweep == {"levels": ("1", "2"), "level_gap_dollars": ("0.01", "0.02")}


def test_a_folder_that_cannot_be_written_is_one_line_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file" / "replay")]) == CANNOT_RUN
    said = capsys.readouterr().err
    assert said.startswith("replay: OUT: cannot write")
    assert said.count("\n") == 1
