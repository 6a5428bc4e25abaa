"""Fixtures of the contract room. Its tests need foreign programs: `make contract` installs them."""

import json
from pathlib import Path

import pytest

from tests.contract.document import Document, load, strict


@pytest.fixture(scope="session")
def document() -> Document:
    """The exchange's document, strict."""
    return strict(load())


@pytest.fixture(scope="session")
def document_file(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file, for Prism."""
    file = tmp_path_factory.mktemp("contract") / "openapi.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
