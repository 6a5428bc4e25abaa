"""The guards that the mutation run switches off are still in the code, each exactly once."""

from pathlib import Path

import pytest

from tests.mutants.guards import BATTERY, GUARDS, Guard

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_once_where_it_is_said_to_stand(guard: Guard) -> None:
    assert guard.switched_off(ROOT) != (ROOT / "layers/dora/dora" / guard.file).read_text(encoding="utf-8")


def test_a_guard_that_has_moved_is_an_error() -> None:
    moved = Guard("moved", "core/orders/journal.py", "test_none.py", "nothing like this", "")
    with pytest.raises(ValueError, match="0 times"):
        moved.switched_off(ROOT)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_names_a_scenario_of_the_battery(guard: Guard) -> None:
    file, test = guard.scenario.split("::")
    assert f"def {test}(" in (ROOT / BATTERY / file).read_text(encoding="utf-8")
