"""Which minutes and which markets of a recording are played."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.recordings import choose_window, select_markets
from tests.simulator.tape import MINUTE_MS, Print, Recording, is_open
from tests.support.flow_fakes import START_MS, market, recording

TICKERS = ("KXA-1-T1", "KXA-1-T2", "KXB-1-T1")
minutes = st.integers(0, 30)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    hours = {ticker: sorted(draw(st.tuples(minutes, minutes))) for ticker in TICKERS}
    listed = [
        market(ticker, open_ms=START_MS + opens * MINUTE_MS, close_ms=START_MS + closes * MINUTE_MS + 1)
        for ticker, (opens, closes) in hours.items()
    ]
    times = sorted(draw(st.lists(st.integers(0, 30 * MINUTE_MS), min_size=1, max_size=20)))
    prints = [Print(START_MS + at, draw(st.sampled_from(TICKERS)), 4_300, 100, True) for at in times]
    return recording(listed, prints)


def merit(rec: Recording, start_ms: int, cycles: int, cap: int | None) -> tuple[int, int, int]:
    """The rule, written the slow way."""
    open_count = sum(is_open(each, start_ms) for each in rec.markets.values())
    prints = sum(start_ms <= each.at_ms < start_ms + cycles * MINUTE_MS for each in rec.prints)
    return (open_count if cap is None else min(cap, open_count), prints, -start_ms)


@given(recordings(), st.integers(1, 40), st.none() | st.integers(1, 3))
def test_the_window_has_most_open_markets_then_most_prints_then_is_earliest(
    rec: Recording, cycles: int, cap: int | None
) -> None:
    window = choose_window(rec, cycles, markets=cap)
    first = rec.first_ms // MINUTE_MS * MINUTE_MS
    last = max(first, rec.last_ms // MINUTE_MS * MINUTE_MS - (cycles - 1) * MINUTE_MS)
    starts = range(first, last + 1, MINUTE_MS)
    assert window.start_ms == max(starts, key=lambda start: merit(rec, start, cycles, cap))
    assert window.end_ms - window.start_ms == cycles * MINUTE_MS


def test_a_short_recording_is_taken_from_its_first_minute() -> None:
    rec = recording([market()], [Print(START_MS + 5_000, "KXA-1-T1", 4_300, 100, True)])
    window = choose_window(rec, 60)
    assert (window.start_ms, window.end_ms) == (START_MS, START_MS + 60 * MINUTE_MS)


def test_the_busiest_open_markets_are_selected_then_by_ticker() -> None:
    listed = [market(ticker) for ticker in ("KXA-1-T3", "KXA-1-T2", "KXA-1-T1")]
    listed.append(market("KXA-1-LATE", open_ms=START_MS + 1))
    listed.append(market("KXA-1-OVER", close_ms=START_MS))
    busy = [Print(START_MS + at, "KXA-1-T3", 4_300, 100, True) for at in (0, 59_999)]
    ports = [Print(START_MS + MINUTE_MS, "KXA-1-T2", 4_300, 100, True) for _ in range(9)]
    others = [Print(START_MS, ticker, 4_300, 100, True) for ticker in ("KXA-1-LATE", "KXA-1-OVER")]
    rec = recording(listed, sorted(busy + ports + others, key=lambda each: each.at_ms))
    end_ms = START_MS + MINUTE_MS
    assert select_markets(rec, START_MS, end_ms, 9) == ["KXA-1-T3", "KXA-1-T1", "KXA-1-T2"]
    assert select_markets(rec, START_MS, end_ms, 2) == ["KXA-1-T3", "KXA-1-T1"]
