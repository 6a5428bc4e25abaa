"""What a person may ask of the demo; what makes no sense ends with one clear line."""

import gzip
import io
import os
import re
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from tests.demo.__main__ import CANNOT_RUN, INTERRUPTED, main
from tests.demo.options import Options, parse
from tests.demo.outcome import FILES

NOON = 1_772_452_800
"""2026-03-02T12:00:00Z, in seconds."""


def test_nothing_asked_is_the_usual_run() -> None:
    assert parse([]) == Options()
    assert (Options().cycles, Options().markets, Options().seed, Options().tier) == (60, 12, 1, "advanced")


def test_a_start_without_a_zone_is_utc_and_cut_to_the_minute() -> None:
    naive, aware = (
        parse(["--start", text]).start_ms for text in ("2026-03-02T15:00:31", "2026-03-02T15:00Z")
    )
    assert naive == aware


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tier", "gold"],
        ["--plant", "nothing"],
        ["--cycles", "0"],
        ["--markets", "-1"],
        ["--markets", "100000"],
        ["--start", "noon"],
    ],
)
def test_a_senseless_argument_is_refused_by_name(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_an_unreadable_recording_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "trades-nowhere.csv.gz"
    assert main(["--data", str(missing), "--out", str(tmp_path / "out")]) == CANNOT_RUN
    said = capsys.readouterr().err
    assert said.startswith("demo: ")
    assert str(missing) in said
    assert said.count("\n") == 1


FOREIGN = {
    "trades-foreign.csv.gz": b"no gzip",
    "holiday.jpg": b"",
    "trades-no-rows.csv.gz": gzip.compress(b"a,b\n"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_one_line_that_names_it_and_the_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / "a folder" / name
    path.parent.mkdir()
    path.write_bytes(FOREIGN[name])

    assert main(["--data", str(path), "--out", str(tmp_path / "out")]) == CANNOT_RUN
    said = capsys.readouterr().err
    assert str(path) in said
    assert said.count("\n") == 1
    assert re.search(r"Give|Name", said)


@pytest.mark.parametrize("earlier", [FILES, ()])
def test_a_run_that_is_stopped_leaves_an_earlier_one_as_it_was_and_says_of_when(
    tmp_path: Path, earlier: tuple[str, ...]
) -> None:
    """The run stops itself where the terminal would: in the first cycle, by the signal of Ctrl-C."""
    for name in earlier:
        (tmp_path / name).write_text("of an earlier run")
        os.utime(tmp_path / name, (NOON, NOON))

    stopped_at_the_first_line = StopsAtALine()
    with redirect_stderr(stopped_at_the_first_line):
        status = main(["--cycles", "1", "--markets", "1", "--out", str(tmp_path)])

    said = "".join(stopped_at_the_first_line.said)
    assert status == INTERRUPTED
    assert {own.name: own.read_text() for own in tmp_path.iterdir()} == dict.fromkeys(
        earlier, "of an earlier run"
    )
    assert "demo: stopped, nothing of this run is kept" in said
    assert ("still holds the run that ended at 2026-03-02 12:00 UTC" in said) == bool(earlier)
    assert ("holds no run" in said) == (not earlier)


def test_while_the_files_of_a_run_are_put_in_place_no_summary_of_another_stands_beside_them(
    tmp_path: Path,
) -> None:
    for name in FILES:
        (tmp_path / name).write_text("of an earlier run")
    (tmp_path / "log.jsonl").unlink()
    (tmp_path / "log.jsonl").mkdir()  # Nothing can be put in its place: the run breaks off there.

    with pytest.raises(OSError, match=r"log\.jsonl"):
        main(["--cycles", "1", "--markets", "1", "--out", str(tmp_path)])

    assert {own.name for own in tmp_path.iterdir()} == set(FILES) - {"summary.json"}


class StopsAtALine(io.StringIO):
    """Standard error of somebody who presses Ctrl-C at the first line of progress."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def write(self, text: str) -> int:
        self.said.append(text)
        if len(self.said) == 1:
            raise KeyboardInterrupt
        return len(text)


def test_an_unwritable_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file" / "demo"), "--cycles", "1"]) == CANNOT_RUN
    said = capsys.readouterr().err
    assert said.startswith("demo: cannot write")
    assert said.count("\n") == 1
