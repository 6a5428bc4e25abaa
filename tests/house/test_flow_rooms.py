"""The session imports nothing of the cycle, on no path; and the checker sees it when it does."""

from pathlib import Path

import pytest

from tests.house.checkout import ROOT
from tests.house.flow_rooms import FLOW, broken_rooms, reached_from, room_of


def test_every_module_of_the_flow_keeps_to_its_room() -> None:
    assert broken_rooms(ROOT) == []


def test_no_path_of_imports_leads_from_the_sessions_door_to_the_cycle() -> None:
    reached = reached_from(ROOT, "session.run")

    assert {room_of(module) for module in reached} == {"session", "shared"}
    assert {"session.teardown", "shared.group_trigger"} <= reached


@pytest.mark.parametrize(
    ("module", "source", "breach"),
    [
        ("session.teardown", "from dora.flow.cycle.execute import STOP", "imports cycle.execute"),
        ("session.teardown", "from dora.flow.cycle import execute", "imports cycle.execute"),
        ("session.status", "def f():\n    from ..cycle.persist import x", "imports cycle.persist"),
        ("shared.reads", "from ..session.run import x", "imports session.run"),
        ("shared.accounting", "from dora.flow.cycle.read import Snapshot", "imports cycle.read"),
        ("cycle.run", "from dora.flow.session.teardown import close", "imports session.teardown"),
        ("utils", "", "belongs to no room of the flow"),
    ],
)
def test_a_planted_breach_is_seen(tmp_path: Path, module: str, source: str, breach: str) -> None:
    _write(tmp_path, module, source)
    if "import execute" in source:
        _write(tmp_path, "cycle.execute", "")

    assert broken_rooms(tmp_path) == [f"{module}: {breach}"]


def test_a_path_over_a_shared_module_is_seen(tmp_path: Path) -> None:
    _write(tmp_path, "session.run", "from dora.flow.shared.reads import x")
    _write(tmp_path, "shared.reads", "from dora.flow.cycle.run import x")

    assert reached_from(tmp_path, "session.run") == {"shared.reads", "cycle.run"}


def _write(root: Path, module: str, source: str) -> None:
    path = (root / FLOW).joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
