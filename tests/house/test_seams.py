"""Two seams of the core: only risk approves an order, and only quoting decodes what a strategy remembers."""

import ast

import pytest

from tests.house.checkout import ROOT

PRODUCT = ROOT / "layers/dora/dora"
APPROVES = "core/risk/caps.py"
DECODES = "core/quoting/"


def breaches(shown: str, source: str) -> list[str]:
    """What a product file does that only another may, by line."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="ApprovedOrder")) if shown != APPROVES:
                found.append(f"{shown}:{node.lineno}: approves an order")
            case ast.ImportFrom(module="dora.core.quoting.memory") if not shown.startswith(DECODES):
                found.append(f"{shown}:{node.lineno}: decodes the memory of a strategy")
    return found


def test_no_other_file_approves_orders_or_decodes_memory() -> None:
    sources = {p.relative_to(PRODUCT).as_posix(): p.read_text("utf-8") for p in PRODUCT.rglob("*.py")}
    assert "ApprovedOrder(" in sources[APPROVES]
    assert [line for shown, source in sources.items() for line in breaches(shown, source)] == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("ready = ApprovedOrder(target)", "approves an order"),
        ("from dora.core.quoting.memory import recall", "decodes the memory of a strategy"),
    ],
)
def test_a_planted_breach_is_found(source: str, what: str) -> None:
    assert breaches("flow/cycle/compute.py", source) == [f"flow/cycle/compute.py:1: {what}"]
