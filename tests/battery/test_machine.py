"""Walks at random: by default a few short ones, always the same; more and longer ones, drawn anew, with
HYPOTHESIS_PROFILE=thorough."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.battery.machine import Walk
from tests.battery.machine_stage import BY_EVENT

THOROUGH = settings.default.max_examples > 40
WALKS = settings(
    max_examples=2 * settings.default.max_examples,
    stateful_step_count=40 if THOROUGH else 15,
    derandomize=not THOROUGH,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def test_no_walk_over_cycles_sessions_faults_and_time_breaks_a_rule() -> None:
    run_state_machine_as_test(Walk, settings=WALKS)


def test_no_walk_breaks_a_rule_where_each_event_has_an_order_group_of_its_own() -> None:
    by_event = type("ByEvent", (Walk,), {"limits": BY_EVENT})
    run_state_machine_as_test(by_event, settings=WALKS)


@pytest.mark.parametrize(("plant", "invariant"), [("double-order", "I1"), ("skip-fill", "I9")])
def test_a_walk_notices_an_exchange_that_cheats(plant: str, invariant: str) -> None:
    cheated = type("Cheated", (Walk,), {"plants": (plant,)})
    with pytest.raises(AssertionError, match=invariant):
        run_state_machine_as_test(cheated, settings=settings(WALKS, phases=[Phase.generate]))
