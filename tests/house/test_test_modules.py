"""A test module is nobody's library: what several of them use stands in `tests/support` or beside them."""

import ast
from pathlib import Path

import pytest

from tests.house.checkout import ROOT


def imported_tests(source: str) -> list[str]:
    """The test modules that a file imports."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [name for name in found if any(part.startswith("test_") for part in name.split(".")[:-1])] + [
        name for name in found if name.startswith("tests.") and name.rsplit(".", 1)[1].startswith("test_")
    ]


def test_no_file_imports_a_test_module() -> None:
    files = [p for p in Path(ROOT, "tests").rglob("*.py") if "node_modules" not in p.parts]
    assert {p.name for p in files if imported_tests(p.read_text("utf-8"))} == set()


@pytest.mark.parametrize(
    "source",
    [
        "from tests.unit.core.test_config import GLOBAL",
        "from tests.unit.core import test_config",
        "import tests.unit.core.test_config",
    ],
)
def test_a_planted_import_is_found(source: str) -> None:
    assert imported_tests(source)
