"""The session through its real handler: opened, shown, halted, watched, reset and torn down."""

from dataclasses import replace

import boto3
import pytest

from dora.core.session import SessionAction
from tests.battery.scene import fill
from tests.support.small_world import (
    TICKERS,
    Scripted,
    broken,
    resting,
    set_book,
    setup,
    small_aws_world,
    small_world,
)
from tests.world import config_items
from tests.world.setup import CONFIG_TABLE, SECRET_ID

A, B, C = TICKERS
MINUTE_MS = 60_000
GROUPS = "/portfolio/order_groups"


def test_starting_twice_opens_one_session_and_no_second_set_of_groups() -> None:
    with small_world() as seen:
        first, second = seen.world.start(), seen.world.start()

        assert first["session_id"] == second["session_id"]
        assert first["order_groups"] == second["order_groups"]
        assert len(seen.world.member.groups) == 3
        assert len(seen.facts("SESSION_INITIALIZED")) == 1


def test_a_group_whose_create_was_not_answered_is_made_again_and_the_orphan_holds_nothing() -> None:
    with small_world() as seen:
        world = seen.world
        world.exchange.faults = Scripted({f"POST {GROUPS}": "answer"})
        lost = world.start()
        world.exchange.faults = Scripted({})
        opened = world.start()
        world.cycle()

        assert (lost["status"], opened["status"]) == ("refused", "active")
        assert len(world.member.groups) == 4
        used = {order.group_id for order in world.member.resting.values()}
        assert used == set(opened["order_groups"].values())


def test_the_preflight_returns_every_finding_at_once() -> None:
    with small_aws_world(setup(cash_dollars=5)) as seen:
        world = seen.world
        world.exchange.pause_trading(2)
        boto3.client("dynamodb").update_item(
            TableName=CONFIG_TABLE,
            Key={"pk": {"S": "dora"}, "sk": {"S": f"MARKET#{B}"}},
            UpdateExpression="SET enabled = :n",
            ExpressionAttributeValues={":n": {"S": "yes"}},
        )
        findings = "\n".join(world.start()["findings"])

        assert "shard 0 holds $5" in findings
        assert "shard 2 is not trading" in findings
        assert f"MARKET#{B}: enabled is 'yes'" in findings


@pytest.mark.parametrize("read", ["/account/limits", "/exchange/status", "/portfolio/balance", "/markets"])
def test_a_preflight_that_could_not_read_opens_nothing(read: str) -> None:
    with small_world() as seen:
        world = seen.world
        world.exchange.faults = Scripted({f"GET {read}": "answer"})
        answer = world.start()

        assert (answer["status"], answer["reason"]) == ("refused", "preflight")
        assert not world.member.groups
        assert world.status()["status"] == "none"


def test_a_missing_global_item_refuses_the_start_and_says_what_to_write() -> None:
    with small_aws_world() as seen:
        key = {"pk": {"S": "dora"}, "sk": {"S": "GLOBAL"}}
        boto3.client("dynamodb").delete_item(TableName=CONFIG_TABLE, Key=key)
        answer = seen.world.start()

        assert answer["status"] == "refused"
        assert any("GLOBAL" in finding for finding in answer["findings"])


# --- halt and resume --------------------------------------------------------------------------------


def test_halt_pulls_quotes_at_the_next_cycle_and_resume_brings_them_back() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        assert world.session("session_halt", reason="lunch")["halted"] is True
        halted = world.cycle()
        pulled = resting(world)
        assert world.session("session_resume")["halted"] is False
        world.cycle()

        assert (halted["status"], halted["reason"]) == ("halted", "halted")
        assert not pulled
        assert len(resting(world)) == 6
        assert not broken(world)


# --- limits ---------------------------------------------------------------------------------------


def test_a_tripped_group_ends_the_session_until_a_person_resets_it() -> None:
    with small_world(setup(globals={**config_items.GLOBAL, "group_burst_limit": 10})) as seen:
        world = seen.world
        world.start()
        world.cycle()
        for side, price_e4 in (("bid", 9900), ("ask", 100)):
            world.exchange.set_background_book(A, [], [])
            world.exchange.background_take(A, side, price_e4, 1_000)
        assert [group.tripped for group in world.member.groups.values()].count(True) == 1
        set_book(world, A)
        latched = world.cycle()
        world.cycle()

        assert (latched["status"], latched["reason"]) == ("halted", "session_not_active")
        assert not resting(world)
        assert seen.facts("ORDER_GROUP_LIMIT_REACHED")[0]["reason"] == "group_tripped"
        assert world.start()["status"] == "refused"
        assert world.session("session_reset")["status"] == "active"
        world.cycle()
        assert len(resting(world)) == 6


