"""Who may import whom within the flow: the cycle and the session share modules, and never each other's.

A session must be able to end while the cycle is broken, so nothing of the cycle is on its way, however far.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.house.arrows import imported_names

FLOW = "layers/dora/dora/flow"
MAY_IMPORT = {"cycle": {"cycle", "shared"}, "session": {"session", "shared"}, "shared": {"shared"}}


def broken_rooms(root: Path) -> list[str]:
    """Every breach below `root`, as `module: what`; empty when the rooms are kept."""
    found = []
    for module, imported in _imports(root).items():
        allowed = MAY_IMPORT.get(room_of(module))
        if allowed is None:
            found.append(f"{module}: belongs to no room of the flow")
        else:
            found += [
                f"{module}: imports {name}" for name in sorted(imported) if room_of(name) not in allowed
            ]
    return found


def room_of(module: str) -> str:
    """The folder of a module: `cycle` of `cycle.run`; of a module in no folder its own name."""
    return module.partition(".")[0]


def reached_from(root: Path, module: str) -> frozenset[str]:
    """Modules of the flow on any path of imports from this one."""
    imports, reached, ahead = _imports(root), set[str](), [module]
    while ahead:
        for name in imports.get(ahead.pop(), frozenset()) - reached:
            reached.add(name)
            ahead.append(name)
    return frozenset(reached)


def _imports(root: Path) -> Mapping[str, frozenset[str]]:
    """The modules of the flow that each module of the flow imports, as `room.module`."""
    flow = root / FLOW
    modules = {
        ".".join(path.relative_to(flow).with_suffix("").parts): path
        for path in sorted(flow.rglob("*.py"))
        if path.name != "__init__.py"
    }
    return {name: frozenset(_flow_modules(path, modules)) for name, path in modules.items()}


def _flow_modules(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    """A dotted name may end in a module or in something that the module holds."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for _, name in imported_names(tree, ("dora", "flow", path.parent.name)):
        if name.startswith("dora.flow."):
            inner = name.removeprefix("dora.flow.")
            yield inner if inner in modules else inner.rpartition(".")[0]
