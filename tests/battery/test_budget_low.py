"""What a cycle may spend at once on reads, and what it says when its writes do not fit."""

from tests.battery.scarce_tokens import many, placed_by_cycle, scarce, set_books
from tests.battery.scene import scene
from tests.simulator.buckets import Tier
from tests.simulator.model import MarketSpec
from tests.support.small_world import broken, spec
from tests.world import config_items

SMALLER = Tier(read_rate=200, read_capacity=400, write_rate=100, write_capacity=100, balance_rate=1)
FEW_READS = Tier(read_rate=20, read_capacity=100, write_rate=100, write_capacity=100, balance_rate=1)
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


def test_scenario_31_a_cycle_right_after_a_start_waits_for_its_balance_before_it_counts_read_tokens() -> None:
    """Tokens counted for one time and spent later are lost to a bucket that is full again by then (I8)."""
    markets = tuple(own_series(number) for number in range(SERIES))
    items = {market.ticker: config_items.MARKET for market in markets}
    with scene(started=False, tier="basic", markets=markets, items=items) as stage:
        set_books(stage)
        assert stage.world.start()["status"] == "active"
        assert stage.world.cycle()["status"] == "completed"

        assert not stage.world.exchange.stats.too_many_requests
        assert not broken(stage.world)


def test_scenario_32_a_cycle_that_drops_work_says_so() -> None:
    with scarce() as stage:
        placed_by_cycle(stage, 1)

        assert stage.seen.facts("BUDGET_LOW")[0]["dropped"] > 0


def test_scenario_31_reads_beyond_the_bucket_are_sent_as_it_refills() -> None:
    """Books, markets and events come in slices: more calls than a full bucket pays for at once (I8)."""
    with scene(started=False, tier="basic", **many(9)) as stage:
        member = stage.world.member
        for buckets in (member.buckets, member.fair_buckets):
            buckets.limits = FEW_READS
            buckets._buckets.clear()
        set_books(stage)
        assert stage.world.start()["status"] == "active"
        stage.world.clock.advance_ms(30_000)
        stage.run(3)

        assert not stage.world.exchange.stats.too_many_requests
        assert stage.world.open_orders() == 18
        assert [own["read_used_percent"] for own in stage.seen.facts("BUDGET_LOW")] == [100, 100, 100]
        assert not broken(stage.world)


def test_scenario_32_reads_that_leave_most_of_their_bucket_are_not_told() -> None:
    with scene(tier="basic", **many(9)) as stage:
        set_books(stage)
        stage.run(3)

        assert stage.world.open_orders() == 18
        assert not stage.seen.facts("BUDGET_LOW")


def test_scenario_31_a_start_pays_for_every_list_of_markets_that_it_reads() -> None:
    """One call for as many of them as a URL holds: here 36, and the bucket holds 40 calls (I8)."""
    names = [f"KXM-26NOV21N{number:03}-{'T' * 900}" for number in range(288)]
    markets, items = tuple(spec(name, 0) for name in names), dict.fromkeys(names, config_items.MARKET)
    with scene(started=False, tier="basic", markets=markets, items=items) as stage:
        assert stage.world.start()["status"] == "active"
        assert not stage.world.exchange.stats.too_many_requests
        assert not broken(stage.world)


def test_scenario_31_a_tier_that_became_smaller_is_known_one_cycle_after_the_first_429() -> None:
    with scene(tier="advanced", **many(40)) as stage:
        set_books(stage)
        stage.run(2)
        member = stage.world.member
        for buckets in (member.buckets, member.fair_buckets):
            buckets.limits = SMALLER
            buckets._buckets.clear()
        stage.world.exchange.invariants.expectations.tolerate_429 = True
        set_books(stage, 4500)
        stage.run(1)
        assert stage.seen.facts("RATE_LIMIT")
        refused = len(stage.world.exchange.stats.too_many_requests)
        stage.run(4)

        assert len(stage.world.exchange.stats.too_many_requests) == refused
        assert stage.world.open_orders() == 80
        assert not broken(stage.world)


def test_scenario_32_a_quote_that_waits_for_tokens_keeps_its_place() -> None:
    """More demand than tokens must not empty the book: a cancel is sent with its new order or not at all."""
    with scarce() as stage:
        placed_by_cycle(stage, 8)
        before = stage.world.open_orders()
        placed_by_cycle(stage, 6)

        assert stage.world.open_orders() >= before
        assert stage.seen.facts("BUDGET_LOW")
