"""A recording on the real exchange of the simulator."""

from __future__ import annotations

import pytest

from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange
from tests.simulator.flow import RecordedFlow
from tests.simulator.knobs import Knobs
from tests.simulator.listing import build_exchange
from tests.simulator.synthetic import synthetic_recording
from tests.simulator.tape import MINUTE_MS, Recording
from tests.support.flow_fakes import START_MS, market, recording

MINUTES = 60
END_MS = START_MS + MINUTES * MINUTE_MS


def listed(rec: Recording, shards: int = 1) -> tuple[Exchange, VirtualClock]:
    clock = VirtualClock(START_MS)
    exchange = build_exchange(
        rec, clock=clock, knobs=Knobs(), tickers=rec.markets, start_ms=START_MS, shards=shards
    )
    return exchange, clock


def test_a_synthetic_hour_plays_in_full_on_the_exchange() -> None:
    rec = synthetic_recording(11, 20, START_MS, MINUTES)
    exchange, clock = listed(rec)
    flow = RecordedFlow(rec, exchange, clock, START_MS, END_MS, rec.markets)
    clock.advance_to(END_MS)
    assert flow.tally.filled_e2 == flow.tally.printed_e2 == sum(each.count_e2 for each in rec.prints) > 0
    assert flow.tally.outside_hours == 0


def test_every_played_market_has_a_two_sided_or_an_edge_book() -> None:
    rec = synthetic_recording(11, 20, START_MS, MINUTES)
    exchange, clock = listed(rec)
    RecordedFlow(rec, exchange, clock, START_MS, END_MS, rec.markets)
    clock.advance_to(START_MS + 10 * MINUTE_MS)
    for ticker in {each.ticker for each in rec.prints}:
        bid, ask = exchange.best_prices(ticker)
        assert bid is not None or ask is not None
        assert bid is None or ask is None or bid < ask


def test_events_are_dealt_over_the_shards_whole() -> None:
    events = [f"KXA-{number}" for number in range(5)]
    rec = recording([market(f"{e}-{part}", event_ticker=e) for e in events for part in "XYZ"])
    exchange, _ = listed(rec, shards=3)
    shards = {t: exchange.venue.markets[t].shard for t in rec.markets}
    assert set(shards.values()) == {0, 1, 2}
    assert all(len({shards[f"{e}-{part}"] for part in "XYZ"}) == 1 for e in events)


def test_a_market_already_closed_cannot_be_listed() -> None:
    with pytest.raises(ValueError, match="KXA-1-T1 closes before the start"):
        listed(recording([market(close_ms=START_MS)]))
