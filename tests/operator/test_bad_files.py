"""Whatever stands where a file should: one sentence, nothing said twice, and what to do."""

import re
from pathlib import Path

import pytest

from dora_operator.failures import Exit
from tests.operator.driver import Driver
from tests.operator.samples import private_key

READERS = (
    "secret put --key-id key-of-the-bot --yes --pem",
    "stop --direct --key-id key-of-the-bot --yes --pem",
    "config validate",
    "config apply",
)
WRITERS = ("init --out", "report --out", "suggest --least-spread 0.01 --out")
_DOUBLED = re.compile(r"\b(\w{4,}):? \1\b")


def _places(folder: Path) -> dict[str, str]:
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    (folder / "binary").write_bytes(b"\x80\xff" * 40)
    (folder / "text").write_text("hello\n", encoding="utf-8")
    below = str(folder / "text" / "x")
    named = {name: str(folder / name) for name in ("missing", "folder", "empty", "binary", "text")}
    return named | {"below a file": below, "long": str(folder / ("x" * 300))}


@pytest.mark.parametrize("line", READERS)
def test_what_cannot_be_read_is_named_once(dora: Driver, tmp_path: Path, line: str) -> None:
    for kind, place in _places(tmp_path).items():
        result = dora.run(*line.split(), place)

        assert result.exit_code == Exit.USAGE, (kind, result.output)
        assert result.output.count(place) <= 1, (kind, result.output)
        assert "Errno" not in result.output, (kind, result.output)
        assert "codec" not in result.output, (kind, result.output)
        assert not _DOUBLED.search(result.output), (kind, result.output)


@pytest.mark.parametrize("line", WRITERS)
def test_where_no_file_can_be_written_that_is_said_before_anything_is_asked(
    dora: Driver, tmp_path: Path, line: str
) -> None:
    places = _places(tmp_path)
    for kind in ("folder", "text", "below a file", "long"):
        result = dora.run(*line.split(), places[kind])

        assert result.exit_code == Exit.USAGE, (kind, result.output)
        assert result.output.startswith("Error: "), (kind, result.output)
        assert result.output.count(places[kind]) <= 1, (kind, result.output)
        assert "--out" in result.output, (kind, result.output)
        assert "Errno" not in result.output, (kind, result.output)


def test_a_key_that_the_exchange_refuses_says_so_once(dora: Driver, tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text(private_key(), encoding="utf-8")
    result = dora.run("secret", "put", "--key-id", "another", "--pem", str(pem), "--yes")

    assert result.exit_code == Exit.NEGATIVE
    assert "refuses this key: 401 authentication_error: NOT_FOUND" in result.output
