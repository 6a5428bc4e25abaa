"""Which open markets of a series are quoted."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.config import SeriesConfig
from dora.core.exchange.market import MarketStatus, OpenMarket
from dora.core.quoting.selection import chosen
from dora.core.units import ONE_DOLLAR, Count, Price, TimeMs
from tests.support.examples import NOW, cents, contracts, market

HOUR_S = 3_600


def listed(
    ticker: str, bid: str = "0.48", ask: str = "0.52", volume: str | None = "100", **changes: Any
) -> OpenMarket:
    values: dict[str, Any] = {"event_ticker": "E", "close_ms": TimeMs(NOW + 10 * HOUR_S * 1000)}
    own = market(ticker=ticker, **{**values, **changes})
    return OpenMarket(own, cents(bid), cents(ask), None if volume is None else contracts(volume))


def picked(*markets: OpenMarket, before: Collection[str] = (), **filters: Any) -> tuple[str, ...]:
    return chosen(SeriesConfig(ticker="S", enabled=True, **filters), markets, before, NOW)


@pytest.mark.parametrize(("volume", "fits"), [("99.99", False), ("100", True), (None, False)])
def test_the_volume_of_a_day_may_be_exactly_the_least(volume: str | None, fits: bool) -> None:
    assert picked(listed("A", volume=volume), min_volume=contracts("100")) == (("A",) if fits else ())


@pytest.mark.parametrize(("ask", "fits"), [("0.51", True), ("0.52", True), ("0.53", False), ("1", False)])
def test_the_spread_may_be_exactly_the_widest(ask: str, fits: bool) -> None:
    found = picked(listed("A", "0.48", ask), widest_spread=cents("0.04"))
    assert found == (("A",) if fits else ())


def test_without_filters_a_market_needs_neither_volume_nor_two_sides() -> None:
    assert picked(listed("A", "0", "1", volume=None)) == ("A",)


@pytest.mark.parametrize(("left_s", "fits"), [(599, False), (600, True), (900, True), (901, False)])
def test_the_time_to_the_close_has_a_least_and_a_most(left_s: int, fits: bool) -> None:
    one = listed("A", close_ms=TimeMs(NOW + left_s * 1000))
    assert picked(one, min_life_s=600, max_life_s=900) == (("A",) if fits else ())


@pytest.mark.parametrize("changes", [{"status": MarketStatus.INITIALIZED}, {"plain": False}])
def test_a_market_that_cannot_be_quoted_is_not_chosen(changes: dict[str, Any]) -> None:
    assert picked(listed("A", **changes)) == ()


def test_those_that_close_first_come_first_up_to_the_most() -> None:
    soon = listed("B", close_ms=TimeMs(NOW + 2 * HOUR_S * 1000))
    assert picked(listed("A"), soon, listed("C"), max_markets=2) == ("B", "A")


def test_of_an_event_those_strikes_are_chosen_that_are_nearest_to_the_money() -> None:
    strikes = [listed("A", "0.10", "0.12"), listed("B", "0.44", "0.46"), listed("C", "0.60", "0.62")]
    other = listed("D", "0.02", "0.04", event_ticker="F")
    assert picked(*strikes, other, strikes_per_event=2) == ("B", "C", "D")
    assert picked(*strikes, other, strikes_per_event=1) == ("B", "D")


def test_what_is_quoted_already_is_not_dropped_for_a_little() -> None:
    near = listed("A", "0.46", "0.54", volume="60")
    filters = {"min_volume": contracts("100"), "widest_spread": cents("0.05")}
    assert (picked(near, **filters), picked(near, before=("A",), **filters)) == ((), ("A",))
    strikes = [listed("B", "0.50", "0.52"), listed("C", "0.53", "0.55")]
    assert picked(*strikes, strikes_per_event=1) == ("B",)
    assert picked(*strikes, before=("C",), strikes_per_event=1) == ("C",)


def test_what_is_quoted_already_makes_room_when_its_time_is_up() -> None:
    near = listed("A", "0.46", "0.54", close_ms=TimeMs(NOW + 60_000))
    assert picked(near, before=("A",), min_life_s=600) == ()


@pytest.mark.parametrize(("speed", "fits"), [(None, True), (0.30, True), (0.31, False)])
def test_what_was_read_and_moves_too_fast_makes_room_and_is_read_on(speed: float | None, fits: bool) -> None:
    series = SeriesConfig(ticker="S", enabled=True, fastest_percent=30, max_markets=1)
    speeds = {} if speed is None else {"A": speed}
    found = chosen(series, [listed("A"), listed("B")], ("A",), NOW, speeds)
    assert found == (("A",) if fits else ("B", "A"))
    anyhow = replace(series, fastest_percent=0)
    assert chosen(anyhow, [listed("A")], ("A",), NOW, speeds) == ("A",)


PRICES = st.integers(0, ONE_DOLLAR).map(Price)


@given(
    st.lists(st.tuples(st.sampled_from("EF"), PRICES, PRICES, st.none() | st.integers(0, 500)), max_size=8),
    st.integers(0, 3),
    st.integers(1, 5),
)
def test_no_more_is_chosen_than_allowed_and_nothing_twice(
    rows: list[tuple[str, Price, Price, int | None]], strikes: int, most: int
) -> None:
    markets = [
        OpenMarket(
            listed(f"M{n}", event_ticker=event).market, bid, ask, None if volume is None else Count(volume)
        )
        for n, (event, bid, ask, volume) in enumerate(rows)
    ]
    found = picked(*markets, strikes_per_event=strikes, max_markets=most, min_volume=Count(100))
    assert len(set(found)) == len(found) <= most
    events = [one.market.event_ticker for one in markets if one.market.ticker in found]
    assert all(events.count(event) <= (strikes or most) for event in events)
    assert all((one.volume_24h or 0) >= 100 for one in markets if one.market.ticker in found)
