"""Readers of recordings: what they take from each kind of file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.price_grid import LINEAR_CENT, TAPERED_DECI_CENT, ladder
from tests.simulator.recordings import read_recording
from tests.simulator.tape import QuoteSide
from tests.simulator.tape_fields import BadField, count_e2, price_e4, time_ms
from tests.simulator.tape_markets import event_of
from tests.support.flow_fakes import QUOTES, START_MS, TWO_PRINTS, write_gzip


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


def test_a_price_with_no_contracts_is_no_quote(tmp_path: Path) -> None:
    row = "2025-02-03T18:00:00Z,KXA-1-T1,0.4000,0.00,0.4400,0.01,,\n"
    (quote,) = read_recording(write_gzip(tmp_path / "bbo-x.csv.gz", QUOTES + row)).quotes
    assert (quote.bid, quote.ask) == (None, QuoteSide(4400, 1))


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


@pytest.mark.parametrize(
    ("before", "last", "buys_yes"),
    [
        ("0.4200", "0.4100", False),  # nearer to the bid
        ("0.4200", "0.4300", True),  # nearer to the ask
        ("0.4300", "0.4200", False),  # in the middle, after a fall
        ("0.4100", "0.4200", True),  # in the middle, after a rise
    ],
)
def test_the_side_of_an_unrecorded_taker_follows_the_quote_then_the_tick(
    tmp_path: Path, before: str, last: str, buys_yes: bool
) -> None:
    rows = (
        f"2025-02-03T18:00:00Z,KXA-1-T1,0.4000,5.00,0.4400,6.00,{before},10.00\n"
        f"2025-02-03T18:00:30Z,KXA-1-T1,0.4000,5.00,0.4400,6.00,{last},11.00\n"
    )
    (implied,) = read_recording(write_gzip(tmp_path / "bbo-x.csv.gz", QUOTES + rows)).prints
    assert implied.buys_yes == buys_yes


def test_book_shapes_come_from_whole_books_in_the_folder(tmp_path: Path) -> None:
    book = {"yes_dollars": [["0.3000", "7.00"], ["0.4000", "3.00"]], "no_dollars": [["0.5700", "2.00"]]}
    one_sided = {"yes_dollars": [["0.3000", "7.00"]], "no_dollars": []}
    lines = "\n".join(json.dumps({"orderbook_fp": each}) for each in (book, one_sided))
    write_gzip(tmp_path / "books-full-2026.jsonl.gz", lines)
    (shape,) = read_recording(write_gzip(tmp_path / "trades-x.csv.gz", TWO_PRINTS)).shapes
    assert (shape.spread_ticks, shape.bids, shape.asks) == (3, ((0, 300), (10, 700)), ((0, 200),))


def test_every_price_of_a_tapered_ladder_is_on_its_steps() -> None:
    grid = ladder(TAPERED_DECI_CENT)
    assert (grid.at_or_below(999), grid.at_or_above(1001), grid.moved(1000, -1)) == (990, 1100, 990)
    assert (grid.at_or_below(9), grid.at_or_above(9_995), grid.moved(10, -1)) == (None, None, None)
    assert 1010 not in grid
    assert 1100 in grid


@pytest.mark.parametrize(
    ("ticker", "event"),
    [
        ("KXHIGHNY-25DEC05-T37", "KXHIGHNY-25DEC05"),
        ("KXCPI-26AUG-T-0.1", "KXCPI-26AUG"),
        ("KXGAME-26MAY22AB-B", "KXGAME-26MAY22AB"),
    ],
)
def test_the_event_of_a_market_is_its_ticker_without_the_strike(ticker: str, event: str) -> None:
    assert event_of(ticker) == event
