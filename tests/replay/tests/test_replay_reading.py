"""Recordings as tapes: what is read, what is derived, and what nobody may know beforehand."""

import gzip
import json
from pathlib import Path

import pytest

from dora.core.calendar import parse_time
from tests.replay import closes
from tests.replay.fee_types import recorded_series
from tests.replay.loading import made_up_tape, read_tape
from tests.replay.printed_book import BELIEVED_MS, printed_quotes
from tests.replay.tape import Change
from tests.replay.tapes import TICKER, at, trade
from tests.simulator.tape import Print, RecordingError

QUOTES = """ts,ticker,yes_bid_dollars,yes_bid_size,yes_ask_dollars,yes_ask_size
2026-03-10T15:00:00Z,KXHIGHNY-26MAR10-T60,0.4000,5.00,0.5000,7.00
2026-03-10T15:01:30Z,KXHIGHNY-26MAR10-B58.5,0.1000,5.00,0.2000,7.00
2026-03-10T15:05:00Z,KXHIGHNY-26MAR10-T60,0.4100,5.00,0.5000,7.00
2026-03-10T18:00:00Z,KXGAME-26MAR10AB-A,0.4100,5.00,0.5000,7.00
"""
SIZELESS = """ts,ticker,yes_bid_dollars,yes_ask_dollars
2026-03-10T15:00:00Z,KXRATE-26MAR-T3,0.4000,0.5000
2026-03-10T15:30:00Z,KXRATE-26MAR-T3,0.4100,0.5000
"""
PRINTS = """ticker,created_time,yes_price_dollars,count,taker_side
KXHIGHNY-26MAR10-T60,2026-03-10T15:02:00.5Z,0.4000,3.00,no
KXHIGHNY-26MAR10-T60,2026-03-10T15:04:00Z,0.4500,2.00,yes
"""
SERIES = {"series": "KXHIGHNY", "fee_type": "quadratic", "fee_multiplier": 1}


def written(folder: Path, **files: str) -> Path:
    """The folder with these files, gzipped; `bbo_x` is written as bbo-x.csv.gz."""
    for name, text in files.items():
        kind, rest = name.split("_", 1)
        ending = "csv.gz" if kind in {"bbo", "trades"} else "jsonl.gz" if kind == "series" else "json.gz"
        with gzip.open(folder / f"{kind}-{rest}.{ending}", "wt", encoding="utf-8") as file:
            file.write(text)
    return folder


def test_a_recording_of_quotes_is_read_with_sizes_gaps_and_its_events(tmp_path: Path) -> None:
    tape = read_tape(written(tmp_path, bbo_x=QUOTES) / "bbo-x.csv.gz")
    assert tape.sized
    assert not tape.traded_only
    assert not tape.coarse or tape.stretches
    assert set(tape.events) == {"KXHIGHNY-26MAR10", "KXGAME-26MAR10AB"}
    # The last row of an event ends all its markets, whichever of them it was of.
    assert tape.tracks["KXHIGHNY-26MAR10-B58.5"].last_ms == parse_time("2026-03-10T15:05:00Z")


def test_a_close_that_no_file_tells_comes_from_the_ticker_and_never_from_the_last_row(tmp_path: Path) -> None:
    tape = read_tape(written(tmp_path, bbo_x=QUOTES) / "bbo-x.csv.gz")
    weather, game = tape.tracks["KXHIGHNY-26MAR10-T60"], tape.tracks["KXGAME-26MAR10AB-A"]
    assert weather.market.close_ms == parse_time("2026-03-11T03:59:00Z")
    assert weather.closes
    assert game.market.close_ms > game.last_ms + 86_400_000
    assert not game.closes


def test_a_market_file_beside_it_tells_close_and_result(tmp_path: Path) -> None:
    described = {
        "ticker": "KXHIGHNY-26MAR10-T60",
        "event_ticker": "KXHIGHNY-26MAR10",
        "open_time": "2026-03-09T15:00:00Z",
        "close_time": "2026-03-10T20:00:00Z",
        "tick_size": 1,
        "result": "yes",
    }
    folder = written(tmp_path, bbo_x=QUOTES, markets_x=json.dumps({"markets": [described]}))
    track = read_tape(folder / "bbo-x.csv.gz").tracks["KXHIGHNY-26MAR10-T60"]
    assert (track.market.close_ms, track.result) == (parse_time("2026-03-10T20:00:00Z"), "yes")


