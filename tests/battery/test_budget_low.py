"""What a cycle may spend at once on reads, and what it says when its writes do not fit."""

from tests.battery.scene import scene
from tests.battery.test_budget import placed_by_cycle, scarce, set_books
from tests.simulator.model import MarketSpec
from tests.unit.small_world import broken, spec
from tests.world import config_items

SERIES = 60
"""More than the read bucket of a Basic account pays for at once: 400 tokens, 10 a call."""


def own_series(number: int) -> MarketSpec:
    return spec(f"KX{number:03}-26NOV21-T1", number % 3)


def test_scenario_31_fee_terms_of_many_series_are_read_at_the_pace_of_the_read_bucket() -> None:
    """A cycle that meets many series at once must not be refused for it (I8)."""
    markets = tuple(own_series(number) for number in range(SERIES))
    items = {market.ticker: config_items.MARKET for market in markets}
    with scene(tier="basic", markets=markets, items=items) as stage:
        set_books(stage)
        stage.run(1)

        assert not stage.world.exchange.stats.too_many_requests
        assert not broken(stage.world)


def test_scenario_32_a_cycle_that_drops_work_says_so() -> None:
    with scarce() as stage:
        placed_by_cycle(stage, 1)

        assert stage.seen.facts("BUDGET_LOW")[0]["dropped"] > 0
