"""Who may import whom within the flow: the cycle and the session share modules, and never each other's.

A session must be able to end while the cycle is broken, so nothing of the cycle is on its way, however far.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.house.arrows import imported_names

FLOW = "layers/dora/dora/flow"
CYCLE = frozenset(
    {"breakers", "cycle", "deciding", "entries", "execution", "finishing", "id_probe", "naming"}
    | {"protecting", "reading", "reporting", "tape"}
)
SESSION = frozenset(
    {"opening", "preflight", "session", "settling", "status", "sweep", "teardown", "teardown_journal", "zero"}
)
SHARED = frozenset(
    {
        "accounting",
        "backoff",
        "group_trigger",
        "reads",
        "resolution_facts",
        "scope",
        "session_groups",
        "shared_charge",
        "write_pace",
    }
)
MAY_IMPORT = {"cycle": CYCLE | SHARED, "session": SESSION | SHARED, "shared": SHARED}


def broken_rooms(root: Path) -> list[str]:
    """Every breach below `root`, as `module: what`; empty when the rooms are kept."""
    found = []
    for module, imported in _imports(root).items():
        room = room_of(module)
        if room is None:
            found.append(f"{module}: belongs to no room of the flow")
        else:
            found += [f"{module}: {room}, imports {name}" for name in sorted(imported - MAY_IMPORT[room])]
    return found


def room_of(module: str) -> str | None:
    """`cycle`, `session` or `shared`; None for a module that nobody has put anywhere."""
    rooms = {"cycle": CYCLE, "session": SESSION, "shared": SHARED}
    return next((name for name, modules in rooms.items() if module in modules), None)


def reached_from(root: Path, module: str) -> frozenset[str]:
    """Modules of the flow on any path of imports from this one."""
    imports, reached, ahead = _imports(root), set[str](), [module]
    while ahead:
        for name in imports.get(ahead.pop(), frozenset()) - reached:
            reached.add(name)
            ahead.append(name)
    return frozenset(reached)


def _imports(root: Path) -> Mapping[str, frozenset[str]]:
    """The modules of the flow that each module of the flow imports."""
    paths = [path for path in sorted((root / FLOW).glob("*.py")) if path.name != "__init__.py"]
    return {path.stem: frozenset(_flow_modules(path)) for path in paths}


def _flow_modules(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for _, name in imported_names(tree, ("dora", "flow")):
        if name.startswith("dora.flow."):
            yield name.split(".")[2]
