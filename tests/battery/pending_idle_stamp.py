"""Not collected: what does not hold yet where the exchange's stamp moves only when something happens.

An account that is idle because all its slots are frozen waits for a later stamp, and no stamp is later until
something happens: with nothing else going on, the slots stay frozen for good (I5).
"""

import pytest

from tests.battery.scene import CANCEL, CREATE, HOLD_CYCLES, IDLE_STAMP, SLOTS, scene
from tests.simulator.fault_plan import Fault


@pytest.mark.parametrize("kind", ["lose-request", "refuse"])
def test_scenario_02_a_create_that_was_not_applied_is_placed_again_though_the_stamp_is_idle(
    kind: str,
) -> None:
    with scene(IDLE_STAMP) as stage:
        stage.struck(Fault(kind=kind, where=CREATE))
        stage.run(HOLD_CYCLES)

        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()


@pytest.mark.parametrize("kind", ["lose-request", "refuse"])
def test_scenario_11_a_cancel_that_was_not_applied_is_sent_again_though_the_stamp_is_idle(kind: str) -> None:
    with scene(IDLE_STAMP) as stage:
        stage.run(1)
        stage.move()
        stage.struck(Fault(kind=kind, where=CANCEL))
        stage.run(HOLD_CYCLES)

        assert all(order.price_e4 > 4400 for order in stage.world.member.resting.values())
        stage.sound()
