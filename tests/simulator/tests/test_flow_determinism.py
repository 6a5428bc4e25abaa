"""The order flow is the same for the same seed, however it is driven."""

from __future__ import annotations

from tests.simulator.clock import VirtualClock
from tests.simulator.flow import RecordedFlow
from tests.simulator.recordings import choose_window
from tests.simulator.synthetic import synthetic_recording
from tests.simulator.tape import MINUTE_MS
from tests.support.flow_fakes import SIDES, START_MS, FakeMarketplace, play


def run_digest(seed: int, stride_ms: int = 7_000) -> str:
    rec = synthetic_recording(5, 12, START_MS, 30)
    venue = FakeMarketplace()
    _, clock = play(rec, venue, seed, START_MS + 30 * MINUTE_MS)
    for _ in range(30 * MINUTE_MS // stride_ms):
        clock.advance_ms(stride_ms)
    return venue.digest.hexdigest()


def test_the_same_seed_gives_the_same_flow_and_another_seed_another() -> None:
    assert run_digest(1) == run_digest(1)
    assert run_digest(1) != run_digest(2)


def test_how_the_clock_is_cut_does_not_change_the_flow() -> None:
    assert run_digest(1, 1_000) == run_digest(1, 60_000)


def test_a_market_plays_the_same_whichever_others_are_played() -> None:
    rec = synthetic_recording(5, 12, START_MS, 30)
    window = choose_window(rec, 30)
    books = []
    for tickers in (sorted(rec.markets)[:1], sorted(rec.markets)):
        venue, clock = FakeMarketplace(), VirtualClock(window.start_ms)
        RecordedFlow(rec, venue, clock, window.start_ms, window.end_ms, tickers)
        clock.advance_to(window.end_ms)
        books.append([venue.levels(tickers[0], side) for side in SIDES])
    assert books[0] == books[1] != [[], []]
