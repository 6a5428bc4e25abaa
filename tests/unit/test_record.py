"""The wide record of a cycle and the function's short answer."""

import json
from dataclasses import replace
from itertools import product

import pytest

from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import BatchCancelSummary, BatchPlaceSummary
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.record import ANSWER, CycleFacts, answer_of, status_of, wide_record
from dora.core.risk.gates import PULLS_QUOTES
from dora.core.units import Count, Money, TimeMs
from dora.telemetry import MAX_FIELDS
from tests.unit.examples import NOW, target

READS = (
    "as_of",
    "resting",
    "fills",
    "settlements",
    "positions",
    "cash",
    "groups",
    "status",
    "books",
    "markets",
)

OF_MARKETS_AND_SLOTS = (Reason.GROUP_TRIPPED, *[*Reason][[*Reason].index(Reason.MARKET_DISABLED) :])
CAPS = (
    Reason.SESSION_CAP,
    Reason.POSITION_CAP,
    Reason.EVENT_CAP,
    Reason.TOTAL_CAP,
    Reason.CASH,
    Reason.OPEN_ORDER_CAP,
)

QUIET = CycleFacts(
    cycle_id="2026-11-20T14:00:00.000Z",
    began_ms=NOW,
    ended_ms=TimeMs(NOW + 1_234),
    blocked_by=None,
    stopped=None,
    failures={},
    problems=0,
    decisions=(),
    withheld=(),
    kept=0,
    decreased=0,
    dropped=0,
    cancels=BatchCancelSummary(),
    places=BatchPlaceSummary(),
    fills=0,
    drift=0,
    net=Count(0),
    traded=Count(0),
    profit=Money(0),
    unmarked=0,
    fees=Money(0),
    calls={},
)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, "completed", ""),
        ({"blocked_by": Reason.HALTED}, "halted", "halted"),
        ({"blocked_by": Reason.READ_UNKNOWN}, "degraded", "read_unknown"),
        ({"blocked_by": Reason.AUTH_REFUSED, "stopped": Reason.DEADLINE}, "degraded", "auth_refused"),
        ({"stopped": Reason.DEADLINE, "failures": {"books": "x"}}, "degraded", "deadline"),
        ({"failures": {"books": "x"}, "problems": 1}, "degraded", "read_unknown"),
        ({"problems": 1}, "degraded", "config_invalid"),
        ({"dropped": 3}, "completed", ""),
        ({"stopped": Reason.DRY_RUN}, "completed", "dry_run"),
        ({"stopped": Reason.DRY_RUN, "blocked_by": Reason.HALTED}, "halted", "halted"),
    ],
)
def test_a_cycle_is_completed_only_when_nothing_went_wrong(
    changes: dict[str, object], status: str, reason: str
) -> None:
    assert status_of(replace(QUIET, **changes)) == (status, reason)


@pytest.mark.parametrize("trouble", [{"failures": {"books": "x"}}, {"problems": 1}])
def test_a_dry_run_with_trouble_is_degraded_like_any_other(trouble: dict[str, object]) -> None:
    assert status_of(replace(QUIET, stopped=Reason.DRY_RUN, **trouble))[0] == "degraded"


@pytest.mark.parametrize("reason", sorted(PULLS_QUOTES))
def test_a_switch_that_pulls_our_quotes_halts_the_cycle(reason: Reason) -> None:
    assert status_of(replace(QUIET, blocked_by=reason)) == ("halted", reason)


def test_the_answer_holds_what_callers_rely_on() -> None:
    answer = answer_of(wide_record(QUIET))
    assert set(answer) == {*ANSWER, "drift"}
    assert json.loads(json.dumps(answer)) == answer


def test_totals_add_up_cancels_and_places() -> None:
    record = wide_record(
        replace(
            QUIET,
            kept=5,
            decreased=1,
            dropped=2,
            cancels=BatchCancelSummary(9, 4, 3, 2, batches=1),
            places=BatchPlaceSummary(60, 40, 15, 5, batches=3),
        )
    )
    counted = ("cancelled", "placed", "failed", "unknown", "kept", "decreased", "dropped")
    assert [record[name] for name in counted] == [4, 40, 18, 7, 5, 1, 2]
    assert (record["cancel_batches"], record["place_batches"], record["duration_ms"]) == (1, 3, 1_234)


def test_requests_are_counted_as_reads_and_writes() -> None:
    calls = {"GET /markets": 3, "GET /portfolio/orders": 2, "POST /orders": 4, "DELETE /orders": 1}
    record = wide_record(replace(QUIET, calls=calls))
    assert (record["read_calls"], record["write_calls"]) == (5, 5)


def test_money_and_contracts_are_exact_text() -> None:
    changes = {"net": Count(-1), "traded": Count(123_456), "profit": Money(-1), "fees": Money(12_345_678)}
    record = wide_record(replace(QUIET, **changes))
    assert record["contracts_net"] == "-0.01"
    assert record["contracts_traded"] == "1234.56"
    assert record["pnl_dollars"] == "-0.000001"
    assert record["fees_dollars"] == "12.345678"


def test_reasons_are_counted_by_market_and_by_slot() -> None:
    refused = tuple((Slot("A", Side.ASK, level), Reason.CASH) for level in (1, 2))
    dropped = ((Slot("A", Side.ASK), Reason.NO_EDGE), *refused)
    wanted = target(Side.BID, "0.44", "1")
    cut = ((wanted.slot, Reason.EVENT_CAP, Count(1_000)),)
    decisions = (
        Decision(ticker="A", targets=(wanted,), dropped=dropped, cut=cut),
        Decision(ticker="B", skip=Reason.NEAR_CLOSE),
        Decision(ticker="C", skip=Reason.NEAR_CLOSE),
    )
    record = wide_record(replace(QUIET, decisions=decisions, withheld=[Reason.SLOT_UNRESOLVED]))
    assert (record["markets"], record["markets_quoted"], record["target_count"]) == (3, 1, 1)
    assert record["skipped_near_close"] == 2
    assert (record["slots_cash"], record["slots_no_edge"], record["slots_slot_unresolved"]) == (2, 1, 1)
    assert (record["cut_event_cap"], "slots_event_cap" in record) == (1, False)


def test_the_record_is_flat_and_its_size_does_not_grow_with_the_markets() -> None:
    slot = Slot("A", Side.BID)
    decisions = tuple(
        Decision(ticker=f"M{n}", skip=why, cut=((slot, cap, Count(1)),))
        for n, (why, cap) in enumerate(product(OF_MARKETS_AND_SLOTS, CAPS))
    )
    facts = replace(
        QUIET,
        decisions=decisions,
        withheld=[*OF_MARKETS_AND_SLOTS] * 70,
        failures=dict.fromkeys(READS, "ExchangeUnavailable"),
    )
    record = wide_record(facts)
    assert record["markets"] == len(decisions)
    assert not any(isinstance(value, dict | list | tuple) for value in record.values())
    assert len(record) <= MAX_FIELDS
