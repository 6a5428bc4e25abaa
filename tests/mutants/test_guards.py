"""The guards that the mutation run switches off are still in the code, each exactly once."""

from pathlib import Path

import pytest

from tests.mutants.guards import GUARDS, Guard

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_once_where_it_is_said_to_stand(guard: Guard) -> None:
    assert guard.switched_off(ROOT) != (ROOT / "layers/dora/dora" / guard.file).read_text(encoding="utf-8")


def test_a_guard_that_has_moved_is_an_error() -> None:
    moved = Guard("moved", "core/journal.py", "nothing like this", "")
    with pytest.raises(ValueError, match="0 times"):
        moved.switched_off(ROOT)
