"""What a person may ask of the demo; what makes no sense ends with one clear line."""

from pathlib import Path

import pytest

from tests.demo.__main__ import CANNOT_RUN, main
from tests.demo.options import Options, parse


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
    [["--tier", "gold"], ["--plant", "nothing"], ["--cycles", "0"], ["--markets", "-1"], ["--start", "noon"]],
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


def test_an_unwritable_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file" / "demo"), "--cycles", "1"]) == CANNOT_RUN
    said = capsys.readouterr().err
    assert said.startswith("demo: cannot write")
    assert said.count("\n") == 1
