"""The status: one answer that says how things stand and why nothing is quoted."""

from typing import Any

import boto3
import pytest

from dora.core.reasons import Reason
from tests.battery.scene import fill
from tests.support.small_world import (
    TICKERS,
    Scripted,
    Seen,
    resting,
    set_book,
    setup,
    small_aws_world,
    small_world,
)
from tests.world import config_items
from tests.world.setup import CONFIG_TABLE, STATE_TABLE

A, B, C = TICKERS
MINUTE_MS = 60_000
QUIET = {**config_items.GLOBAL, "cancel_on_halt": False}


def why(seen: Seen) -> list[str]:
    reasons: list[str] = seen.world.status()["why_not_quoting"]
    return reasons


def trading(seen: Seen) -> None:
    seen.world.start()
    seen.world.cycle()


# --- why nothing is quoted ------------------------------------------------------------------------------


def test_a_bot_that_may_trade_has_no_reason_not_to() -> None:
    with small_world() as seen:
        trading(seen)
        assert why(seen) == []


def test_every_reason_that_holds_is_named_the_most_restrictive_first() -> None:
    with small_aws_world() as seen:
        seen.world.session("session_halt")
        seen.world.put_global({**config_items.GLOBAL, "trading_enabled": False})
        assert why(seen) == ["halted", "trading_disabled", "no_session"]
        boto3.client("dynamodb").delete_item(
            TableName=CONFIG_TABLE, Key={"pk": {"S": "dora"}, "sk": {"S": "GLOBAL"}}
        )
        assert why(seen)[0] == "config_missing"


def test_what_only_the_exchange_knows_is_said_as_the_last_cycle_found_it() -> None:
    with small_world() as seen:
        trading(seen)
        seen.world.exchange.faults = Scripted({"GET /portfolio/balance": "answer"})
        seen.world.cycle()
        blind = why(seen)
        seen.world.exchange.faults = Scripted({})
        seen.world.cycle()

        assert blind == ["read_unknown"]
        assert why(seen) == []


def test_an_active_session_without_cycles_is_called_silent() -> None:
    with small_world() as seen:
        trading(seen)
        seen.world.clock.advance_ms(3 * MINUTE_MS)
        status = seen.world.status()

        assert status["why_not_quoting"] == ["silent"]
        assert status["last_cycle_seconds_ago"] == 180


def test_a_dry_run_says_that_it_is_one_and_is_not_called_degraded() -> None:
    with small_world(setup(dry_run=True)) as seen:
        trading(seen)
        status = seen.world.status()

        assert status["why_not_quoting"] == ["dry_run"]
        assert "degraded" not in status


def test_markets_that_are_left_out_are_counted_by_reason() -> None:
    with small_world() as seen:
        trading(seen)
        seen.world.put_market(A, {**config_items.MARKET, "enabled": False})
        seen.world.exchange.set_background_book(B, [], [])
        seen.world.exchange.pause_trading(2)
        seen.world.cycle()
        status = seen.world.status()

        assert status["markets_not_quoted"] == {"market_disabled": 1, "book_one_sided": 1, "shard_closed": 1}
        assert status["markets_quoted"] == 0


def test_slots_that_a_cap_leaves_empty_are_counted_by_reason() -> None:
    with small_world(setup(globals={**config_items.GLOBAL, "session_contract_limit": 20})) as seen:
        trading(seen)
        status = seen.world.status()

        assert status["slots_not_quoted"] == {Reason.SESSION_CAP: 4}
        assert (status["resting_contracts"], status["contracts_free"]) == ("20.00", "0.00")


# --- what there is ----------------------------------------------------------------------------------------


