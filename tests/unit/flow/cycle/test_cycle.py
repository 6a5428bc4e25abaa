"""One cycle through the real handler, against the simulator: what it does, and what it refuses to do."""

import boto3
import pytest

from dora.core.reasons import Reason
from tests.support.small_world import (
    TICKERS,
    Killed,
    Scripted,
    broken,
    resting,
    set_book,
    setup,
    small_aws_world,
    small_world,
)
from tests.world import config_items
from tests.world.setup import CONFIG_TABLE, STATE_TABLE

BATCH = "/portfolio/events/orders/batched"
A, B, C = TICKERS


def test_a_first_cycle_quotes_both_sides_of_every_market_on_every_shard_under_its_own_group() -> None:
    with small_world() as seen:
        world = seen.world
        opened = world.start()
        answer = world.cycle()

        assert opened["status"] == "active"
        assert set(opened["order_groups"]) == {"0/maker", "1/maker", "2/maker"}
        assert (answer["status"], answer["placed"]) == ("completed", 6)
        assert all(len(orders) == 1 for orders in resting(world).values())
        assert len(resting(world)) == 6
        assert not broken(world)


def test_a_cycle_with_nothing_new_writes_nothing() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        for _ in range(7):
            world.cycle()
        before = world.exchange.stats.calls[f"POST {BATCH}"]
        answer = world.cycle()

        assert (answer["placed"], answer["cancelled"], answer["kept"]) == (0, 0, 6)
        assert world.exchange.stats.calls[f"POST {BATCH}"] == before


def test_a_moved_book_is_followed_with_one_order_a_side() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        set_book(world, A, 4600, 4900)
        answer = world.cycle()

        assert answer["cancelled"] == 2
        assert answer["placed"] in (1, 2)
        world.cycle()
        assert all(len(orders) == 1 for orders in resting(world).values())
        assert resting(world)[A, "bid"][0][0] > 4400
        assert not broken(world)


