"""What each reason says, read from where the product defines it."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from dora.core import reasons


@cache
def meanings() -> Mapping[str, str]:
    """Every word of the two lists, and the sentence under it, in order."""
    tree = ast.parse(Path(reasons.__file__).read_text(encoding="utf-8"))
    kinds = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {word: said for kind in kinds for word, said in _members(kind)}


def _members(kind: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for member, after in zip(kind.body, [*kind.body[1:], None], strict=True):
        if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant):
            said = ast.literal_eval(after.value) if isinstance(after, ast.Expr) else ""
            yield str(member.value.value), " ".join(str(said).split())


def explained(words: Iterable[str]) -> list[str]:
    """A line for each of these words that is a reason, in the order of the lists."""
    wanted = set(words)
    return [f"{word}: {said}" for word, said in meanings().items() if word in wanted]
