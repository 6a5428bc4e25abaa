"""A series' past, fetched from the simulated exchange, replays as bounds; what makes no sense is refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.history.__main__ import CANNOT_RUN, main
from tests.history.options import parse
from tests.replay.claims import is_bound, limits
from tests.replay.loading import read_tape
from tests.simulator.knobs import Knobs
from tests.simulator.recordings import read_recording
from tests.simulator.server import RunningServer, serve
from tests.simulator.tape_rows import read_prints
from tests.support.simulator_desk import HOUR_MS, START_MS, Desk, market
from tests.world.bot_clock import BotClock

MINUTE_MS, DAY_MS = 60_000, 24 * HOUR_MS
SERIES, TICKER = "KXWET", "KXWET-27JAN15-T5"


class Past:
    """An exchange two days later: one market of the series closed and paid out, another one is open."""

    def __init__(self, knobs: Knobs) -> None:
        self.desk = Desk(knobs)
        exchange, clock = self.desk.exchange, self.desk.clock
        names = {"event_ticker": "KXWET-27JAN15", "series_ticker": SERIES}
        exchange.add_market(market(TICKER, close_ms=START_MS + 2 * HOUR_MS, result="yes", **names))
        exchange.add_market(market("KXWET-27JAN30-T5", close_ms=START_MS + 30 * DAY_MS, **names))
        for minute in range(60):
            bid_e4 = 4_000 + 100 * (minute % 7)
            exchange.set_background_book(TICKER, [(bid_e4, 50_000)], [(bid_e4 + 300, 50_000)])
            clock.advance_ms(MINUTE_MS // 2)
            if minute % 4 == 0:
                exchange.background_take(TICKER, "bid", bid_e4 + 300, 250)
            clock.advance_ms(MINUTE_MS // 2)
        clock.advance_ms(2 * DAY_MS)
        self.server: RunningServer = serve(exchange)

    def fetch(self, out: Path, *more: str, series: str = SERIES, days: str = "3") -> int:
        clock = BotClock(self.desk.clock, self.desk.exchange.lock)
        asked = ["--series", series, "--days", days, "--base-url", self.server.url, "--out", str(out)]
        return main([*asked, *more], clock)


@pytest.fixture
def past() -> Iterator[Past]:
    made = Past(Knobs())
    yield made
    made.server.stop()


def fetched(folder: Path) -> Path:
    (found,) = folder.glob("bbo-*.csv.gz")
    return found


def test_candles_and_trades_come_in_the_form_of_a_recording(
    past: Past, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert past.fetch(tmp_path) == 0

    assert "1 markets, 15 trades, 60 candles (0 left out" in capsys.readouterr().out
    recording = read_recording(fetched(tmp_path))
    assert recording.markets.keys() == {TICKER}
    spec = recording.markets[TICKER]
    assert (spec.result, spec.series_ticker, spec.close_ms) == ("yes", SERIES, START_MS + 2 * HOUR_MS)
    first = recording.quotes[0]
    assert first.bid is not None
    assert first.ask is not None
    assert (first.at_ms % MINUTE_MS, first.bid.price_e4, first.ask.price_e4) == (0, 4_000, 4_300)


def test_its_replay_gives_bounds_and_says_so(past: Past, tmp_path: Path) -> None:
    past.fetch(tmp_path)

    tape = read_tape(fetched(tmp_path))

    assert is_bound(tape)
    assert "best prices are those at the end of each minute" in "\n".join(limits(tape))
    track = tape.tracks[TICKER]
    assert track.printed
    assert (track.result, tape.sized, tape.assumed) == ("yes", False, ())


def test_trades_from_before_the_cutoff_come_from_the_exchange_s_archive(tmp_path: Path) -> None:
    # Of an hour of trades, two days ago, the first half is in the archive.
    past = Past(Knobs(historical_trades_age_ms=2 * DAY_MS + HOUR_MS // 2))
    try:
        assert past.fetch(tmp_path) == 0
        assert len(read_recording(fetched(tmp_path)).quotes) == 60
        assert len(read_prints(tmp_path / fetched(tmp_path).name.replace("bbo-", "trades-"))) == 15
        calls = past.desk.exchange.stats.calls
        assert (calls["GET /historical/trades"], calls["GET /markets/trades"]) == (1, 1)
    finally:
        past.server.stop()


def test_markets_from_before_the_cutoff_come_from_the_exchange_s_archive_in_the_same_form(
    past: Past, tmp_path: Path
) -> None:
    exchange = past.desk.exchange
    assert past.fetch(tmp_path / "live") == 0
    exchange.knobs = replace(exchange.knobs, historical_age_ms=DAY_MS)

    assert past.fetch(tmp_path / "archived") == 0

    live, archived = (sorted((tmp_path / name).iterdir()) for name in ("live", "archived"))
    assert [path.name for path in live] == [path.name for path in archived]
    assert [path.read_bytes() for path in live] == [path.read_bytes() for path in archived]
    assert exchange.stats.calls[f"GET /historical/markets/{TICKER}/candlesticks"] == 0
    assert exchange.stats.calls["GET /historical/markets/:ticker/candlesticks"] == 1


def test_a_key_signs_the_requests(past: Past, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key", encoding="utf-8")
    assert past.fetch(tmp_path / "out", "--key-id", "desk", "--key-file", str(key)) == CANNOT_RUN
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"series": "KXNONE"}, "knows no series KXNONE"),
        ({"series": "SRAIN", "days": "1"}, "no market of SRAIN closed in 1 days"),
        ({"series": "SRAIN"}, "no candles of SRAIN"),
    ],
)
def test_what_is_not_there_is_refused_and_leaves_nothing(
    changes: dict[str, str], told: str, past: Past, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert past.fetch(tmp_path / "out", **changes) == CANNOT_RUN
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_was_fetched_before_is_not_written_over(
    past: Past, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past.fetch(tmp_path)
    kept = fetched(tmp_path).read_bytes()

    assert past.fetch(tmp_path) == CANNOT_RUN
    assert "is there already" in capsys.readouterr().err
    assert fetched(tmp_path).read_bytes() == kept


@pytest.mark.parametrize(
    "arguments",
    [
        ["--series", "KXWET", "--days", "0"],
        ["--series", "KXWET", "--days", "366"],
        ["--series", "KXWET-27JAN15", "--days", "1"],
        ["--series", "KXWET", "--days", "1", "--base-url", "https://elsewhere.example/trade-api/v2"],
        ["--series", "KXWET", "--days", "1", "--base-url", "http://external-api.kalshi.com/trade-api/v2"],
        ["--series", "KXWET", "--days", "1", "--key-id", "k"],
        ["--days", "1"],
    ],
)
def test_what_makes_no_sense_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(arguments)
    assert stopped.value.code == CANNOT_RUN
    assert "error:" in capsys.readouterr().err