def test_groups_orders_positions_and_profit_stand_in_one_answer() -> None:
    with small_world() as seen:
        trading(seen)
        fill(seen.world, A, "bid", 300)
        set_book(seen.world, A)
        seen.world.cycle()
        status = seen.world.status()

        assert [(g["shard"], g["tag"], g["burst_limit"], g["tripped"]) for g in status["groups"]] == [
            (shard, "maker", "2000.00", False) for shard in range(3)
        ]
        assert status["open_orders"] == len([o for orders in resting(seen.world).values() for o in orders])
        assert status["unproven_orders"] == 0
        assert status["positions"] == {A: "3.00"}
        assert (status["contracts_matched"], status["last_cycle_status"]) == ("3.00", "completed")
        assert status["cash_flow_dollars"].startswith("-1.")
        assert status["pnl_dollars"] == seen.facts("CYCLE")[-1]["pnl_dollars"]


def test_an_order_without_an_answer_rests_as_far_as_the_status_knows() -> None:
    with small_world() as seen:
        seen.world.start()
        seen.world.exchange.faults = Scripted({"POST /portfolio/events/orders/batched": "answer"})
        seen.world.cycle()
        status = seen.world.status()

        assert (status["open_orders"], status["unproven_orders"]) == (6, 6)
        assert status["resting_contracts"] == "60.00"


def test_tokens_are_those_that_each_bucket_holds_now() -> None:
    with small_world() as seen:
        trading(seen)
        used = seen.world.status()["tokens"]
        seen.world.clock.advance_ms(10_000)
        idle = seen.world.status()["tokens"]

        assert list(used) == ["read", "balance", "write", "write#1", "write#2"]
        assert used["read"] < idle["read"] == used["write#1"] == 600


def test_a_bucket_that_cannot_be_read_hides_nothing_else() -> None:
    with small_aws_world() as seen:
        trading(seen)
        for key in _buckets():
            newer = {**key, "v": {"N": "99"}, "tat_us": {"N": "1"}}
            boto3.client("dynamodb").put_item(TableName=STATE_TABLE, Item=newer)
        status = seen.world.status()

        assert status["tokens"].startswith("unknown: ")
        assert status["open_orders"] == 6


def _buckets() -> list[dict[str, Any]]:
    items = boto3.client("dynamodb").scan(TableName=STATE_TABLE, ConsistentRead=True)["Items"]
    return [{"pk": item["pk"], "sk": item["sk"]} for item in items if item["sk"]["S"].startswith("LIMITER#")]


def test_a_status_asks_the_exchange_nothing_and_changes_nothing() -> None:
    with small_world() as seen:
        trading(seen)
        before = dict(seen.world.exchange.stats.calls)
        first, second = seen.world.status(), seen.world.status()

        assert dict(seen.world.exchange.stats.calls) == before
        assert first == second


# --- halt -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sample", "globals_", "left"),
    [
        ("session_halt", config_items.GLOBAL, 0),
        ("session_halt_cancel", config_items.GLOBAL, 0),
        ("session_halt", QUIET, 6),
        ("session_halt_cancel", QUIET, 0),
    ],
)
def test_a_halt_takes_quotes_off_where_global_says_so_or_its_author_does(
    sample: str, globals_: dict[str, Any], left: int
) -> None:
    with small_world(setup(globals=globals_)) as seen:
        trading(seen)
        answer = seen.world.session(sample)
        at_once = len(resting(seen.world))
        cycles = [seen.world.cycle() for _ in range(2)]

        assert (answer["halted"], at_once) == (True, 6)
        assert {cycle["reason"] for cycle in cycles} == {"halted"}
        assert len(resting(seen.world)) == left
        seen.world.session("session_resume")
        seen.world.cycle()
        assert len(resting(seen.world)) == 6


def test_a_halt_by_the_day_loss_takes_nothing_off_against_global() -> None:
    """Only a person who asks for it overrules `cancel_on_halt`."""
    with small_world(setup(globals={**QUIET, "max_daily_loss_dollars": 1})) as seen:
        trading(seen)
        fill(seen.world, A, "bid")
        set_book(seen.world, A, 1000, 1300)
        seen.world.cycle()
        seen.world.cycle()

        assert seen.world.status()["halt_reason"] == "daily_loss"
        assert {ticker for ticker, _ in resting(seen.world)} >= {B, C}


def test_a_halt_may_say_why() -> None:
    with small_world() as seen:
        assert seen.world.session("session_halt_reason")["halt_reason"] == "scheduled news"
