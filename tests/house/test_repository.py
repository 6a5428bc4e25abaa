"""The shape of the checkout: what may stand at the top, what no file may say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.checkout import ROOT, files, python_files

TOP_LEVEL = {
    "template.yaml",
    "README.md",
    "samconfig.toml",
    "functions",
    "layers",
    "tests",
    "events",
    "Makefile",
    "pyproject.toml",
    ".ci",
    ".gitignore",
    "LICENSE",
}
TEXT = {"", ".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".mjs", ".js", ".html"}

# Spelled in two halves, or this file would be the first to break its own rule.
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
FOREIGN_PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/")
REGISTRIES = ("pypi" + ".org", "python" + "hosted", "npmjs" + ".")
# Whole words: the hashes of lock files hold any three letters.
FORBIDDEN = re.compile(
    "|".join([*(rf"\b{word}\b" for word in UNFINISHED), *map(re.escape, (*FOREIGN_PATHS, *REGISTRIES))])
)


def test_the_top_level_holds_the_project_and_its_tools_and_nothing_else() -> None:
    found = {path.parts[0] for path in files()}

    strangers = {name for name in found - TOP_LEVEL if not re.fullmatch(r"requirements[a-z-]*\.txt", name)}

    assert strangers == set()


def forbidden_words(text: str) -> list[str]:
    """What a finished, self-contained product does not say."""
    return FORBIDDEN.findall(text)


def test_no_file_is_unfinished_or_names_a_place_outside_the_project() -> None:
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in files() if path.suffix in TEXT}

    assert {str(path): words for path, text in texts.items() if (words := forbidden_words(text))} == {}


@pytest.mark.parametrize("word", [*UNFINISHED, *FOREIGN_PATHS, *REGISTRIES])
def test_a_forbidden_word_is_seen(word: str) -> None:
    assert forbidden_words(f"see {word} here") == [word]


def test_no_private_key_is_committed() -> None:
    marker = "PRIVATE KEY" + "-----\n"

    assert [
        path for path in files() if marker in (ROOT / path).read_text(encoding="utf-8", errors="replace")
    ] == []


def test_no_file_or_class_has_a_name_that_says_nothing() -> None:
    vague = {"utils", "helpers", "common", "misc"}

    assert [path for path in files() if vague & {*path.parts, path.stem}] == []
    assert [f"{path}: {name}" for path, name in _classes() if name.endswith("Manager")] == []


def _classes() -> Iterator[tuple[Path, str]]:
    """By their first lines: nothing is parsed for a name."""
    for path in python_files():
        text = (ROOT / path).read_text(encoding="utf-8")
        yield from ((path, name) for name in re.findall(r"^\s*class (\w+)", text, flags=re.MULTILINE))


def test_no_package_has_code_in_its_init() -> None:
    inits = [path for path in python_files() if path.name == "__init__.py"]

    with_code = [path for path in inits if _statements(ROOT / path)]

    assert with_code == []


def _statements(path: Path) -> list[ast.stmt]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
