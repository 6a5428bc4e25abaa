"""Orders that expire by themselves, at `close - close_guard_s`, while the lists of orders still show them."""

from tests.battery.scene import HOLD_CYCLES, scene
from tests.battery.test_markets import MINUTE_MS, OTHERS, ending
from tests.simulator.fault_plan import Fault
from tests.unit.small_world import START_MS, broken, resting


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
