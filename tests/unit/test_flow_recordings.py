"""Readers of recordings: what they take, and how they refuse."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.price_grid import LINEAR_CENT, TAPERED_DECI_CENT, ladder
from tests.simulator.recordings import read_recording
from tests.simulator.tape import QuoteSide, RecordingError
from tests.simulator.tape_fields import BadField, count_e2, price_e4, time_ms
from tests.unit.flow_fakes import START_MS, write_gzip

PRINTS = "ticker,created_time,yes_price_dollars,count,taker_side\n"
QUOTES = "ts,ticker,yes_bid_dollars,yes_bid_size,yes_ask_dollars,yes_ask_size,last_price_dollars,volume\n"
TWO_PRINTS = PRINTS + (
    "KXA-1-T1,2025-02-03T18:00:00.5Z,0.4300,12.00,yes\n"
    "KXA-1-T2,2025-02-03T18:00:01.016209Z,0.0520,0.07,no\n"
)  # fmt: skip


@pytest.mark.parametrize(
    ("fraction", "ms"),
    [("", 0), (".5", 500), (".16", 160), (".167", 167), (".0162", 16), (".016209", 16), (".999999999", 999)],
)
def test_a_time_may_have_any_number_of_fraction_digits(fraction: str, ms: int) -> None:
    assert time_ms(f"2025-02-03T18:00:00{fraction}Z") == START_MS + ms


@pytest.mark.parametrize(
    "text", ["2025-02-03 18:00:00Z", "2025-02-03T18:00:00", "2025-13-03T18:00:00Z", "", "1738605600"]
)
def test_another_form_of_time_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        time_ms(text)


@given(st.integers(0, 10**9))
def test_prices_and_counts_are_read_back_exactly(value: int) -> None:
    assert price_e4(f"{value // 10**4}.{value % 10**4:04d}") == value
    assert count_e2(f"{value // 100}.{value % 100:02d}") == value


@pytest.mark.parametrize("text", ["", "0.43001", "-0.4300", "1e2", "0.4.3", "nan", ".5", "forty"])
def test_a_price_that_is_no_plain_decimal_of_four_places_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        price_e4(text)


def test_prints_are_read_with_their_derived_markets(tmp_path: Path) -> None:
    recording = read_recording(write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS))
    first, second = recording.prints
    assert (first.at_ms, first.price_e4, first.count_e2, first.buys_yes) == (START_MS + 500, 4300, 1200, True)
    assert (second.at_ms, second.price_e4, second.count_e2, second.buys_yes) == (
        START_MS + 1016,
        520,
        7,
        False,
    )
    derived = recording.markets["KXA-1-T1"]
    assert (derived.event_ticker, derived.series_ticker, derived.result) == ("KXA-1", "KXA", None)
    assert derived.open_ms <= START_MS
    assert derived.close_ms > first.at_ms
    assert derived.price_ranges == TAPERED_DECI_CENT  # of the whole series: its other market showed 0.0520


def test_rows_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    head, first, second = TWO_PRINTS.splitlines()
    path = write_gzip(tmp_path / "trades-x.csv.gz", "\n".join([head, second, first]))
    assert [each.ticker for each in read_recording(path).prints] == ["KXA-1-T1", "KXA-1-T2"]


def test_an_old_market_file_of_integer_cents_is_read(tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS)
    old = {
        "ticker": "KXA-1-T1", "event_ticker": "KXA-1", "open_time": "2025-02-02T15:00:00Z", "tick_size": 1,
        "close_time": "2025-02-04T05:59:00Z", "settlement_timer_seconds": 60, "result": "no",
    }  # fmt: skip
    event = {"event_ticker": "KXA-1", "series_ticker": "KXAS", "mutually_exclusive": True}
    write_gzip(tmp_path / "markets-x.json.gz", json.dumps({"events": [event], "markets": [old]}))
    read = read_recording(path).markets
    assert read["KXA-1-T1"].price_ranges == LINEAR_CENT
    assert (read["KXA-1-T1"].series_ticker, read["KXA-1-T1"].result) == ("KXAS", "no")
    assert (read["KXA-1-T1"].settle_after_ms, read["KXA-1-T1"].mutually_exclusive) == (60_000, True)
    assert read["KXA-1-T2"].result is None, "a market the file leaves out is derived from the rows"


def test_a_new_market_file_of_decimal_dollars_is_read(tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS)
    ranges = [("0.0000", "0.1000", "0.0010"), ("0.1000", "0.9000", "0.0100"), ("0.9000", "1.0000", "0.0010")]
    new = {
        "ticker": "KXA-1-T1", "event_ticker": "KXA-1", "open_time": "2025-02-02T15:00:00.25Z", "result": "",
        "close_time": "2025-02-04T05:59:00Z", "floor_strike": 1.5, "exchange_index": 2,
        "price_ranges": [dict(zip(("start", "end", "step"), each, strict=True)) for each in ranges],
    }  # fmt: skip
    write_gzip(tmp_path / "markets-x.json.gz", json.dumps({"markets": [new]}))
    read = read_recording(path).markets["KXA-1-T1"]
    assert read.price_ranges == TAPERED_DECI_CENT
    assert (read.result, read.shard, read.mutually_exclusive) == (None, 2, False)


@pytest.mark.parametrize("bid", ["", "0.0000", "1.0000"])
@pytest.mark.parametrize("ask", ["", "0.0000", "1.0000"])
def test_an_empty_field_or_an_edge_price_means_no_quote(tmp_path: Path, bid: str, ask: str) -> None:
    rows = f"ts,ticker,yes_bid_dollars,yes_ask_dollars\n2025-02-03T18:00:00Z,KXA-1-T1,{bid},{ask}\n"
    (quote,) = read_recording(write_gzip(tmp_path / "bbo-x.csv.gz", rows)).quotes
    assert (quote.bid, quote.ask) == (None, None)


def test_depth_columns_are_the_whole_side(tmp_path: Path) -> None:
    rows = (
        "ts,ticker,yes_bid_dollars,yes_ask_dollars,yes_depth,no_depth\n"
        "2025-02-03T18:00:00Z,KXA-1-T1,0.5800,0.6000,87252.60,92898.63\n"
    )
    (quote,) = read_recording(write_gzip(tmp_path / "bbo-x.csv.gz", rows)).quotes
    assert (quote.bid, quote.ask) == (QuoteSide(5800, None, 8_725_260), QuoteSide(6000, None, 9_289_863))


@given(volumes=st.lists(st.integers(0, 10**8), min_size=2, max_size=8).map(sorted))
def test_a_risen_volume_is_replayed_to_the_last_hundredth(
    tmp_path_factory: pytest.TempPathFactory, volumes: list[int]
) -> None:
    rows = "".join(
        f"2025-02-03T18:{minute:02d}:00Z,KXA-1-T1,0.4000,5.00,0.4200,6.00,0.4200,{v // 100}.{v % 100:02d}\n"
        for minute, v in enumerate(volumes)
    )
    recording = read_recording(write_gzip(tmp_path_factory.mktemp("rec") / "bbo-x.csv.gz", QUOTES + rows))
    assert sum(each.count_e2 for each in recording.prints) == volumes[-1] - volumes[0]
    assert all(each.buys_yes and each.count_e2 > 0 for each in recording.prints)
    assert all(recording.first_ms < each.at_ms <= recording.last_ms for each in recording.prints)


def test_a_trade_without_a_recorded_side_goes_to_the_nearer_quote(tmp_path: Path) -> None:
    rows = (
        "2025-02-03T18:00:00Z,KXA-1-T1,0.4000,5.00,0.4400,6.00,0.4200,10.00\n"
        "2025-02-03T18:00:30Z,KXA-1-T1,0.4000,5.00,0.4400,6.00,0.4100,11.00\n"
    )
    (implied,) = read_recording(write_gzip(tmp_path / "bbo-x.csv.gz", QUOTES + rows)).prints
    assert not implied.buys_yes


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


@pytest.mark.parametrize("content", [b"", b"ticker,created_time\n", gzip.compress(b"\xff\xfe\x00binary")])
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


def test_book_shapes_come_from_whole_books_in_the_folder(tmp_path: Path) -> None:
    book = {"yes_dollars": [["0.3000", "7.00"], ["0.4000", "3.00"]], "no_dollars": [["0.5700", "2.00"]]}
    one_sided = {"yes_dollars": [["0.3000", "7.00"]], "no_dollars": []}
    lines = "\n".join(json.dumps({"orderbook_fp": each}) for each in (book, one_sided))
    write_gzip(tmp_path / "books-full-2026.jsonl.gz", lines)
    (shape,) = read_recording(write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS)).shapes
    assert (shape.spread_ticks, shape.bids, shape.asks) == (3, ((0, 300), (10, 700)), ((0, 200),))


def test_a_bad_book_is_named_with_its_line(tmp_path: Path) -> None:
    write_gzip(tmp_path / "books-full-2026.jsonl.gz", '{"orderbook_fp": {"yes_dollars": []}}\n')
    with pytest.raises(RecordingError, match="books-full-2026.jsonl.gz, line 1: is not a book"):
        read_recording(write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS))


def test_every_price_of_a_tapered_ladder_is_on_its_steps() -> None:
    grid = ladder(TAPERED_DECI_CENT)
    assert (grid.at_or_below(999), grid.at_or_above(1001), grid.moved(1000, -1)) == (990, 1100, 990)
    assert (grid.at_or_below(9), grid.at_or_above(9_995), grid.moved(10, -1)) == (None, None, None)
    assert 1010 not in grid
    assert 1100 in grid
