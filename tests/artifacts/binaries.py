"""What runs on a processor: the architecture and the C library that compiled files and wheels ask for."""

import re
from collections.abc import Iterator
from pathlib import Path

ELF = b"\x7fELF"
ELF_64_BIT = 2
MACHINES = {62: "x86_64", 183: "arm64"}
"""`e_machine` of the ELF header, by Lambda's name."""
WHEEL_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
RUNTIME_GLIBC = 34
"""Minor of the C library (2.34) of Amazon Linux 2023, on which python3.13 runs."""
LEGACY_TAGS = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
_PYTHONS = re.compile(r"(cp313-cp313|cp3\d+-abi3|(py2\.)?py3-none|py2-none)-(.+)")


def elf_files(tree: Path) -> list[Path]:
    """Every compiled file below, whatever it is called."""
    return [path for path in sorted(tree.rglob("*")) if path.is_file() and _starts_as_elf(path)]


def _starts_as_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(ELF)) == ELF


def foreign_binaries(tree: Path, architecture: str) -> Iterator[str]:
    """Compiled files for another processor."""
    for path in elf_files(tree):
        header = path.read_bytes()[:20]
        machine = MACHINES.get(int.from_bytes(header[18:20], "little"), "unknown")
        if header[4] != ELF_64_BIT or machine != architecture:
            yield f"{path.name} is for {machine}, not {architecture}"


def demanding_binaries(tree: Path) -> Iterator[str]:
    """Compiled files that ask for a newer C library than the runtime has."""
    for path in elf_files(tree):
        asked = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", path.read_bytes())]
        if max(asked, default=0) > RUNTIME_GLIBC:
            yield f"{path.name} asks for GLIBC_2.{max(asked)}"


def misfit_wheels(tree: Path, architecture: str) -> Iterator[str]:
    """Wheels none of whose tags fits the runtime: Python 3.13, this processor, its C library."""
    for path in sorted(tree.rglob("*.dist-info/WHEEL")):
        tags = re.findall(r"^Tag: (\S+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if not any(_fits(tag, architecture) for tag in tags):
            yield f"{path.parent.name} is tagged {', '.join(tags) or 'not at all'}"


def _fits(tag: str, architecture: str) -> bool:
    parts = _PYTHONS.fullmatch(tag)
    return parts is not None and any(_platform_fits(name, architecture) for name in parts[3].split("."))


def _platform_fits(name: str, architecture: str) -> bool:
    if name == "any":
        return True
    parts = re.fullmatch(r"(?:manylinux_2_(\d+)|(manylinux(?:1|2010|2014)))_(\w+)", name)
    if parts is None or WHEEL_MACHINES.get(parts[3]) != architecture:
        return False
    return int(parts[1] or LEGACY_TAGS[parts[2]]) <= RUNTIME_GLIBC
