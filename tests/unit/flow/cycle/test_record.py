"""The wide record of a cycle and the function's short answer."""

import json
from itertools import product
from typing import Any, cast

import pytest

from dora.core.accounts.cash_tie import CashBooks, CashOutcome, CashTie
from dora.core.accounts.ledger import Position
from dora.core.accounts.overdue import OverduePayout
from dora.core.accounts.shard_cash import ShardCash
from dora.core.exchange.market import MarketStatus, Side, Slot
from dora.core.health import Health
from dora.core.orders.journal import Journal
from dora.core.orders.requests import BatchCancelSummary, BatchPlaceSummary
from dora.core.orders.slot_plan import SlotPlan
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.risk.gates import PULLS_QUOTES
from dora.core.state import Cursors
from dora.core.units import Count, Money, TimeMs
from dora.flow.cycle.cash import CashLook
from dora.flow.cycle.execute import Execution
from dora.flow.cycle.inputs import Choice
from dora.flow.cycle.overdue import overdue_fields, tell_overdue
from dora.flow.cycle.persist import tell
from dora.flow.cycle.record import ANSWER, CycleResult, answer_of, pnl_by_market, status_of, wide_record
from dora.flow.shared.accounting import Accounts
from dora.telemetry import MAX_FIELDS
from tests.support.account_cases import ask, bid, booked
from tests.support.examples import NOW, TICKER, cents, target
from tests.support.execution_fakes import Desk
from tests.support.kalshi_fakes import FakeFacts

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
    Reason.RISK_GROUP_CAP,
    Reason.TOTAL_CAP,
    Reason.CASH,
    Reason.OPEN_ORDER_CAP,
    Reason.ORDER_SIZE,
    Reason.ORDER_COST,
    Reason.REDUCING,
)

PLAN = SlotPlan(kept=(), decreases=(), cancels=(), places=(), withheld=())


def execution(**changes: object) -> Execution:
    """One that has sent nothing but what a test says."""
    made: Any = Desk().execution
    for name, value in changes.items():
        assert hasattr(made, name)
        setattr(made, name, value)
    return cast(Execution, made)


WELL = Health(
    write_tokens=0,
    stopped_by="",
    orders_unresolved=0,
    writes_failed_percent=0,
    quotes_missing=False,
    day_profit=Money(0),
    loss_limit_percent=None,
    worst_loss_cap=Money(0),
)
QUIET = CycleResult(
    cycle_id="2026-11-20T14:00:00.000Z",
    took_ms=1_234,
    blocked_by=None,
    problems=0,
    failures={},
    choice=Choice(plan=PLAN),
    execution=execution(),
    accounts=Accounts(positions={}, books={}, journal=Journal(), cursors=Cursors(), drift=(), booked=0),
    cash=CashLook(tie=CashTie(outcome=CashOutcome.UNKNOWN, books=CashBooks()), shards=()),
    marks={},
    quality={},
    calls={},
    health=WELL,
)


LATE, DRY = execution(stopped=Reason.DEADLINE), execution(stopped=Reason.DRY_RUN)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, "completed", ""),
        ({"blocked_by": Reason.HALTED}, "halted", "halted"),
        ({"blocked_by": Reason.READ_UNKNOWN}, "degraded", "read_unknown"),
        ({"blocked_by": Reason.AUTH_REFUSED, "execution": LATE}, "degraded", "auth_refused"),
        ({"execution": LATE, "failures": {"books": "x"}}, "degraded", "deadline"),
        ({"failures": {"books": "x"}, "problems": 1}, "degraded", "read_unknown"),
        ({"problems": 1}, "degraded", "config_invalid"),
        ({"execution": execution(dropped=(None,) * 3)}, "completed", ""),
        ({"execution": DRY}, "completed", "dry_run"),
        ({"execution": DRY, "blocked_by": Reason.HALTED}, "halted", "halted"),
    ],
)
def test_a_cycle_is_completed_only_when_nothing_went_wrong(
    changes: dict[str, object], status: str, reason: str
) -> None:
    assert status_of(QUIET._replace(**changes)) == (status, reason)


