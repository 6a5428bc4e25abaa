"""Every off-switch of the README's table, closed alone in a bot that would trade, stops placement by itself.

Each scenario runs one whole cycle with the switch closed and sees no create leave (for a shard or a market:
none there, and all others quoted); then opens it and sees the quotes come, so nothing else stopped them.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import boto3
import pytest

from dora.core.risk.rests import FIRST_REST_MS
from tests.battery.event_scene import FOREIGN, damage, event_of, recorded
from tests.battery.scene import CREATE, SLOTS, Scene, fill, scene
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.market_trouble import MarketLeftOut, OrdersRefused
from tests.support.shard_left_out import ShardLeftOut
from tests.support.small_world import DAY_MS, TICKERS, Scripted, broken, resting, set_book
from tests.world import config_items
from tests.world.setup import CONFIG_TABLE

A, B, C = TICKERS
Act = Callable[[Scene], object]


def stops_all(stage: Scene, reason: str, status: str) -> None:
    """One cycle places nothing anywhere and says why."""
    sent = stage.world.exchange.stats.calls[CREATE]
    answer = stage.world.cycle()

    assert (answer["status"], answer["reason"], answer["placed"]) == (status, reason, 0)
    assert stage.world.exchange.stats.calls[CREATE] == sent
    assert not broken(stage.world), broken(stage.world)


def quotes_everything(stage: Scene) -> None:
    """One cycle later every slot is quoted."""
    stage.run(1)
    stage.sound()


def alone(close: Act, reopen: Act, reason: str, status: str = "halted") -> None:
    """Closed before the first cycle, opened after it."""
    with scene() as stage:
        close(stage)
        stops_all(stage, reason, status)
        reopen(stage)
        quotes_everything(stage)


def stops_only(stage: Scene, ticker: str, reason: str) -> None:
    """One cycle quotes the other two markets and says why not this one."""
    stage.run(1)

    assert {found for found, _ in resting(stage.world)} == set(TICKERS) - {ticker}
    assert stage.world.status()["markets_not_quoted"] == {reason: 1}


def rests_after_refusals(code: str, name: str, *, resumes: bool) -> None:
    """Refused in three cycles in a row; then nothing is sent until a resume, or for a while."""
    one_by_one = {**config_items.GLOBAL, "create_batch_size": 1}
    with scene(globals=one_by_one) as stage:
        stage.world.exchange.faults = OrdersRefused(C, code, stage.world.clock.now_ms)
        stage.run(3)
        stops_only(stage, C, "refused_repeatedly")
        (rest,) = stage.world.status()["refused_markets"]
        assert (rest["market"], rest["code"]) == (name, code)
        stage.world.exchange.faults = stage.faults.script
        if resumes:
            stage.world.session("session_resume")
        else:
            stage.world.clock.advance_ms(FIRST_REST_MS)
        quotes_everything(stage)


def bought(stage: Scene, ticker: str) -> int:
    """Somebody sells us part of a quote; what we hold then."""
    held = fill(stage.world, ticker, "bid", 400)
    set_book(stage.world, ticker)
    return held


def sizes(stage: Scene) -> dict[tuple[str, str], int]:
    """What rests by slot, in 0.01 contract."""
    return {slot: sum(size for _, size in orders) for slot, orders in resting(stage.world).items()}


def put_global(**changes: Any) -> Act:
    return lambda stage: stage.world.put_global({**config_items.GLOBAL, **changes})


def session(sample: str) -> Act:
    return lambda stage: stage.world.session(f"session_{sample}")


def start(stage: Scene) -> None:
    assert stage.world.start()["status"] == "active"


# --- the whole bot ----------------------------------------------------------------------------------------


def test_without_a_tick_nothing_is_placed() -> None:
    with scene() as stage:
        stage.world.clock.advance_ms(10 * 60_000)
        assert stage.world.exchange.stats.orders == 0
        quotes_everything(stage)


def test_a_dry_run_places_nothing() -> None:
    with scene(dry_run=True) as stage:
        stops_all(stage, "dry_run", "completed")
        assert stage.world.open_orders() == 0


def test_a_missing_global_item_places_nothing() -> None:
    def delete(_: Scene) -> None:
        key = {"pk": {"S": "dora"}, "sk": {"S": config_items.GLOBAL_SORT_KEY}}
        boto3.client("dynamodb").delete_item(TableName=CONFIG_TABLE, Key=key)

    alone(delete, put_global(), "config_missing")


def test_an_invalid_global_item_places_nothing() -> None:
    alone(put_global(trading_enabled="true"), put_global(), "config_missing")


@pytest.mark.parametrize("sample", ["halt", "halt_cancel", "halt_reason"])
def test_a_halt_places_nothing(sample: str) -> None:
    alone(session(sample), session("resume"), "halted")


def test_trading_disabled_places_nothing() -> None:
    alone(put_global(trading_enabled=False), put_global(), "trading_disabled")


def test_without_a_session_nothing_is_placed() -> None:
    with scene(started=False) as stage:
        stops_all(stage, "no_session", "halted")
        start(stage)
        quotes_everything(stage)


def test_a_session_that_did_not_get_all_its_groups_places_nothing() -> None:
    """It stays in `starting`."""
    with scene(started=False) as stage:
        stage.faults.now(Fault(kind="lose-request", where="POST /portfolio/order_groups/create"))
        assert stage.world.start()["status"] == "refused"
        stage.faults.clear()
        stops_all(stage, "session_not_active", "halted")
        start(stage)
        quotes_everything(stage)


def test_a_session_latched_at_a_limit_places_nothing() -> None:
    with scene() as stage:
        stage.world.clock.advance_ms(4 * 60_000)
        assert stage.world.session("session_watch")["status"] == "triggered"
        stops_all(stage, "session_not_active", "halted")
        stage.world.session("session_reset")
        stage.world.exchange.invariants.expectations.allow_groups(list(stage.world.member.groups))
        quotes_everything(stage)


@pytest.mark.parametrize("closed", [True, False])
def test_a_session_being_closed_or_closed_places_nothing(closed: bool) -> None:
    with scene() as stage:
        stage.world.exchange.faults = Scripted({} if closed else {"PUT /trigger": "request"})
        assert stage.world.teardown()["status"] == ("closed" if closed else "closing")
        stage.world.exchange.faults = Scripted({})
        stops_all(stage, "session_not_active", "halted")
        stage.world.teardown()
        start(stage)
        quotes_everything(stage)


def test_a_session_near_its_end_places_nothing() -> None:
    with scene(globals={**config_items.GLOBAL, "session_hours": 1}) as stage:
        stage.world.clock.advance_ms(57 * 60_000)
        stops_all(stage, "session_over", "halted")
        assert stage.world.start()["status"] == "active"
        quotes_everything(stage)


def test_a_refused_key_places_nothing() -> None:
    with scene() as stage:
        stage.world.exchange.knobs = Knobs(clock_skew_ms=-1)
        stops_all(stage, "auth_refused", "degraded")


@pytest.mark.parametrize(
    "read",
    [
        "/portfolio/balance",
        "/portfolio/orders",
        "/portfolio/fills",
        "/portfolio/positions",
        "/exchange/status",
    ],
)
def test_an_account_that_was_not_read_whole_places_nothing(read: str) -> None:
    def unread(stage: Scene) -> None:
        stage.faults.now(Fault(kind="lose-answer", where=f"GET {read}"))

    alone(unread, lambda stage: stage.faults.clear(), "read_unknown", "degraded")


def test_reads_that_stand_still_place_nothing() -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="freeze-reads"))
        stage.world.clock.advance_ms(1_000)
        stage.move()
        stage.run(4)
        stops_all(stage, "read_stale", "degraded")


def test_a_clock_too_far_from_the_exchanges_places_nothing() -> None:
    with scene(skew_ms=1_500) as stage:
        put_global(max_clock_skew_ms=100)(stage)
        stops_all(stage, "clock_skew", "degraded")
        put_global()(stage)
        stage.run(1)
        assert len(resting(stage.world)) == SLOTS


def test_a_tripped_group_places_nothing_on_any_shard() -> None:
    with scene(globals={**config_items.GLOBAL, "group_burst_limit": 10}) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        fill(stage.world, A, "ask")
        set_book(stage.world, A)
        stops_all(stage, "session_not_active", "halted")
        assert not resting(stage.world)
        stage.world.session("session_reset")
        quotes_everything(stage)


def test_a_used_up_session_limit_places_nothing() -> None:
    with scene(globals={**config_items.GLOBAL, "session_contract_limit": 5}) as stage:
        stage.run(1)
        ((ticker, side),) = resting(stage.world)
        fill(stage.world, ticker, side)
        set_book(stage.world, ticker)
        stops_all(stage, "session_not_active", "halted")
        put_global(session_contract_limit=500)(stage)
        stage.world.session("session_reset")
        quotes_everything(stage)


def test_a_lost_day_places_nothing() -> None:
    with scene(globals={**config_items.GLOBAL, "max_daily_loss_dollars": 1}) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A, 1000, 1300)
        stops_all(stage, "halted", "halted")
        assert stage.world.status()["halt_reason"] == "daily_loss"


def test_a_lost_stretch_places_nothing() -> None:
    """Falls again after a resume until the limit is raised, whatever day it is."""
    with scene(globals={**config_items.GLOBAL, "max_loss_since_dollars": 1}) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A, 1000, 1300)
        stops_all(stage, "halted", "halted")
        assert stage.world.status()["halt_reason"] == "loss_since"
        stage.world.clock.advance_ms(DAY_MS // 2)
        stage.world.session("session_resume")
        stops_all(stage, "halted", "halted")
        put_global(max_loss_since_dollars=1000)(stage)
        stage.world.session("session_resume")
        stage.run(1)
        assert {ticker for ticker, _ in resting(stage.world)} >= {B, C}


def test_equity_below_its_floor_places_nothing() -> None:
    """One cycle opens nothing, the second one that says so halts."""
    with scene(globals={**config_items.GLOBAL, "equity_floor_dollars": 10_000_000}) as stage:
        assert stage.world.cycle()["placed"] == 0
        assert stage.world.status()["risk_reason"] == "equity_floor"
        stops_all(stage, "halted", "halted")
        assert stage.world.status()["halt_reason"] == "equity_floor"
        put_global()(stage)
        stage.world.session("session_resume")
        quotes_everything(stage)


@pytest.mark.parametrize("filled", [False, True])
def test_a_foreign_hand_in_an_exclusive_account_places_nothing(filled: bool) -> None:
    with scene(globals={**config_items.GLOBAL, "exclusive": True}) as stage:
        quotes_everything(stage)
        member = stage.world.member
        price_e4 = 4_700 if filled else 1_000
        stage.world.exchange.member_order(member, B, "bid", price_e4, 200, client_order_id="by-hand")
        stops_all(stage, "halted", "halted")
        assert stage.world.status()["halt_reason"] == "external_activity"
        (told,) = stage.seen.facts("EXTERNAL_ACTIVITY")
        assert (told["kind"], told["market"], told["size"]) == ("fill" if filled else "order", B, "2.00")
        for order in [o for o in member.resting.values() if o.client_order_id == "by-hand"]:
            stage.world.exchange.engine.cancel(member, order.id, order.market.shard)
        set_book(stage.world, B)
        stage.world.session("session_resume")
        quotes_everything(stage)


@pytest.mark.parametrize("patient", [True, False])
def test_a_breaker_of_writes_places_nothing_until_it_has_cooled_down(patient: bool) -> None:
    """A resume ends it early."""
    with scene(globals={**config_items.GLOBAL, "error_rate_writes": SLOTS}) as stage:
        stage.struck(Fault(kind="refuse", where=CREATE, amount=400, code="invalid_order"))
        stops_all(stage, "error_rate", "degraded")
        assert "error_rate" in stage.world.status()["why_not_quoting"]
        if patient:
            stage.world.clock.advance_ms(5 * 60_000)
        else:
            stage.world.session("session_resume")
        quotes_everything(stage)


def test_near_a_limit_of_loss_nothing_is_opened_until_a_resume() -> None:
    """The latch outlives the loss, and the process."""
    limits = {**config_items.GLOBAL, "max_daily_loss_dollars": 4, "reduce_at_percent": 50}
    with scene(globals=limits) as stage:
        stage.run(1)
        (order,) = stage.world.resting(A, "bid")
        held = fill(stage.world, A, "bid")
        set_book(stage.world, A, order.price_e4 - 2_000, order.price_e4 - 1_700)
        stage.run(2)
        set_book(stage.world, A)
        stage.cold_start()
        stage.run(2)
        assert sizes(stage) in ({}, {(A, "ask"): held})
        status = stage.world.status()
        assert (status["risk"], status["risk_reason"]) == ("reducing", "daily_loss")
        stage.world.session("session_resume")
        stage.run(1)
        assert {ticker for ticker, _ in resting(stage.world)} >= {B, C}
        assert stage.world.status()["risk"] == "active"


def test_while_a_position_has_no_price_nothing_is_opened() -> None:
    with scene() as stage:
        stage.world.exchange.member_order(stage.world.member, C, "bid", 4_700, 200)
        stage.world.exchange.faults = MarketLeftOut(C)
        stage.run(1)
        assert not resting(stage.world)
        assert stage.world.status()["risk_reason"] == "profit_unknown"
        stage.world.exchange.faults = stage.faults.script
        quotes_everything(stage)


def test_a_kill_flag_set_in_mid_cycle_stops_the_next_batch() -> None:
    limits = {**config_items.GLOBAL, "create_batch_size": 1}
    with scene(Knobs(write_latency_ms=6_000), globals=limits) as stage:
        stage.meanwhile(CREATE, lambda: stage.world.session("session_halt"))
        answer = stage.world.cycle()

        assert (answer["status"], answer["reason"], answer["placed"]) == ("degraded", "halted", 1)


def test_a_bot_that_only_reduces_opens_nothing() -> None:
    """Held contracts are offered, and nothing else rests anywhere."""
    with scene() as stage:
        stage.run(1)
        held = bought(stage, A)
        put_global(reduce_only=True)(stage)
        stage.run(2)
        assert sizes(stage) == {(A, "ask"): held}
        put_global()(stage)
        quotes_everything(stage)


# --- one shard --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", ["pause_trading", "pause_exchange"])
def test_a_paused_shard_places_nothing_there(pause: str) -> None:
    with scene() as stage:
        getattr(stage.world.exchange, pause)(2)
        stops_only(stage, C, "shard_closed")
        stage.world.exchange.resume(2)
        quotes_everything(stage)


def test_a_shard_without_cash_places_nothing_there() -> None:
    with scene() as stage:
        account, now_ms = stage.world.member.accounts[0], stage.world.clock.now_ms
        cash_e6 = account.cash_e6[2]
        account.cash_e6[2] = 0
        account.stamp_cash(2, now_ms())
        stops_only(stage, C, "shard_unfunded")
        account.cash_e6[2] = cash_e6
        account.stamp_cash(2, now_ms())
        quotes_everything(stage)


def test_a_shard_that_the_balance_does_not_list_places_nothing_there() -> None:
    with scene() as stage:
        stage.world.exchange.faults = ShardLeftOut()
        stops_only(stage, C, "read_unknown")
        stage.world.exchange.faults = stage.faults.script
        quotes_everything(stage)


def test_a_shard_without_an_order_group_places_nothing_there() -> None:
    off = {**config_items.MARKET, "enabled": False}
    with scene(items={A: config_items.MARKET, B: config_items.MARKET, C: off}) as stage:
        stage.world.put_market(C, config_items.MARKET)
        stops_only(stage, C, "shard_without_group")
        start(stage)
        quotes_everything(stage)


def test_a_strategy_without_an_order_group_places_nothing() -> None:
    with scene() as stage:
        stage.world.put_market(C, {**config_items.MARKET, "strategy_tag": "other"})
        stops_only(stage, C, "shard_without_group")
        start(stage)
        quotes_everything(stage)


def by_event(**changes: Any) -> AbstractContextManager[Scene]:
    """Each event has an order group of its own."""
    return scene(globals={**config_items.GLOBAL, "group_by": "event", "event_cooldown_s": 122, **changes})


def test_an_event_beyond_what_a_burst_may_lose_places_nothing() -> None:
    with by_event(max_burst_loss_dollars=40) as stage:
        stage.run(1)
        stops_only(stage, C, "event_not_admitted")
        stage.world.put_global({**config_items.GLOBAL, "group_by": "event"})
        stage.run(1)
        quotes_everything(stage)


def test_an_event_whose_order_group_is_being_made_places_nothing() -> None:
    with by_event() as stage:
        stage.world.put_market(C, {**config_items.MARKET, "enabled": False})
        stage.run(2)
        stage.world.put_market(C, config_items.MARKET)
        stops_only(stage, C, "event_without_group")
        quotes_everything(stage)


def test_an_event_whose_order_group_tripped_rests() -> None:
    with by_event() as stage:
        stage.run(2)
        fill(stage.world, C, "bid")
        set_book(stage.world, C)
        stops_only(stage, C, "event_resting")
        stage.run(3)
        quotes_everything(stage)


def test_an_event_whose_order_group_cannot_be_read_is_not_quoted() -> None:
    with by_event() as stage:
        stage.run(2)
        own = recorded(stage)[event_of(C)]
        before = damage(stage, own, FOREIGN)
        stops_only(stage, C, "event_group_unread")
        damage(stage, own, before)
        stage.run(4)
        quotes_everything(stage)


@pytest.mark.parametrize("resumes", [True, False])
def test_a_shard_that_is_refused_for_want_of_cash_rests(resumes: bool) -> None:
    rests_after_refusals("insufficient_balance", "#2", resumes=resumes)


# --- one market -------------------------------------------------------------------------------------------


def test_a_disabled_market_is_not_quoted() -> None:
    with scene() as stage:
        stage.world.put_market(C, {**config_items.MARKET, "enabled": False})
        stops_only(stage, C, "market_disabled")
        stage.world.put_market(C, config_items.MARKET)
        quotes_everything(stage)


def test_a_market_that_is_only_recorded_is_not_quoted() -> None:
    with scene() as stage:
        stage.world.put_market(C, {**config_items.MARKET, "record_only": True})
        stops_only(stage, C, "record_only")
        stage.world.put_market(C, config_items.MARKET)
        quotes_everything(stage)


@pytest.mark.parametrize("switch", [{"reduce_only": True}, {"reduce_before_close_s": 604_800}])
def test_a_market_that_only_reduces_opens_nothing(switch: dict[str, object]) -> None:
    with scene() as stage:
        stage.run(1)
        held = bought(stage, A)
        stage.world.put_market(A, {**config_items.MARKET, **switch})
        stage.run(2)
        assert {slot: size for slot, size in sizes(stage).items() if slot[0] == A} == {(A, "ask"): held}
        assert len(sizes(stage)) == SLOTS - 1
        stage.world.put_market(A, config_items.MARKET)
        quotes_everything(stage)


def test_an_event_that_yields_to_others_of_the_account_is_not_quoted() -> None:
    yields = {**config_items.MARKET, "yield_to_external": True}
    with scene(items={A: yields, B: config_items.MARKET, C: yields}) as stage:
        quotes_everything(stage)
        member, exchange = stage.world.member, stage.world.exchange
        by_hand = [exchange.member_order(member, t, "bid", 1_000, 200, client_order_id=t) for t in (B, C)]
        stage.run(2)
        assert stage.world.status()["markets_not_quoted"] == {"external_orders": 1}
        assert {found for found, _ in sizes(stage)} == {A, B}
        for order in by_hand:
            exchange.engine.cancel(member, order.id, order.market.shard)
        quotes_everything(stage)


def test_an_event_cools_off_after_two_fills_that_went_against_us() -> None:
    never_too_fast = {"max_speed_percent": 10_000, "resume_speed_percent": 10_000}
    with scene(items=dict.fromkeys(TICKERS, {**config_items.MARKET, **never_too_fast})) as stage:
        for bid_e4 in (4_400, 3_600):
            set_book(stage.world, C, bid_e4, bid_e4 + 300)
            stage.run(2)
            fill(stage.world, C, "bid", 300)
            set_book(stage.world, C, bid_e4 - 800, bid_e4 - 500)
            stage.run(8)
        stops_only(stage, C, "cool_off")
        said = [fact for fact in stage.seen.facts("DECISION_MADE") if fact["market"] == C][-1]
        assert (said["skip_reason"], said["until"][:13]) == ("cool_off", "2026-11-20T14")
        for _ in range(30):
            stage.run(1)
        quotes_everything(stage)


@pytest.mark.parametrize("resumes", [True, False])
def test_a_market_whose_orders_are_refused_again_and_again_rests(resumes: bool) -> None:
    rests_after_refusals("invalid_price", C, resumes=resumes)


def test_a_market_whose_item_is_invalid_is_not_quoted() -> None:
    with scene() as stage:
        boto3.client("dynamodb").update_item(
            TableName=CONFIG_TABLE,
            Key={"pk": {"S": "dora"}, "sk": {"S": f"MARKET#{C}"}},
            UpdateExpression="SET quote_size = :ten",
            ExpressionAttributeValues={":ten": {"S": "ten"}},
        )
        stage.run(1)
        assert {ticker for ticker, _ in resting(stage.world)} == {A, B}
        assert stage.seen.facts("CONFIG_INVALID")
        stage.world.put_market(C, config_items.MARKET)
        quotes_everything(stage)


def test_a_market_with_an_order_of_others_of_unknown_size_is_not_quoted() -> None:
    with scene() as stage:
        stage.faults.now(Fault(kind="foreign-rows", where="GET /portfolio/orders", code=f"counts {C}"))
        stops_only(stage, C, "read_unknown")
        stage.faults.clear()
        quotes_everything(stage)


def test_a_market_that_is_not_active_is_not_quoted() -> None:
    with scene() as stage:
        stage.world.exchange.settle(C, "yes")
        stops_only(stage, C, "market_not_active")
