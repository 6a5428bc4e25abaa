"""How a quote came about: every step from the book to the slot, as the cycle itself decided it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dora.core.reasons import Reason
from dora.core.risk.gates import Permission
from dora.core.units import Money, format_count, format_price
from dora.flow.cycle.archive import decide_again
from dora_operator.explanation import Row, explanation
from tests.replay_cycle.__main__ import AGREES, main
from tests.replay_cycle.archived_cycle import Replay, replay
from tests.replay_cycle.kept_object import DEEP, FLAT, kept_object


def kept() -> Replay:
    return replay(kept_object().read_bytes())


def tables(done: Replay, ticker: str) -> Mapping[str, tuple[Row, ...]]:
    return {table.title.split(":")[0]: table.rows for table in explanation(done.seen, done.again, ticker)}


def test_each_slot_shows_what_was_wanted_what_risk_left_and_what_the_plan_does() -> None:
    done = kept()
    rows = {row[0]: row for row in tables(done, FLAT)["Slots"]}

    decision = next(own for own in done.again.decisions if own.ticker == FLAT)
    for target in decision.targets:
        row = rows[f"{target.slot.side} {target.slot.level}"]
        quote = f"{format_price(target.price)} x {format_count(target.count)}"
        assert row[1:4] == (quote, format_price(target.edge), "whole")
        assert row[5] == f"cancel (repriced); place {quote}"


def test_the_model_is_the_one_of_the_decision() -> None:
    done = kept()
    values = dict(tables(done, FLAT)["Fair value and model, in dollars"])

    decision = next(own for own in done.again.decisions if own.ticker == FLAT)
    assert values["fair value"] == f"{decision.fair_value:.9f}"
    assert values["reservation price"] == f"{decision.reservation_price:.9f}"
    assert values["half-spread"] == f"{decision.half_spread:.9f}"
    assert values["net position"] == "3.00"
    assert decision.bid_improvement is not None
    assert values["bid above the best of others, ticks"] == str(decision.bid_improvement)
    assert values["ask below the best of others, ticks"] == str(decision.ask_improvement)


def test_the_book_tells_our_own_orders_from_those_of_others() -> None:
    rows = tables(kept(), DEEP)["Book"]

    others = [(side, price) for side, price, _, weighs in rows if weighs != "not counted"]
    assert ("bid", "0.4600") in others
    assert any(weighs == "not counted" for *_, weighs in rows)


def test_memory_stands_as_it_was_before_and_after() -> None:
    rows = {name: (before, after) for name, before, after in tables(kept(), FLAT)["Memory"]}

    assert rows["watched_ms"] == ("120000", "180000")


def test_a_slot_that_risk_took_says_why() -> None:
    done = kept()
    snapshot = replace(done.seen.snapshot, cash=dict.fromkeys(range(3), Money(2_000_000)))
    poor = done.seen._replace(snapshot=snapshot)
    again = replace(done, seen=poor, again=decide_again(poor, done.record.asked))

    said = [row[3] for row in tables(again, FLAT)["Slots"]]
    assert any(why.startswith("cash") for why in said)


def test_a_bot_that_may_not_place_says_why() -> None:
    done = kept()
    halted = done.seen._replace(permission=Permission(Reason.HALTED))
    again = replace(done, seen=halted, again=decide_again(halted, done.record.asked))

    assert dict(tables(again, FLAT)["Verdict"])["bot may place"].startswith("no: halted. ")


def test_the_command_prints_every_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(kept_object()), "--explain", DEEP]) == AGREES

    said = capsys.readouterr().out
    for title in ("Verdict", "Book", "Fair value", "Memory", "Limits", "Slots"):
        assert title in said
