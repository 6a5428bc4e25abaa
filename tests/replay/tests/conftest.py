"""Fixtures of the tests of the replay."""

import pytest

from dora.core.quoting import registry
from tests.replay.tests.scripted import Scripted, bids


@pytest.fixture
def bids_at_40_cents(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy `scripted` that wants a bid at 40 c in every market."""
    scripted = Scripted()
    scripted.answer = bids(40)
    monkeypatch.setitem(registry.STRATEGIES, "scripted", scripted)
