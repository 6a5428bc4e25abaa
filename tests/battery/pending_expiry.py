"""Not collected: a quote that expired by itself is cancelled once more while the list of orders lags.

Our orders expire at `close - close_guard_s`, the very moment from which their market is no longer wanted. A
list that is 30 s old still shows them, so they are cancelled and each cancel is a 404. Nothing is doubled,
but on a clean exchange with a lag of up to 30 s no cancel may be a 404.
"""

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
