"""The table of reasons in layers/README.md, made of the enums."""

import ast
from collections.abc import Iterator

from tests.house.checkout import ROOT

SOURCE = ROOT / "layers/dora/dora/core/reasons.py"


def meanings() -> dict[str, str]:
    """Every word of the enums and what stands under it, in order."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    kinds = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {word: said for kind in kinds for word, said in _members(kind)}


def _members(kind: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for member, after in zip(kind.body, [*kind.body[1:], None], strict=True):
        if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant):
            said = after.value.value if isinstance(after, ast.Expr) else ""
            yield str(member.value.value), " ".join(str(said).split())


def table() -> str:
    """As it is to stand in the README."""
    rows = [f"| `{word}` | {said} |" for word, said in meanings().items()]
    return "\n".join(["| reason | it says |", "|---|---|", *rows])