def test_fills_are_booked_once_and_the_books_agree() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        (bid_e4, count_e2), *_ = resting(world)[A, "bid"]
        world.exchange.set_background_book(A, [], [(4700, 50_000)])
        world.exchange.background_take(A, "ask", bid_e4, count_e2 // 2)
        set_book(world, A)
        answers = [world.cycle() for _ in range(3)]

        assert [answer["drift"] for answer in answers] == [0, 0, 0]
        assert world.bot.positions()[A].net == count_e2 // 2
        assert len(seen.facts("ORDER_FILLED")) == 1
        assert not broken(world)


# --- ticks ---------------------------------------------------------------------------------------


def test_a_tick_runs_once_and_a_stale_or_future_one_not_at_all() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        now_ms = world.clock.now_ms()
        again = world.cycle(scheduled_at="2026-11-20T14:00:00Z")
        stale = world.cycle(scheduled_at="2026-11-20T13:00:00Z")
        future = world.cycle(scheduled_at="2026-11-20T15:00:00Z")

        assert now_ms < world.clock.now_ms()
        assert (again["status"], again["reason"]) == ("skipped", Reason.TICK_SEEN)
        assert (stale["reason"], future["reason"]) == (Reason.TICK_STALE, Reason.TICK_STALE)


@pytest.mark.parametrize(
    "event", [{"action": "trade"}, {"key1": "value1"}, {"bot": "another"}, {"scheduled_at": "noon"}]
)
def test_an_event_that_is_not_a_tick_of_this_bot_changes_nothing(event: dict[str, str]) -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        answer = world.cycle(**event)

        assert answer["status"] == "refused"
        assert not resting(world)


# --- lost answers -----------------------------------------------------------------------------------


def test_a_create_whose_answer_was_lost_is_found_again_and_never_doubled() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.faults = Scripted({f"POST {BATCH}": "answer"})
        lost = world.cycle()
        world.exchange.faults = Scripted({})
        found = world.cycle()

        assert (lost["placed"], lost["unknown"]) == (0, 6)
        assert (found["placed"], found["kept"]) == (0, 6)
        assert {fact["evidence"] for fact in seen.facts("ORDER_RESOLVED")} == {"resting row"}
        assert all(len(orders) == 1 for orders in resting(world).values())
        assert not broken(world)


def test_a_create_that_was_lost_is_placed_again_only_after_its_hold() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.faults = Scripted({f"POST {BATCH}": "request"})
        world.cycle()
        world.exchange.faults = Scripted({})
        placed = [world.cycle()["placed"] for _ in range(4)]

        assert placed[0] == 0
        assert sum(placed) == 6
        assert all(len(orders) == 1 for orders in resting(world).values())
        assert not broken(world)


def test_writes_of_which_most_fail_are_one_warning_a_cycle_with_counts_and_codes_and_trading_goes_on() -> (
    None
):
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.faults = Scripted({f"POST {BATCH}": "answer"})
        world.cycle()
        world.exchange.faults = Scripted({})
        after = world.cycle()

        (warning,) = seen.facts("WARNING")
        assert (warning["level"], warning["requested"], warning["failed"]) == ("WARNING", 6, 6)
        assert (warning["failed_batches"], warning["codes"]) == (1, "unanswered 6")
        assert (after["status"], after["kept"]) == ("completed", 6)


def test_what_risk_cuts_or_refuses_stands_in_the_decision_and_is_counted_in_the_record() -> None:
    tight = {**config_items.GLOBAL, "max_event_loss_dollars": 3, "max_open_orders": 5}
    with small_world(setup(globals=tight)) as seen:
        world = seen.world
        world.start()
        answer = world.cycle()
        (record,) = seen.facts("CYCLE")
        status = world.status()

        said = seen.facts("DECISION_MADE")
        clips = [fact["clip_reasons"] for fact in said]
        assert clips == ["ask 0 event_cap cut from 10.00; bid 0 event_cap cut from 10.00"] * 2 + [
            "bid 0 open_order_cap; ask 0 event_cap cut from 10.00"
        ]
        assert [fact["targets"].count(" 0.") for fact in said] == [2, 2, 1]
        assert said[0]["targets"] == "bid 0.4400 6.00; ask 0.4700 5.00"
        assert (record["target_count"], answer["placed"]) == (5, 5)
        assert (record["cut_event_cap"], record["slots_open_order_cap"]) == (5, 1)
        assert (status["slots_cut"], status["slots_not_quoted"]) == ({"event_cap": 5}, {"open_order_cap": 1})


def test_quotes_that_stand_are_those_that_the_exchange_has_as_the_cycle_ends() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        have = []
        for bid_e4, ask_e4 in ((4400, 4700), (4600, 4900), (0, 0)):
            for ticker in TICKERS if bid_e4 else ():
                set_book(world, ticker, bid_e4, ask_e4)
            if not bid_e4:
                world.session("session_halt_cancel")
            world.cycle()
            have.append(sum(map(len, resting(world).values())))

        assert have == [6, 6, 0]
        assert [record["quotes_standing"] for record in seen.facts("CYCLE")] == have


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_cancel_without_an_answer_withholds_its_replacement(lost: str) -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        set_book(world, A, 4600, 4900)
        world.exchange.faults = Scripted({f"DELETE {BATCH}": lost})
        unanswered = world.cycle()
        world.exchange.faults = Scripted({})
        for _ in range(3):
            world.cycle()

        assert (unanswered["placed"], unanswered["unknown"]) == (0, 2)
        assert all(len(orders) == 1 for orders in resting(world).values())
        assert world.exchange.stats.cancels_404 == 0
        assert not broken(world)


@pytest.mark.parametrize(
    "read", ["/portfolio/orders", "/portfolio/fills", "/portfolio/positions", "/portfolio/balance",
             "/portfolio/order_groups", "/exchange/status", "/exchange/user_data_timestamp"]
)  # fmt: skip
def test_what_could_not_be_read_places_nothing_and_pulls_only_what_is_dangerous(read: str) -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        before = resting(world)
        set_book(world, A, 4600, 4900)
        world.exchange.faults = Scripted({f"GET {read}": "answer"})
        answer = world.cycle()

        assert (answer["status"], answer["reason"]) == ("degraded", Reason.READ_UNKNOWN)
        pulled = set() if read == "/portfolio/orders" else {(A, "ask")}
        assert (answer["placed"], answer["cancelled"]) == (0, len(pulled))
        assert before.keys() - resting(world).keys() == pulled
        assert not broken(world)


def test_a_book_that_could_not_be_read_pulls_its_quotes_and_says_so() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.exchange.faults = Scripted({"GET /markets/orderbooks": "request"})
        answer = world.cycle()

        assert (answer["status"], answer["placed"], answer["cancelled"]) == ("degraded", 0, 6)
        assert {fact["skip_reason"] for fact in seen.facts("DECISION_MADE")[-3:]} == {Reason.BOOK_UNKNOWN}


# --- switches and configs ----------------------------------------------------------------------------


def test_without_a_session_nothing_is_placed() -> None:
    with small_world() as seen:
        answer = seen.world.cycle()

        assert (answer["status"], answer["reason"]) == ("halted", Reason.NO_SESSION)
        assert not resting(seen.world)


@pytest.mark.parametrize("change, reason", [
    ({"trading_enabled": False}, Reason.TRADING_DISABLED),
    ({"trading_enabled": False, "cancel_on_halt": False}, Reason.TRADING_DISABLED),
])  # fmt: skip
def test_trading_disabled_pulls_quotes_if_so_configured(change: dict[str, bool], reason: Reason) -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.put_global({**config_items.GLOBAL, **change})
        answer = world.cycle()

        assert (answer["status"], answer["reason"], answer["placed"]) == ("halted", reason, 0)
        assert bool(resting(world)) is ("cancel_on_halt" in change)


def test_a_config_edited_between_two_cycles_counts_at_once() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.put_market(A, {**config_items.MARKET, "enabled": False})
        world.cycle()

        assert {ticker for ticker, _ in resting(world)} == {B, C}


def test_an_invalid_market_item_disables_that_market_alone_and_says_how_to_fix_it() -> None:
    with small_aws_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        boto3.client("dynamodb").update_item(
            TableName=CONFIG_TABLE,
            Key={"pk": {"S": "dora"}, "sk": {"S": f"MARKET#{A}"}},
            UpdateExpression="SET quote_sise = :n",
            ExpressionAttributeValues={":n": {"N": "5"}},
        )
        answer = world.cycle()

        assert answer["reason"] == Reason.CONFIG_INVALID
        assert {ticker for ticker, _ in resting(world)} == {B, C}
        (problem,) = seen.facts("CONFIG_INVALID")
        assert (problem["where"], problem["level"]) == (f"MARKET#{A}", "ERROR")
        assert "quote_size" in problem["how_to_fix"]


def test_a_series_item_is_the_template_of_its_open_markets_and_a_market_item_overrides_it() -> None:
    with small_aws_world(setup(items={B: {**config_items.MARKET, "quote_size": 3}})) as seen:
        world = seen.world
        for series in ("KXA", "KXB"):
            item = {**config_items.MARKET, "quote_size": 7, "max_markets": 5}
            boto3.client("dynamodb").put_item(
                TableName=CONFIG_TABLE, Item=config_items.as_attributes("dora", f"SERIES#{series}", item)
            )
        world.start()
        world.cycle()

        placed = {own["market"]: own["size"] for own in seen.placed()}
        assert placed == {A: "7.00", B: "3.00"}


def test_a_dry_run_decides_everything_and_writes_nothing_to_the_exchange() -> None:
    with small_world(setup(dry_run=True)) as seen:
        world = seen.world
        world.start()
        answer = world.cycle()

        assert (answer["status"], answer["reason"], answer["placed"]) == ("completed", "dry_run", 0)
        assert seen.facts("CYCLE")[0]["target_count"] == 6
        writes = [call for call in world.exchange.stats.calls if not call.startswith("GET")]
        assert not writes


def test_a_market_whose_fee_terms_are_unknown_is_not_quoted() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.faults = Scripted({"GET /series/KXA": "request"})
        world.cycle()

        assert {ticker for ticker, _ in resting(world)} == {B, C}


def test_a_paused_shard_waits_and_the_others_are_quoted() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.pause_trading(2)
        world.cycle()

        assert {ticker for ticker, _ in resting(world)} == {A, B}
        assert not seen.facts("BATCH_PLACE_FAILED")


def test_an_order_that_is_not_ours_is_left_alone() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.member_order(world.member, A, "bid", 4300, 700, client_order_id="by-hand")
        world.cycle()
        world.cycle()
        world.teardown()

        assert [order.client_order_id for order in world.member.resting.values()] == ["by-hand"]


def test_a_bot_killed_after_its_placements_finds_them_again_by_its_plan() -> None:
    with small_aws_world() as seen:
        world = seen.world
        world.start()
        world.exchange.faults = Scripted({f"POST {BATCH}": "kill"})
        with pytest.raises(Killed):
            world.cycle()
        world.exchange.faults = Scripted({})
        assert len(resting(world)) == 6
        assert len(_plans()) == 1

        answer = world.cycle()

        assert (answer["placed"], answer["kept"]) == (0, 6)
        assert not _plans()
        assert not broken(world)


def _plans() -> list[str]:
    stored = boto3.client("dynamodb").scan(TableName=STATE_TABLE, ConsistentRead=True)["Items"]
    return [item["sk"]["S"] for item in stored if item["sk"]["S"].startswith("PLAN#")]


def test_a_day_that_lost_its_limit_halts_the_bot_until_a_person_resumes_it() -> None:
    with small_world(setup(globals={**config_items.GLOBAL, "max_daily_loss_dollars": 2})) as seen:
        world = seen.world
        world.start()
        world.cycle()
        (bid_e4, count_e2), *_ = resting(world)[A, "bid"]
        world.exchange.set_background_book(A, [], [(4700, 50_000)])
        world.exchange.background_take(A, "ask", bid_e4, count_e2)
        set_book(world, A, bid_e4 - 2000, bid_e4 - 1700)
        halted = world.cycle()
        world.cycle()

        assert (halted["status"], halted["reason"]) == ("halted", Reason.HALTED)
        assert not resting(world)
        assert seen.facts("RISK_HALT")[0]["lost_dollars"] == "2.000000"
        assert world.status()["halted"] is True


def test_reads_that_do_not_catch_up_with_our_own_writes_stop_placing_and_quiet_ones_do_not() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.exchange.freeze_reads()
        set_book(world, A, 4600, 4900)
        answers = [world.cycle() for _ in range(4)]
        world.exchange.thaw_reads()
        world.cycle()
        after = world.cycle()

        assert answers[-1]["reason"] == Reason.READ_STALE
        assert after["status"] == "completed"
        assert not broken(world)
