"""Not collected: an order of ours that somebody else amends under another client order id.

The exchange lets an amend rename an order. Its rows then carry an id that the journal does not know: the
order counts as somebody else's, its old entry is never proven gone, and the slot stays frozen for good, also
after the renamed order has ended. Nothing is doubled and the caps hold; the slot is simply lost (I5). Rows
that are matched by order id first, and by client order id only where no order id is known, would settle it.
"""

from tests.battery.scene import HOLD_CYCLES, scene
from tests.battery.test_changes import A, amend
from tests.unit.small_world import broken


def test_scenario_55_an_order_that_was_renamed_and_then_cancelled_by_hand_frees_its_slot() -> None:
    with scene() as stage:
        stage.run(1)
        (order,) = stage.world.resting(A, "bid")
        amend(stage, count_e2=900, new_client_order_id="by-hand")
        stage.run(1)
        stage.world.exchange.engine.cancel(stage.world.member, order.id, 0)
        stage.run(HOLD_CYCLES)

        assert not broken(stage.world)
        stage.sound()
