"""Recordings that lie beside the checkout: they are not part of the project, and CI must have them."""

import os
from pathlib import Path

import pytest

from tests.house.checkout import ROOT

DATA = ROOT.parent / "shared" / "data"


def recorded(name: str) -> Path:
    """The path of one of them. Without it the test is skipped, and in CI it fails."""
    path = DATA / name
    if path.exists():
        return path
    reason = f"needs {path}: recordings lie beside the checkout and are not part of it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
