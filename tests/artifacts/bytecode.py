"""Bytecode that the runtime uses without a look at the source.

SAM dates every file 1980, so bytecode that is checked by date never counts: it must be of the runtime's own
Python and flagged as not to be checked. Then nothing but this test sees that it is of its source.
"""

import _imp
from collections.abc import Iterator
from pathlib import Path

MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
"""Of CPython 3.13."""
UNCHECKED_HASH = 1
HEADER_BYTES = 16


def compiled_file(source: Path) -> Path:
    """Where Python 3.13 looks for the bytecode of a module."""
    return source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"


def source_hash(source: bytes) -> bytes:
    """What Python 3.13 writes beside the flag."""
    return _imp.source_hash(int.from_bytes(MAGIC, "little"), source)


def bytecode_faults(tree: Path) -> Iterator[str]:
    """Modules whose bytecode is absent, of another Python, checked by date, or not of this source."""
    for source in sorted(tree.rglob("*.py")):
        if fault := _fault(source):
            yield f"{source.relative_to(tree)}: {fault}"


def _fault(source: Path) -> str | None:
    compiled = compiled_file(source)
    if not compiled.is_file():
        return "no bytecode of Python 3.13"
    header = compiled.read_bytes()[:HEADER_BYTES]
    if header[:4] != MAGIC:
        return "bytecode of another Python"
    if int.from_bytes(header[4:8], "little") != UNCHECKED_HASH:
        return "bytecode that is checked against its source"
    return None if header[8:] == source_hash(source.read_bytes()) else "bytecode of another source"
