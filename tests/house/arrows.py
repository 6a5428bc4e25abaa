"""Which room may import what. Folder = room, so every rule is a rule about paths.

A rule lists what a room may import: prefixes of dotted names, and the standard library unless it is closed
to that room. Whatever is not listed is a broken arrow.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

OUTSIDE = frozenset(
    {"asyncio", "http", "importlib", "io", "multiprocessing", "os", "pathlib", "random", "secrets"}
    | {"shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "time"}
    | {"urllib", "uuid", "zoneinfo"}
)
"""Standard modules that reach the clock, the environment, files, the network, or chance."""

CLOCK_READS = frozenset({"now", "utcnow", "today"})
BUILTIN_IO = frozenset({"open", "print", "input", "__import__", "breakpoint"})
DOOR_LINES = 25

TYPING_ONLY = ("aws_lambda_powertools.utilities.typing",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one room may do."""

    room: str
    may_import: tuple[str, ...] = ()
    closed: frozenset[str] = frozenset()
    pure: bool = False
    max_lines: int | None = None


DOOR = Rule(
    room="doors",
    may_import=(
        "dora.collection",
        "dora.triggers",
        "dora.wiring",
        "dora.telemetry",
        "dora.flow",
        *TYPING_ONLY,
    ),
    closed=OUTSIDE - {"sys"},
)
CORE = Rule(room="core", may_import=("dora.core",), closed=OUTSIDE | {"logging", "threading"}, pure=True)
FLOW = Rule(room="flow", may_import=("dora.core", "dora.flow", "dora.telemetry"), closed=OUTSIDE)
OPERATOR = Rule(
    room="operator",
    may_import=("dora", "dora_operator", "boto3", "botocore", "requests", "click", "rich", "yaml", "duckdb"),
)
"""A program of its own on a person's machine: the product is its library, and knows nothing of it."""
TOP = Rule(room="top", may_import=("dora", "boto3", "botocore", "aws_lambda_powertools", "requests"))
TOP_MODULES = frozenset({"collection", "settings", "wiring", "triggers", "telemetry"})

NET, AWS = "dora.edge.net", "dora.edge.aws"
"""What carries requests to any of the systems."""

FORMATS = ("dora.edge.dynamo.serde", "dora.edge.dynamo.columns")
"""How values are written down, whoever keeps them."""

# Each outside system, and the only packages its folder may use to speak to it.
EDGE_LIBRARIES = {
    "kalshi": ("requests", "urllib3", "cryptography", NET),
    "dynamo": ("botocore", "mypy_boto3_dynamodb", NET, AWS),
    "secrets": ("botocore", "mypy_boto3_secretsmanager", NET, AWS),
    "archive": ("botocore", "mypy_boto3_s3", NET, AWS, *FORMATS),
    "notices": ("botocore", NET, AWS),
    "aws": ("boto3", "botocore", NET),
    "net": ("urllib3",),
}
# What reaches the exchange must be handed in, so the edge reads no environment, clock or chance either.
EDGE_CLOSED = frozenset({"os", "random", "secrets", "time", "uuid", "subprocess", "importlib"})


def broken_arrows(root: Path) -> list[str]:
    """Every breach below `root`, as `path:line: room: what`; empty when the house stands."""
    found: list[str] = []
    for base in ("functions", "layers/dora/dora"):
        for path in sorted((root / base).rglob("*.py")):
            found += _check_file(root, path)
    return found


def _check_file(root: Path, path: Path) -> list[str]:
    shown = path.relative_to(root).as_posix()
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    if path.name == "__init__.py":
        return [f"{shown}:1: code in __init__.py"] if _has_code(tree) else []
    rule = rule_of(PurePath(shown))
    if rule is None:
        return [f"{shown}:1: no room has this path"]
    breaches = [*_imports(tree, path, root, rule), *(_impurities(tree) if rule.pure else ())]
    if rule.max_lines is not None and len(source.splitlines()) > rule.max_lines:
        breaches.append((1, f"longer than {rule.max_lines} lines"))
    return [f"{shown}:{line}: {rule.room}: {what}" for line, what in breaches]


def rule_of(path: PurePath) -> Rule | None:
    """The rule for a path relative to the root, None when no room is there."""
    match path.with_suffix("").parts:
        case ("functions", "operator", "dora_operator", *_):
            return OPERATOR
        case ("functions", _, "app"):
            return Rule(room=DOOR.room, may_import=DOOR.may_import, closed=DOOR.closed, max_lines=DOOR_LINES)
        case ("functions", _, *_):
            return DOOR
        case ("layers", "dora", "dora", "core", *_):
            return CORE
        case ("layers", "dora", "dora", "flow", *_):
            return FLOW
        case ("layers", "dora", "dora", "edge", system, *_) if system in EDGE_LIBRARIES:
            own = ("dora.core", f"dora.edge.{system}", *EDGE_LIBRARIES[system])
            # Sockets live in real time, whatever the clock says that the bot decides by.
            closed = EDGE_CLOSED - {"time"} if system == "net" else EDGE_CLOSED
            return Rule(room=f"edge/{system}", may_import=own, closed=closed)
        case ("layers", "dora", "dora", name) if name in TOP_MODULES:
            return TOP
    return None


def _has_code(tree: ast.Module) -> bool:
    return not (not tree.body or (len(tree.body) == 1 and ast.get_docstring(tree) is not None))


def _imports(tree: ast.Module, path: Path, root: Path, rule: Rule) -> Iterator[tuple[int, str]]:
    for line, name in imported_names(tree, _package_of(path, root)):
        if not _allowed(name, rule):
            yield line, f"imports {name}"


def _package_of(path: Path, root: Path) -> tuple[str, ...]:
    bases = (root / "layers" / "dora", root / "functions" / "operator")
    base = next((own for own in bases if path.is_relative_to(own)), root)
    return path.relative_to(base).parent.parts


def imported_names(tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """All dotted names a module imports, relative ones resolved, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join((*above, *filter(None, [node.module])))
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def _allowed(name: str, rule: Rule) -> bool:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return top not in rule.closed
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in rule.may_import)


def _impurities(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_READS and _names_a_date(node.value):
            yield node.lineno, f"reads the clock ({ast.unparse(node)})"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILTIN_IO:
            yield node.lineno, f"calls {node.func.id}()"


def _names_a_date(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] in {"datetime", "date"}
