"""The table of reasons in layers/README.md, made of the enums: `python -m tests.house.reason_table`."""

import ast
from collections.abc import Iterator

from tests.house.checkout import ROOT

SOURCE = ROOT / "layers/dora/dora/core/reasons.py"
README = ROOT / "layers/README.md"
BEGIN, END = "<!-- reasons -->", "<!-- end of reasons -->"


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


def written() -> str:
    """As it stands there."""
    _, _, after = README.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    return after.partition(f"\n{END}")[0]


def write() -> None:
    """Put today's table into the README."""
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(f"{BEGIN}\n{written()}", f"{BEGIN}\n{table()}", 1), encoding="utf-8")


if __name__ == "__main__":
    write()
