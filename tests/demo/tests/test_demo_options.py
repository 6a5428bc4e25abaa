"""What a person may ask of the demo; what makes no sense ends with one clear line."""

import gzip
import io
import re
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from tests.demo.__main__ import CANNOT_RUN, INTERRUPTED, main
from tests.demo.options import Options, parse
from tests.demo.outcome import FILES


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


def test_a_run_that_is_stopped_leaves_no_figures_of_an_earlier_one(tmp_path: Path) -> None:
    """The run stops itself where the terminal would: in the first cycle, by the signal of Ctrl-C."""
    for name in FILES:
        (tmp_path / name).write_text("of an earlier run")

    stopped_at_the_first_line = StopsAtALine()
    with redirect_stderr(stopped_at_the_first_line):
        status = main(["--cycles", "1", "--markets", "1", "--out", str(tmp_path)])

    assert status == INTERRUPTED
    assert not list(tmp_path.iterdir())
    assert "demo: stopped" in "".join(stopped_at_the_first_line.said)


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
