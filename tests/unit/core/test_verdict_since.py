"""A market that is not quoted says since when, for as long as its reason stays the same."""

from typing import Any

from dora.core.exchange.market import Side, Slot
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.units import TimeMs
from dora.core.verdict import with_since
from tests.support.examples import NOW, TICKER, target

LATER = TimeMs(NOW + 60_000)
SKIPPED = Decision(TICKER, skip=Reason.TOO_FAST)
QUOTED = Decision(TICKER, targets=(target(Side.BID, "0.44", "10"),))
CUT_OFF = Decision(TICKER, dropped=((Slot(TICKER, Side.BID), Reason.CASH),))


def since(
    before: dict[str, Any], decision: Decision, now_ms: TimeMs = LATER
) -> tuple[dict[str, Any], int | None]:
    memory, (told,) = with_since((decision,), before, now_ms)
    return memory, told.since_ms


def test_the_time_is_kept_while_the_reason_stays_and_begins_anew_with_another() -> None:
    first, at_ms = since({}, SKIPPED, NOW)
    assert at_ms == NOW
    assert since(first, SKIPPED) == (first, NOW)
    assert since(first, CUT_OFF) == ({TICKER: ["cash", LATER]}, LATER)
    assert since(first, QUOTED) == ({}, None)


def test_memory_that_is_not_understood_begins_anew() -> None:
    for stored in (None, "too_fast", [], ["too_fast"], ["too_fast", "now"]):
        assert since({TICKER: stored}, SKIPPED)[1] == LATER
