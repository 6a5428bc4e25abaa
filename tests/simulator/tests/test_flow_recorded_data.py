"""The recordings kept beside the checkout, where they are: they are not part of the project."""

from __future__ import annotations

import pytest

from tests.simulator.clock import VirtualClock
from tests.simulator.flow import RecordedFlow
from tests.simulator.price_grid import LINEAR_CENT
from tests.simulator.recordings import choose_window, read_recording, select_markets
from tests.simulator.tape import MINUTE_MS
from tests.simulator.tape_fields import time_ms
from tests.support.flow_fakes import FakeMarketplace
from tests.support.recorded import recorded

START_MS = time_ms("2025-02-03T18:00:00Z")
END_MS = START_MS + 240 * MINUTE_MS

pytestmark = pytest.mark.recorded


def test_four_hours_of_weather_markets_play_in_full_and_the_same_twice() -> None:
    rec = read_recording(recorded("trades-weather-2025-02.csv.gz"))
    assert len(rec.prints) == 90_753
    tickers = select_markets(rec, START_MS, END_MS, 1_000)
    assert len(tickers) == 60
    assert {rec.markets[ticker].price_ranges for ticker in tickers} == {LINEAR_CENT}
    digests = []
    for _ in range(2):
        venue, clock = FakeMarketplace(), VirtualClock(START_MS)
        flow = RecordedFlow(rec, venue, clock, START_MS, END_MS, tickers, seed=4)
        clock.advance_to(END_MS)
        assert flow.tally.prints == pytest.approx(3_150, abs=50)
        assert flow.tally.filled_e2 == flow.tally.printed_e2
        assert flow.tally.outside_hours == 0
        digests.append(venue.digest.hexdigest())
    assert digests[0] == digests[1]


def test_the_chosen_weather_window_has_all_sixty_markets_open() -> None:
    rec = read_recording(recorded("trades-weather-2025-02.csv.gz"))
    window = choose_window(rec, 240)
    assert len(select_markets(rec, window.start_ms, window.end_ms, 1_000)) == 60
    assert window.start_ms % MINUTE_MS == 0


OF_EACH_FORM = ("trades-mixed-2025-11", "bbo-crypto15m-2026-08")
OTHERS = (
    "trades-weather-2024-12",
    "trades-weather-2025-04",
    "trades-crypto15m-2026-08",
    "bbo-weather-2026-03",
    "bbo-sports-2026-07-10",
    "bbo-basketball-2026-05",
)


@pytest.mark.parametrize(
    "name",
    [
        *OF_EACH_FORM,
        # The same two forms again: reading these takes half a second each.
        *(pytest.param(name, marks=pytest.mark.long) for name in OTHERS),
    ],
)
def test_every_kind_of_recording_plays_an_hour(name: str) -> None:
    rec = read_recording(recorded(f"{name}.csv.gz"))
    window = choose_window(rec, 60)
    tickers = select_markets(rec, window.start_ms, window.end_ms, 40)
    venue, clock = FakeMarketplace(), VirtualClock(window.start_ms)
    flow = RecordedFlow(rec, venue, clock, window.start_ms, window.end_ms, tickers)
    clock.advance_to(window.end_ms)
    assert tickers
    assert venue.calls > len(tickers)
    assert flow.tally.filled_e2 == flow.tally.printed_e2
    assert flow.tally.outside_hours == 0