def test_prints_beside_quotes_join_them_in_time(tmp_path: Path) -> None:
    tape = read_tape(written(tmp_path, bbo_x=QUOTES, trades_x=PRINTS) / "bbo-x.csv.gz")
    track = tape.tracks["KXHIGHNY-26MAR10-T60"]
    assert [type(moment) for moment in track.moments] == [Change, Print, Print, Change]
    assert not tape.tracks["KXHIGHNY-26MAR10-B58.5"].printed


def test_what_a_running_volume_implies_is_no_print(tmp_path: Path) -> None:
    head, *rows = QUOTES.splitlines()
    lines = [head + ",last_price_dollars,volume", *(f"{row},0.4500,{n * 100}" for n, row in enumerate(rows))]
    tape = read_tape(written(tmp_path, bbo_x="\n".join(lines)) / "bbo-x.csv.gz")
    assert not any(track.printed for track in tape.tracks.values())


def test_snapshots_and_sizes_that_are_missing_are_known_for_what_they_are(tmp_path: Path) -> None:
    tape = read_tape(written(tmp_path, bbo_x=SIZELESS) / "bbo-x.csv.gz")
    assert (tape.coarse, tape.sized, len(tape.stretches)) == (True, False, 1)


def test_prints_alone_make_the_book_that_they_prove(tmp_path: Path) -> None:
    tape = read_tape(written(tmp_path, trades_x=PRINTS) / "trades-x.csv.gz")
    track = tape.tracks["KXHIGHNY-26MAR10-T60"]
    assert tape.traded_only
    assert all(isinstance(moment, Print) for moment in track.moments)
    shown = track.quote_at(parse_time("2026-03-10T15:04:00Z"))
    assert shown is not None
    assert shown.bid is not None
    assert shown.ask is not None
    assert (shown.bid.price_e4, shown.ask.price_e4) == (4_000, 4_500)


def test_a_print_that_contradicts_the_other_side_ends_it_and_time_ends_both() -> None:
    prints = [
        trade(0, 40, 1, buys_yes=False),
        trade(60, 45, 1, buys_yes=True),
        trade(120, 39, 1, buys_yes=True),
    ]
    quotes = printed_quotes(TICKER, prints)
    sides = [
        (quote.at_ms, quote.bid and quote.bid.price_e4, quote.ask and quote.ask.price_e4) for quote in quotes
    ]
    assert sides == [
        (at(0), 4_000, None),
        (at(60), 4_000, 4_500),
        (at(120), None, 3_900),
        (at(120) + BELIEVED_MS, None, None),
    ]


@pytest.mark.parametrize(
    ("ticker", "closes_at"),
    [
        ("KXHIGHNY-25DEC05-T37", "2025-12-06T04:59:00Z"),
        ("KXLOWTCHI-26JUL23-B70.5", "2026-07-24T03:59:00Z"),
        ("KXBTC15M-26AUG170145-45", "2026-08-17T05:45:00Z"),
        ("KXNBAGAME-26MAY22OKCSAS-OKC", None),
        ("KXCPI-26AUG-T-0.1", None),
    ],
)
def test_closes_are_eastern_times(ticker: str, closes_at: str | None) -> None:
    assert closes.close_ms(ticker) == (parse_time(closes_at) if closes_at else None)


def test_fees_are_those_recorded_beside_it_and_others_are_assumed_by_name(tmp_path: Path) -> None:
    folder = written(tmp_path, bbo_x=QUOTES, series_x=json.dumps(SERIES) + "\n")
    tape = read_tape(folder / "bbo-x.csv.gz")
    assert tape.assumed == ("KXGAME",)
    assert tape.fees["KXHIGHNY-26MAR10-T60"].maker_rate_e8 == 0
    assert tape.fees["KXGAME-26MAR10AB-A"].maker_rate_e8 == 1_750_000


@pytest.mark.parametrize(
    "line", ["[]", '{"series": "KXA"}', '{"series": "KXA", "fee_type": "q", "fee_multiplier": "x"}']
)
def test_terms_that_cannot_be_read_are_refused_with_their_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(RecordingError, match="line 1"):
        recorded_series(written(tmp_path, series_x=line))


def test_a_day_made_up_says_so() -> None:
    tape = made_up_tape()
    assert (tape.made_up, tape.traded_only, len(tape.tracks)) == (True, True, 12)
