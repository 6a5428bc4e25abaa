"""The order groups of a session on three shards: burst limits kept, trips told, none missing quietly."""

import pytest

from tests.battery.scene import fill
from tests.support.small_world import Scripted, Seen, broken, resting, setup, small_world
from tests.support.tripping import SMALL, A, B, C, pass_minutes, trip
from tests.world import config_items

LIMIT = "PUT /limit"
SET_LIMIT = "PUT /portfolio/order_groups/:order_group_id/limit"


def limits_e2(seen: Seen) -> list[int]:
    """Burst limits as the exchange holds them, by shard."""
    groups = sorted(seen.world.member.groups.values(), key=lambda group: group.shard)
    return [group.limit_e2 for group in groups if not group.deleted]


def limits_of(seen: Seen) -> dict[str, int]:
    """The same by market: each of the three is on a shard of its own."""
    return dict(zip((A, B, C), limits_e2(seen), strict=True))


def recorded(seen: Seen) -> list[str]:
    """Burst limits as the session records them."""
    return [group["burst_limit"] for group in seen.world.status()["groups"]]


# --- PUT limit ----------------------------------------------------------------------------------------


def test_a_cycle_brings_every_groups_burst_limit_to_a_changed_config_once() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.put_global({**config_items.GLOBAL, "group_burst_limit": 700})
        world.cycle()
        calls = world.exchange.stats.calls[SET_LIMIT]
        world.cycle()

        assert limits_e2(seen) == [70_000] * 3
        assert recorded(seen) == ["700.00"] * 3
        assert world.exchange.stats.calls[SET_LIMIT] == calls == 3
        assert len(resting(world)) == 6


def test_a_repeated_start_brings_the_burst_limits_of_an_active_session_in_line() -> None:
    with small_world() as seen:
        world = seen.world
        first = world.start()
        world.put_global({**config_items.GLOBAL, "group_burst_limit": 700})
        second = world.start()

        assert limits_e2(seen) == [70_000] * 3
        assert recorded(seen) == ["700.00"] * 3
        assert first["order_groups"] == second["order_groups"]


def test_groups_of_a_strategy_tag_have_its_own_burst_limit_which_a_cycle_takes_over_when_it_changes() -> None:
    by_tag = {**config_items.GLOBAL, "group_burst_limits": "other 300; gone 5"}
    with small_world(setup(globals=by_tag)) as seen:
        world = seen.world
        world.put_market(B, {**config_items.MARKET, "strategy_tag": "other"})
        findings = world.start()["findings"]

        assert limits_of(seen) == {A: 200_000, B: 30_000, C: 200_000}
        assert [note for note in findings if note.startswith("group_burst_limits names gone: ")]
        world.put_global({**by_tag, "group_burst_limits": "other 400"})
        world.cycle()
        assert limits_of(seen) == {A: 200_000, B: 40_000, C: 200_000}
        world.put_global(config_items.GLOBAL)
        world.cycle()
        assert limits_of(seen) == dict.fromkeys((A, B, C), 200_000)
        assert len(resting(world)) == 6


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_burst_limit_whose_change_was_not_answered_is_set_again_by_the_next_cycle(lost: str) -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.put_global({**config_items.GLOBAL, "group_burst_limit": 700})
        world.exchange.faults = Scripted({LIMIT: lost})
        world.cycle()
        unheard = recorded(seen)
        world.exchange.faults = Scripted({})
        world.cycle()

        assert unheard == ["2000.00"] * 3
        assert recorded(seen) == ["700.00"] * 3
        assert limits_e2(seen) == [70_000] * 3


def test_an_invalid_global_item_changes_no_burst_limit() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.put_global({**config_items.GLOBAL, "group_burst_limit": "many"})
        world.cycle()

        assert limits_e2(seen) == [200_000] * 3


def test_a_burst_limit_lowered_below_what_just_matched_trips_the_group_like_any_burst() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.clock.advance_to(world.next_tick_ms() - 1_000)
        trip(seen)
        world.put_global(SMALL)
        world.cycle()
        latched = world.cycle()

        assert (latched["status"], latched["reason"]) == ("halted", "session_not_active")
        assert world.status()["reason"] == "group_tripped"
        assert not resting(world)


# --- what a trip took ----------------------------------------------------------------------------------


def test_a_trip_says_what_was_matched_and_which_of_our_orders_it_took_off() -> None:
    with small_world(setup(globals={**SMALL, "group_burst_limit": 5})) as seen:
        world = seen.world
        world.start()
        world.cycle()
        ours = sorted(own.client_order_id for own in world.member.resting.values() if own.market.ticker == A)
        fill(world, A, "bid", 700)
        world.cycle()
        (told,) = seen.facts("ORDER_GROUP_LIMIT_REACHED")

        assert (told["reason"], told["contracts_matched"]) == ("group_tripped", "7.00")
        assert told["orders_cancelled"] == len(ours) == 2
        assert told["orders"] == "; ".join(ours)
        assert not resting(world)
        assert not broken(world)


def test_the_session_limit_says_for_each_group_what_it_took_off() -> None:
    with small_world(setup(globals={**config_items.GLOBAL, "session_contract_limit": 15})) as seen:
        world = seen.world
        world.start()
        world.cycle()
        for ticker, side in list(resting(world)):
            fill(world, ticker, side)
        world.cycle()
        told = seen.facts("ORDER_GROUP_LIMIT_REACHED")

        assert [fact["reason"] for fact in told] == ["session_cap"] * 3
        assert {fact["contracts_matched"] for fact in told} == {"15.00"}
        assert sum(fact["orders_cancelled"] for fact in told) == 0


def test_the_record_says_which_groups_are_tripped_until_they_are_reset() -> None:
    with small_world(setup(globals=SMALL)) as seen:
        world = seen.world
        world.start()
        world.cycle()
        trip(seen)
        world.cycle()
        latched = [group["tripped"] for group in world.status()["groups"]]
        world.session("session_reset")

        assert latched == [True] * 3
        assert [group["tripped"] for group in world.status()["groups"]] == [False] * 3


# --- without groups ------------------------------------------------------------------------------------


def test_a_session_without_order_groups_is_loud_about_it_at_the_start_in_status_and_in_every_cycle() -> None:
    with small_world(setup(globals={**config_items.GLOBAL, "use_order_groups": False})) as seen:
        world = seen.world
        opened = world.start()
        pass_minutes(seen, 2)

        assert "no burst breaker" in opened["degraded"]
        assert opened["degraded"] == world.status()["degraded"]
        assert len(seen.facts("WARNING")) == 3
        assert len(resting(world)) == 6


def test_a_session_with_groups_is_not_called_degraded() -> None:
    with small_world() as seen:
        assert "degraded" not in seen.world.start()
        seen.world.cycle()
        assert not seen.facts("WARNING")


def test_a_market_whose_strategy_has_no_group_on_its_shard_is_not_quoted_and_says_why() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.put_market(B, {**config_items.MARKET, "strategy_tag": "other"})
        world.cycle()
        record = world.status()
        quoted = {ticker for ticker, _ in resting(world)}
        world.start()
        world.cycle()

        assert record["markets_not_quoted"] == {"shard_without_group": 1}
        assert quoted == {A, C}
        assert {ticker for ticker, _ in resting(world)} == {A, B, C}
        assert not broken(world)