def test_the_session_contract_limit_counts_fills_and_needs_a_higher_limit_to_reset() -> None:
    limited = {**config_items.GLOBAL, "session_contract_limit": 5}
    with small_world(setup(globals=limited)) as seen:
        world = seen.world
        world.start()
        world.cycle()
        ((ticker, side),) = resting(world)
        assert fill(world, ticker, side) == 500
        world.cycle()

        assert not resting(world)
        assert seen.facts("ORDER_GROUP_LIMIT_REACHED")[0]["reason"] == "session_cap"
        assert "session_contract_limit" in world.session("session_reset")["reason"]
        world.put_global({**limited, "session_contract_limit": 50})
        assert world.session("session_reset")["status"] == "active"


# --- watch ------------------------------------------------------------------------------------------


def test_watch_pulls_a_session_off_the_market_when_cycles_stop_finishing() -> None:
    with small_world() as seen:
        world = seen.world
        assert world.session("session_watch")["status"] == "idle"
        world.start()
        world.cycle()
        assert world.session("session_watch")["status"] == "ok"
        world.clock.advance_ms(3 * MINUTE_MS)
        answer = world.session("session_watch")

        assert (answer["status"], answer["untriggered"]) == ("triggered", [])
        assert (world.status()["status"], world.status()["reason"]) == ("limit_reached", "silent")
        assert not resting(world)
        assert seen.facts("HEARTBEAT")


# --- teardown --------------------------------------------------------------------------------------


def test_teardown_leaves_nothing_resting_on_any_shard_and_says_what_the_session_did() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        answer = world.teardown()

        assert (answer["status"], answer["resting"]) == ("closed", 0)
        assert answer["summary"]["contracts"] == "0.00"
        assert world.open_orders() == 0
        assert all(group.tripped for group in world.member.groups.values())
        assert world.cycle()["reason"] == "session_not_active"
        assert world.teardown()["status"] == "closed"
        assert not broken(world)


def test_fills_of_the_last_moments_are_in_the_books_of_a_closed_session() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        (bid_e4, _), *_ = resting(world)[A, "bid"]
        world.exchange.set_background_book(A, [], [(4700, 50_000)])
        world.exchange.background_take(A, "ask", bid_e4, 300)
        answer = world.teardown()

        assert answer["summary"]["contracts"] == "3.00"
        assert world.bot.positions()[A].net == 300
        assert not broken(world)


def test_a_teardown_whose_triggers_fail_cancels_and_stays_closing_until_they_work() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.exchange.faults = Scripted({"PUT /trigger": "request"})
        closing = world.teardown()
        resting_meanwhile = world.open_orders()
        world.exchange.faults = Scripted({})
        closed = world.teardown()

        assert closing["status"] == "closing"
        assert len(closing["untriggered"]) == 3
        assert resting_meanwhile == 0
        assert closed["status"] == "closed"
        assert not broken(world)


def test_a_teardown_that_cannot_read_what_rests_never_says_closed() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.exchange.faults = Scripted({"GET /portfolio/orders": "answer"})
        assert world.teardown()["status"] == "closing"


# --- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [{"action": "stop"}, {"key1": "value1"}, {"bot": "another"}])
def test_an_unknown_action_is_refused_with_the_list_of_actions_and_changes_nothing(
    event: dict[str, str],
) -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        answer = world.session("session_status", **event)

        assert answer["status"] == "refused"
        if "bot" not in event:
            assert all(action in answer["message"] for action in SessionAction)
        assert world.status()["status"] == "active"


def test_a_key_that_the_exchange_refuses_is_said_plainly_and_fetched_again_next_time() -> None:
    with small_aws_world() as seen:
        world = seen.world
        secrets = boto3.client("secretsmanager")
        good = secrets.get_secret_value(SecretId=SECRET_ID)["SecretString"]
        world.start()
        world.exchange.knobs = replace(world.exchange.knobs, clock_skew_ms=-1)
        refused = world.cycle()

        assert (refused["status"], refused["reason"]) == ("degraded", "auth_refused")
        assert "PRIVATE KEY" in good
        assert not any("PRIVATE KEY" in str(fact) for fact in seen.facts("ERROR"))