@pytest.mark.parametrize("trouble", [{"failures": {"books": "x"}}, {"problems": 1}])
def test_a_dry_run_with_trouble_is_degraded_like_any_other(trouble: dict[str, object]) -> None:
    assert status_of(QUIET._replace(execution=DRY, **trouble))[0] == "degraded"


@pytest.mark.parametrize("reason", sorted(PULLS_QUOTES))
def test_a_switch_that_pulls_our_quotes_halts_the_cycle(reason: Reason) -> None:
    assert status_of(QUIET._replace(blocked_by=reason)) == ("halted", reason)


def test_the_answer_holds_what_callers_rely_on() -> None:
    answer = answer_of(wide_record(QUIET))
    assert set(answer) == {*ANSWER}
    assert json.loads(json.dumps(answer)) == answer


def test_totals_add_up_cancels_and_places() -> None:
    written = execution(
        decreased=1,
        dropped=(None,) * 2,
        cancels=BatchCancelSummary(9, 4, 3, 2, batches=1),
        places=BatchPlaceSummary(60, 40, 15, 5, batches=3),
    )
    plan = PLAN._replace(kept=cast(Any, (None,) * 5))
    record = wide_record(QUIET._replace(choice=Choice(plan=plan), execution=written))
    counted = ("cancelled", "placed", "failed", "unknown", "kept", "decreased", "dropped")
    assert [record[name] for name in counted] == [4, 40, 18, 7, 5, 1, 2]
    assert (record["cancel_batches"], record["place_batches"], record["duration_ms"]) == (1, 3, 1_234)


def test_requests_are_counted_as_reads_and_writes() -> None:
    calls = {"GET /markets": 3, "GET /portfolio/orders": 2, "POST /orders": 4, "DELETE /orders": 1}
    record = wide_record(QUIET._replace(calls=calls))
    assert (record["read_calls"], record["write_calls"]) == (5, 5)


def test_money_and_contracts_are_exact_text() -> None:
    own = Position(
        ticker=TICKER,
        shard=0,
        net=Count(-1),
        traded=Count(123_456),
        cash=Money(12_355_677),
        fees=Money(12_345_678),
    )
    accounts = QUIET.accounts._replace(positions={TICKER: own})
    record = wide_record(QUIET._replace(accounts=accounts))
    assert (record["contracts_net"], record["positions_unmarked"]) == ("0.01", 1)
    assert record["contracts_traded"] == "1234.56"
    assert record["pnl_dollars"] == "-0.000001"
    assert record["fees_dollars"] == "12.345678"


def test_cash_is_told_by_shard_and_not_as_zero_where_it_was_not_read() -> None:
    unread = wide_record(QUIET)
    assert (unread["cash_tie"], unread["cash_by_shard"]) == ("unknown", None)
    shards = tuple(
        ShardCash(shard=shard, held=Money(held), reserved=Money(30), needed=Money(7), kept=Money(20))
        for shard, held in ((0, 1_000_000), (2, 40))
    )
    record = wide_record(QUIET._replace(cash=QUIET.cash._replace(shards=shards)))
    assert record["cash_by_shard"] == (
        "0 held 1.000000 reserved 0.000030 needed 0.000007 spendable 0.999950; "
        "2 held 0.000040 reserved 0.000030 needed 0.000007 spendable 0.000000"
    )


