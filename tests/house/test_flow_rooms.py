"""The session imports nothing of the cycle, on no path; and the checker sees it when it does."""

from pathlib import Path

import pytest

from tests.house.checkout import ROOT
from tests.house.flow_rooms import CYCLE, FLOW, SESSION, SHARED, broken_rooms, reached_from


def test_every_module_of_the_flow_keeps_to_its_room() -> None:
    assert broken_rooms(ROOT) == []


def test_no_path_of_imports_leads_from_the_sessions_door_to_the_cycle() -> None:
    reached = reached_from(ROOT, "session")

    assert not reached & CYCLE
    assert {"teardown", "group_trigger"} <= reached


def test_the_rooms_are_those_of_the_checkout() -> None:
    modules = {path.stem for path in (ROOT / FLOW).glob("*.py")} - {"__init__"}

    assert modules == CYCLE | SESSION | SHARED


@pytest.mark.parametrize(
    ("module", "source", "breach"),
    [
        ("teardown", "from dora.flow.execution import RATE_LIMITED", "session, imports execution"),
        ("teardown", "from dora.flow import reporting", "session, imports reporting"),
        ("status", "def f():\n    from dora.flow import finishing", "session, imports finishing"),
        ("reads", "from . import session", "shared, imports session"),
        ("accounting", "from dora.flow.reading import Snapshot", "shared, imports reading"),
        ("cycle", "import dora.flow.teardown", "cycle, imports teardown"),
        ("utils", "", "belongs to no room of the flow"),
    ],
)
def test_a_planted_breach_is_seen(tmp_path: Path, module: str, source: str, breach: str) -> None:
    (tmp_path / FLOW).mkdir(parents=True)
    (tmp_path / FLOW / f"{module}.py").write_text(source, encoding="utf-8")

    assert broken_rooms(tmp_path) == [f"{module}: {breach}"]


def test_a_path_over_a_shared_module_is_seen(tmp_path: Path) -> None:
    (tmp_path / FLOW).mkdir(parents=True)
    for module, source in (("session", "from dora.flow import reads"), ("reads", "import dora.flow.cycle")):
        (tmp_path / FLOW / f"{module}.py").write_text(source, encoding="utf-8")

    assert reached_from(tmp_path, "session") == {"reads", "cycle"}
