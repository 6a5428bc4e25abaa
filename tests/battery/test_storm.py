"""Scenario 89 with fewer markets; `make bench ONLY=storm` plays it with 3,000, for two hours on two tiers."""

import pytest

from tests.bench.storm import Storm, storm


@pytest.mark.long
def test_scenario_89_half_of_all_targets_move_in_every_cycle() -> None:
    """More than the tier's tokens pay for."""
    seen = storm(Storm("basic", markets=300, cycles=8))

    assert (seen["broken"], seen["refused_429"], seen["unfinished_plans"]) == ([], 0, 0)
    assert seen["statuses"].keys() <= {"completed", "degraded"}
    assert seen["quoted_second_half"] >= seen["quoted_first_half"]
    assert min(seen["placed"], seen["cancelled"]) > 0
