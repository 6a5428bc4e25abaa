"""Orders that expire by themselves, at `close - close_guard_s`, while the lists of orders still show them."""

import pytest

from dora.core.reasons import Reason
from tests.battery.ending_markets import MINUTE_MS, OTHERS, A, ending
from tests.battery.scene import HOLD_CYCLES, scene
from tests.simulator.fault_plan import Fault
from tests.support.small_world import START_MS, broken, resting


def test_scenario_44_orders_that_expire_before_their_market_closes_are_not_cancelled_again() -> None:
    close_ms = START_MS + 15 * MINUTE_MS - 10_000
    with scene(markets=ending(close_ms)) as stage:
        stage.run(9)
        stage.faults.now(Fault(kind="lag", where="orders", amount=30_000))
        stage.world.clock.advance_to(close_ms - 5 * MINUTE_MS + 1_000)
        stage.run(HOLD_CYCLES)

        assert resting(stage.world).keys() == OTHERS
        assert not broken(stage.world)
        assert stage.world.exchange.stats.cancels_404 == 0


@pytest.mark.parametrize("early_ms", [0, 10_000, 50_000])
def test_scenario_44_no_order_with_less_than_a_minute_to_live_is_sent(early_ms: int) -> None:
    """The market closes so that a new order would expire at once, or within the minute after a tick."""
    close_ms = START_MS + 15 * MINUTE_MS - early_ms
    with scene(markets=ending(close_ms)) as stage:
        stage.run(8 if early_ms else 9)
        stage.move()
        (answer,) = stage.run(1)

        assert (answer["failed"], answer["unknown"]) == (0, 0)
        assert resting(stage.world).keys() == OTHERS
        said = [fact for fact in stage.seen.facts("DECISION_MADE") if fact["market"] == A]
        assert said[-1]["skip_reason"] == Reason.NEAR_CLOSE
        assert not broken(stage.world)
