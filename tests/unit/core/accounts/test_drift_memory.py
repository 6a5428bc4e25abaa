"""Watched drift comes back from memory as it was, or not at all."""

import json

import pytest

from dora.core.accounts.drift import DriftWatch
from dora.core.accounts.drift_memory import from_memory, to_memory
from dora.core.units import Count, Money
from tests.support.examples import NOW, TICKER

WATCH = DriftWatch(
    ticker=TICKER,
    shard=0,
    ours=Count(0),
    theirs=Count(-300),
    cost=Money(5),
    fills=2,
    dated_ms=NOW,
    as_of_ms=NOW,
    since_ms=NOW,
    opening=True,
)


def test_what_is_watched_comes_back_as_it_was() -> None:
    stored = json.loads(json.dumps(to_memory({TICKER: WATCH})))
    assert from_memory(stored) == {TICKER: WATCH}


@pytest.mark.parametrize("plain", [
    None, "x", {}, {**WATCH._asdict(), "more": 1}, {**WATCH._asdict(), "opening": 1},
    {**WATCH._asdict(), "ours": "1"},
])  # fmt: skip
def test_what_is_not_understood_is_left_out(plain: object) -> None:
    assert from_memory({TICKER: plain, "other": WATCH._asdict()}) == {"other": WATCH}
