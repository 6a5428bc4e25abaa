"""Scenario 92: what the log says of our own quoting is what happened."""

from tests.battery.ending_markets import HOUR_MS, A
from tests.battery.scene import fill, scene
from tests.support.small_world import set_book


def test_scenario_92_time_quoted_and_markouts_are_told_once_the_day_is_over() -> None:
    with scene() as stage:
        stage.run(2)
        fill(stage.world, A, "bid", 300)
        set_book(stage.world, A, 4_600, 4_900)
        stage.run(8)
        stage.world.clock.advance_ms(24 * HOUR_MS)
        stage.run(2)

        told = {fact["market"]: fact for fact in stage.seen.facts("MARKET_QUALITY")}
        own = told[A]
        assert len(told) == len(stage.seen.facts("MARKET_QUALITY")) == 3
        assert 7 <= own["quoted_minutes"] <= 10
        assert own["orders_joined"] >= 2
        assert (own["marked_1m"], own["marked_5m"], own["missed_30m"]) == ("3.00", "3.00", "3.00")
        paid = 4_750 - 4_400
        assert 0 < float(own["markout_1m_dollars"]) <= 3 * paid / 10_000
