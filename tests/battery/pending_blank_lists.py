"""Not collected: what does not hold yet where lists come back blank, with 200, after an unanswered create.

"Later complete lists of all statuses without its client id" are taken for proof of absence, also when they
name no order at all. The group, which lists its order ids, is a second witness that nobody asks (I6, I1).
"""

import pytest

from tests.battery.scene import CLIENT_IDS, CREATE, HOLD_CYCLES, SLOTS, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs


@pytest.mark.parametrize("knobs", CLIENT_IDS[:2], ids=unlike)
@pytest.mark.parametrize("trouble", ["no-ids", "lose-answer"])
def test_scenario_18_blank_lists_do_not_prove_that_an_unanswered_create_is_not_there(
    knobs: Knobs, trouble: str
) -> None:
    with scene(knobs) as stage:
        stage.struck(Fault(kind=trouble, where=CREATE))
        stage.world.clock.advance_ms(120_000)
        stage.struck(Fault(kind="blank", where="GET /portfolio/orders"))
        stage.run(HOLD_CYCLES)

        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()
