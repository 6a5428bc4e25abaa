"""A decision in one line of the log: never longer than it may be, whatever there is to tell."""

import json
from dataclasses import dataclass
from uuid import uuid4

import pytest

from dora.core.exchange.market import Side, Slot
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.units import Count, TimeMs
from dora.flow.cycle.decision_facts import LINE_BYTES, decision_made
from dora.telemetry import Telemetry
from tests.support.examples import NOW, dollars, target
from tests.world.output import Catcher, printed_to

LONG_TICKER = "KXSOMELONGSERIES-26NOV29LONGNAMES-LONGSTRIKE9"
LEVELS = 10
LONGEST = max(Reason, key=len)


@dataclass
class Written:
    """A line as it is printed, and what it says."""

    text: str

    @property
    def fact(self) -> dict[str, object]:
        return dict(json.loads(self.text))


def written(decision: Decision) -> Written:
    """By the real log, of a stack with a long name, on Lambda."""
    catcher = Catcher()
    with printed_to(catcher.stream):
        stack = f"dora-{uuid4().hex}"[:18]
        telemetry = Telemetry(bot=stack, service=stack, log_level="INFO")
        telemetry.begin(function="cycle", request_id=str(uuid4()))
        cycle_id = "2026-11-29T16:50:00.000Z"
        telemetry.context(cycle_id=cycle_id, session_id="s20261129T164916Z-8ff74a")
        decision_made(telemetry, cycle_id, decision)
    return Written(catcher.take().rstrip("\n"))


def quoted(levels: int, ticker: str) -> Decision:
    targets = [target(side, "0.4512", "1234.56", ticker, n) for side in Side for n in range(levels)]
    cut = tuple((own.slot, LONGEST, Count(999_999)) for own in targets)
    return Decision(
        ticker=ticker,
        targets=tuple(targets),
        cut=cut,
        fair_value=0.451234567,
        fair_value_source="configured: stale, book",
        reservation_price=0.4498765432,
        reward_value=dollars("12.345678"),
        reward_cost=dollars("1.234567"),
    )


@pytest.mark.parametrize("ticker", ["KXRAIN-26NOV21-T1", LONG_TICKER])
@pytest.mark.parametrize("levels", [1, LEVELS])
def test_a_quoted_market_fits(ticker: str, levels: int) -> None:
    assert len(written(quoted(levels, ticker)).text.encode()) <= LINE_BYTES


@pytest.mark.parametrize("ticker", ["KXRAIN-26NOV21-T1", LONG_TICKER])
def test_a_market_that_is_not_quoted_fits_and_says_why_and_until_when(ticker: str) -> None:
    dropped = tuple((Slot(ticker, side, n), LONGEST) for side in Side for n in range(LEVELS))
    decision = Decision(ticker, skip=Reason.BLACKOUT, until_ms=TimeMs(NOW), dropped=dropped, fair_value=0.5)
    line = written(decision)

    assert len(line.text.encode()) <= LINE_BYTES
    assert (line.fact["market"], line.fact["skip_reason"]) == (ticker, "blackout")
    assert "until" in line.fact or ticker == LONG_TICKER


def test_an_ordinary_decision_is_told_whole() -> None:
    ticker = "KXRAIN-26NOV21-T1"
    decision = Decision(
        ticker,
        (target(Side.BID, "0.45", "10", ticker),),
        dropped=((Slot(ticker, Side.ASK), Reason.CASH),),
        fair_value=0.4767123,
        fair_value_source="book",
    )
    fact = written(decision).fact

    assert (fact["targets"], fact["clip_reasons"]) == ("bid 0.4500 10.00", "ask 0 cash")
    assert (fact["fair_value"], fact["fair_value_source"], fact["skip_reason"]) == (0.4767, "book", "")


def test_of_more_levels_than_fit_the_inner_ones_of_both_sides_are_told() -> None:
    ticker = "KXRAIN-26NOV21-T1"
    told = str(written(quoted(LEVELS, ticker)).fact["targets"]).split("; ")

    assert [own.split()[0] for own in told[:2]] == ["bid", "ask"]
    assert told[-1] == f"{2 * LEVELS - len(told) + 1} more"