def test_late_payouts_are_named_those_that_tie_up_most_and_told_once_an_hour() -> None:
    status = MarketStatus.DETERMINED
    late = [OverduePayout(f"M{n}", status, NOW, Count(100), Money(9_000_000 - n)) for n in range(7)]
    record = overdue_fields(late)
    assert (record["overdue_payouts"], record["overdue_dollars"]) == (7, "62.999979")
    assert str(record["overdue_markets"]).startswith("M0 9.000000; M1 8.999999; ")
    assert str(record["overdue_markets"]).count("M") == 5

    facts = FakeFacts()
    for minute in range(121):
        tell_overdue(facts, late[:1], TimeMs(NOW + (minute - 1) * 60_000), TimeMs(NOW + minute * 60_000))
    assert [fact["tied_up_dollars"] for fact in facts.of("PAYOUT_OVERDUE")] == ["9.000000"] * 3


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
    plan = PLAN._replace(withheld=((wanted.slot, Reason.SLOT_UNRESOLVED),))
    unconfirmed = execution(withheld=2)
    record = wide_record(QUIET._replace(choice=Choice(plan=plan, decisions=decisions), execution=unconfirmed))
    assert record["slots_cancel_unconfirmed"] == 2
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
    plan = PLAN._replace(withheld=tuple((slot, why) for why in OF_MARKETS_AND_SLOTS) * 70)
    choice = Choice(plan=plan, decisions=decisions)
    failures = dict.fromkeys(READS, "ExchangeUnavailable")
    record = wide_record(QUIET._replace(choice=choice, failures=failures))
    assert record["markets"] == len(decisions)
    assert not any(isinstance(value, dict | list | tuple) for value in record.values())
    assert len(record) <= MAX_FIELDS


def test_profit_by_market_is_told_of_what_is_open_or_was_traded_today() -> None:
    """Of an open market that nobody can price what is known of it all the same."""
    held = booked([bid("0.40", "10", "0.01"), ask("0.50", "4", "0.01", after_ms=1)])
    flat = booked([bid("0.40", "1"), ask("0.50", "1", after_ms=1)])._replace(ticker="flat")
    accounts = Accounts(
        positions={},
        books={TICKER: held, "dark": held._replace(ticker="dark"), "flat": flat},
        journal=Journal(),
        cursors=Cursors(),
    )
    marks = {TICKER: cents("0.45")}

    told = pnl_by_market(accounts, marks, TimeMs(NOW + 1))
    assert told[TICKER] == {
        "net": "6.00",
        "average_cost_dollars": "0.400000",
        "realised_dollars": "0.400000",
        "unrealised_dollars": "0.300000",
        "fees_dollars": "0.020000",
        "pnl_dollars": "0.680000",
    }
    assert (told["dark"]["realised_dollars"], told["dark"]["pnl_dollars"]) == ("0.400000", None)
    assert told["flat"]["pnl_dollars"] == "0.100000"
    assert pnl_by_market(accounts, marks, TimeMs(NOW + 2)).keys() == {TICKER, "dark"}


@pytest.mark.parametrize(("spent", "told"), [(79, []), (80, [(80, 0)]), (100, [(100, 0)])])
def test_write_tokens_that_are_nearly_used_up_are_told_though_all_orders_fitted(
    spent: int, told: list[tuple[int, int]]
) -> None:
    facts, near = FakeFacts(), QUIET._replace(affordable=100, health=WELL._replace(write_tokens=spent))
    tell(facts, near, wide_record(near))

    assert [(own["used_percent"], own["dropped"]) for own in facts.of("BUDGET_LOW")] == told


@pytest.mark.parametrize(("spent", "told"), [(79, []), (80, [(0, 80)]), (100, [(0, 100)])])
def test_a_read_bucket_that_is_nearly_empty_is_told_though_no_write_waited(
    spent: int, told: list[tuple[int, int]]
) -> None:
    facts, near = FakeFacts(), QUIET._replace(reads_percent=spent)
    tell(facts, near, wide_record(near))

    assert [(own["dropped"], own["read_used_percent"]) for own in facts.of("BUDGET_LOW")] == told


def test_both_buckets_are_told_in_one_line() -> None:
    facts = FakeFacts()
    near = QUIET._replace(affordable=100, health=WELL._replace(write_tokens=90), reads_percent=95)
    tell(facts, near, wide_record(near))

    (line,) = facts.of("BUDGET_LOW")
    assert (line["used_percent"], line["read_used_percent"]) == (90, 95)
