"""Not collected: what does not hold yet where the stamp runs ahead of reads that stand still.

The lists that prove an unanswered create absent are dated by the exchange's one stamp. Reads that froze
before it, under a stamp that runs further ahead than the hold is long, prove absent what rests (I1).
"""

import pytest

from tests.battery.scene import CLIENT_IDS, CREATE, HOLD_CYCLES, SLOTS, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs


@pytest.mark.parametrize("knobs", CLIENT_IDS[:2], ids=unlike)
@pytest.mark.parametrize("ahead_ms", [150_000, 600_000])
def test_scenario_15_frozen_reads_under_a_stamp_that_runs_ahead_do_not_prove_absence(
    knobs: Knobs, ahead_ms: int
) -> None:
    with scene(knobs) as stage:
        stage.faults.now(
            Fault(kind="lose-answer", where=CREATE, for_ms=60_000),
            Fault(kind="freeze-reads", for_ms=300_000),
            Fault(kind="stamp-ahead", for_ms=300_000, amount=ahead_ms),
        )
        stage.run(5)
        stage.faults.clear()
        stage.run(HOLD_CYCLES)

        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()
