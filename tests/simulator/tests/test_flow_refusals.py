"""Readers of recordings: every file they refuse, with what is wrong, where, and what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.simulator.recordings import read_recording
from tests.simulator.tape import RecordingError
from tests.support.flow_fakes import PRINTS, QUOTES, TWO_PRINTS, write_gzip

BAD_ROWS = {
    "price is text": ("KXA-1-T1,2025-02-03T18:00:00Z,forty,1.00,yes", "forty"),
    "price too fine": ("KXA-1-T1,2025-02-03T18:00:00Z,0.43001,1.00,yes", "0.43001"),
    "price of a dollar": ("KXA-1-T1,2025-02-03T18:00:00Z,1.0000,1.00,yes", "outside 0 to 1"),
    "no contracts": ("KXA-1-T1,2025-02-03T18:00:00Z,0.4300,0.00,yes", "0 contracts"),
    "side": ("KXA-1-T1,2025-02-03T18:00:00Z,0.4300,1.00,buy", "taker_side"),
    "time": ("KXA-1-T1,yesterday,0.4300,1.00,yes", "yesterday"),
    "cut row": ("KXA-1-T1,2025-02-03T18:00:00Z,0.4300", "row ends"),
    "no ticker": (",2025-02-03T18:00:00Z,0.4300,1.00,yes", "ticker"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    row, clue = BAD_ROWS[case]
    path = write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS + row + "\n")
    with pytest.raises(RecordingError, match=f"trades-x.csv.gz, line 4: .*{clue}") as caught:
        read_recording(path)
    assert caught.value.fix


def test_a_crossed_quote_is_refused(tmp_path: Path) -> None:
    rows = QUOTES + "2025-02-03T18:00:00Z,KXA-1-T1,0.4400,5.00,0.4400,6.00,,\n"
    with pytest.raises(RecordingError, match="line 2: bid 0.4400 is not below ask 0.4400"):
        read_recording(write_gzip(tmp_path / "bbo-x.csv.gz", rows))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS.replace("taker_side", "aggressor"))
    with pytest.raises(RecordingError, match=r"line 1: lacks the columns \['taker_side'\]"):
        read_recording(path)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="holds no rows"):
        read_recording(write_gzip(tmp_path / "trades-x.csv.gz", PRINTS))


@pytest.mark.parametrize("keep", [5, 40, -1, -9])
def test_a_truncated_gzip_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "trades-x.csv.gz"
    path.write_bytes(gzip.compress(TWO_PRINTS.encode())[:keep])
    with pytest.raises(RecordingError, match=r"trades-x\.csv\.gz: the file is cut off.*Fetch it again"):
        read_recording(path)


@pytest.mark.parametrize(
    "content", [b"", b"ticker,created_time\n", gzip.compress(b"\xff\xfe\x00binary", mtime=0)]
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trades-x.csv.gz"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"trades-x\.csv\.gz"):
        read_recording(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no such file"):
        read_recording(tmp_path / "trades-x.csv.gz")


@pytest.mark.parametrize("name", ["candles-x.csv.gz", "trades-x.csv", "x.csv.gz"])
def test_another_name_is_refused_with_the_names_that_serve(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match=r"Name a trades-\*.csv.gz or bbo-\*.csv.gz"):
        read_recording(write_gzip(tmp_path / name, TWO_PRINTS))


BAD_MARKET_FILES = [
    "[]", "{", "{}", '{"markets": [3]}', '{"markets": [{"ticker": "KXA-1-T1"}]}',
    '{"markets": [{"ticker": "T", "event_ticker": "E", "open_time": "now"}]}',
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_MARKET_FILES)
def test_a_bad_market_file_is_refused_not_passed_over(tmp_path: Path, text: str) -> None:
    path = write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS)
    write_gzip(tmp_path / "markets-x.json.gz", text)
    with pytest.raises(RecordingError, match=r"markets-x\.json\.gz: is not a market file"):
        read_recording(path)


def test_a_bad_book_is_named_with_its_line(tmp_path: Path) -> None:
    write_gzip(tmp_path / "books-full-2026.jsonl.gz", '{"orderbook_fp": {"yes_dollars": []}}\n')
    with pytest.raises(RecordingError, match="books-full-2026.jsonl.gz, line 1: is not a book"):
        read_recording(write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS))
