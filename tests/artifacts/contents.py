"""What a layer and a function hold, file by file: all that belongs there, and nothing else."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

SIZE_LIMIT_BYTES = 90_000_000
"""All layers and functions unzipped. Lambda's own limit is 250 MB for one function with its layers."""

UNWANTED_FOLDERS = frozenset({"bin", "test", "tests"})
UNWANTED = re.compile(
    r"(_?pytest|moto|hypothesis|plotly|matplotlib|rich|mypy(_boto3)?\w*|types_\w+|\w+[-_]stubs"
    r"|aws_xray_sdk|awslambdaric|samcli|pip|setuptools|ruff|dora)([-.].*)?"
)
"""Tests, plotting, type stubs, the X-ray SDK, tools; and our own code, which has a layer of its own."""


def unwanted(site: Path) -> Iterator[str]:
    """Files of tests and command lines, and packages that no function needs."""
    for path in sorted(site.rglob("*")):
        inside = path.relative_to(site)
        if (path.is_dir() and path.name in UNWANTED_FOLDERS) or (
            len(inside.parts) == 1 and UNWANTED.fullmatch(path.name)
        ):
            yield str(inside)


def pins(lock: str) -> dict[str, str]:
    """Package -> version, as a lock file names them."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", lock, flags=re.MULTILINE))


def shipped(site: Path) -> dict[str, str]:
    """Package -> version, as the installed wheels say."""
    parts = (folder.name.removesuffix(".dist-info").split("-") for folder in site.glob("*.dist-info"))
    return {re.sub(r"[._-]+", "-", name).lower(): version for name, version in parts}


def lock_differences(site: Path, lock: str) -> Iterator[str]:
    """Packages that are not what the lock file pins."""
    wanted, found = pins(lock), shipped(site)
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield f"{name}: {found.get(name, 'absent')}, locked is {wanted.get(name, 'none')}"


def stowaways(site: Path) -> Iterator[str]:
    """Files that no installed wheel brought; bytecode aside, which is made here."""
    recorded = {row[0] for record in site.glob("*.dist-info/RECORD") for row in _rows(record)}
    yield from (name for name in _files(site) if name not in recorded)


def _rows(record: Path) -> list[list[str]]:
    return list(csv.reader(record.read_text(encoding="utf-8").splitlines()))


def _files(tree: Path) -> list[str]:
    """Relative names of all files, bytecode aside."""
    found = (path.relative_to(tree) for path in sorted(tree.rglob("*")) if path.is_file())
    return [path.as_posix() for path in found if path.parent.name != "__pycache__"]


def copy_differences(copy: Path, original: Path) -> Iterator[str]:
    """Files that are not, byte for byte, those of the checkout."""
    here, there = set(_files(copy)), set(_files(original))
    yield from (f"{name}: not in the checkout" for name in sorted(here - there))
    yield from (f"{name}: left out" for name in sorted(there - here))
    for name in sorted(here & there):
        if (copy / name).read_bytes() != (original / name).read_bytes():
            yield f"{name}: differs"


def size_bytes(*trees: Path) -> int:
    """All files below, unzipped."""
    return sum(path.stat().st_size for tree in trees for path in tree.rglob("*") if path.is_file())
