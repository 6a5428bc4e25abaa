"""Scenarios 36 and 45 to 53: what is not ours, clocks, losses, switches, a state that fails, configs,
keys, words, cash, ourselves and events."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest

from dora.core.reasons import Reason
from tests.battery.answers import Content, Heard, Retold
from tests.battery.scene import CANCEL, CREATE, HOLD_CYCLES, SLOTS, Scene, fill, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.simulator.model import MarketSpec
from tests.support.small_world import TICKERS, broken, resting, set_book, setup, small_aws_world, spec
from tests.world import config_items
from tests.world.bot import Bot, Env
from tests.world.bot_clock import BotClock
from tests.world.disruption import Disruption
from tests.world.outside_calls import Killed
from tests.world.setup import CONFIG_TABLE

A, B, C = TICKERS
QUIET = {(ticker, side) for ticker in (B, C) for side in ("bid", "ask")}
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DOLLAR_E6 = 1_000_000
WRITES = (CREATE, CANCEL)
CASH = (Knobs(), Knobs(balance_counts_resting_as_spent=True))
PLAN = "TransactWriteItems Put PLAN"


def configured(**changes: Any) -> Mapping[str, config_items.Item]:
    return dict.fromkeys(TICKERS, {**config_items.MARKET, **changes})


def governed(**changes: Any) -> config_items.Item:
    return {**config_items.GLOBAL, **changes}


def by_hand(stage: Scene, side: str, price_e4: int, count_e2: int, ticker: str = A) -> None:
    world = stage.world
    world.exchange.member_order(world.member, ticker, side, price_e4, count_e2, client_order_id="by-hand")


def facts(stage: Scene, event_type: str, field: str) -> list[Any]:
    return [fact[field] for fact in stage.seen.facts(event_type)]


# --- 36: not ours -------------------------------------------------------------------------------


@pytest.mark.parametrize("knobs", CASH, ids=unlike)
@pytest.mark.parametrize("filled", [False, True])
def test_scenario_36_what_was_done_by_hand_is_left_alone_and_counts_in_the_caps(
    knobs: Knobs, filled: bool
) -> None:
    with scene(knobs, items=configured(max_position=15)) as stage:
        by_hand(stage, "bid", 4400, 1_000)
        if filled:
            stage.world.exchange.set_background_book(A, [], [])
            assert stage.world.exchange.background_take(A, "ask", 4400, 1_000) == 1_000
            set_book(stage.world, A)
        stage.run(3)
        left = [o for o in stage.world.member.resting.values() if o.client_order_id == "by-hand"]
        sizes = {slot: orders[0][1] for slot, orders in resting(stage.world).items()}

        assert len(left) == (0 if filled else 1)
        assert (sizes[A, "bid"], sizes[B, "bid"]) == (500, 1_000)
        assert stage.world.bot.positions().keys() == ({A} if filled else set())
        stage.sound()


# --- 45: clocks ----------------------------------------------------------------------------------


@contextmanager
def with_clock(**changes: Any) -> Iterator[tuple[Scene, BotClock]]:
    """A running scene, and the bot's own clock in hand."""
    faults, clocks = Disruption(), list[BotClock]()

    @contextmanager
    def deploy(env: Env, clock: BotClock, adapter: Any) -> Iterator[Bot]:
        clocks.append(clock)
        with faults.deploy(env, clock, adapter) as bot:
            yield bot

    with small_aws_world(setup(**changes), deploy) as seen:
        faults.join(seen.world)
        assert seen.world.start()["status"] == "active"
        seen.world.clock.advance_ms(10_000)
        yield Scene(seen, faults), clocks[0]


@pytest.mark.parametrize("skew_ms, reasons", [
    (1_500, {""}),
    (-1_500, {""}),
    (4_000, {Reason.CLOCK_SKEW}),
    (-4_000, {Reason.CLOCK_SKEW}),
    (30_000, {Reason.AUTH_REFUSED}),
    (-30_000, {Reason.TICK_STALE}),
])  # fmt: skip
def test_scenario_45_a_clock_that_is_off_quotes_within_two_seconds_and_else_refuses(
    skew_ms: int, reasons: set[str]
) -> None:
    with with_clock() as (stage, clock):
        stage.run(1)
        before = resting(stage.world)
        stage.move()
        clock.skew_ms = skew_ms
        answers = stage.run(3)
        meanwhile = resting(stage.world)
        clock.skew_ms = 0
        stage.run(HOLD_CYCLES)

        assert {answer["reason"] for answer in answers} == reasons
        # Dangerous quotes may go, and nothing may come.
        only_kept = all(before.get(slot) == orders for slot, orders in meanwhile.items())
        assert only_kept is (reasons != {""})
        stage.sound()


def test_scenario_45_a_clock_that_steps_back_earns_no_tokens_and_breaks_nothing() -> None:
    with with_clock(tier="basic") as (stage, clock):
        for skew_ms in (1_500, -1_500, 1_500, -1_500):
            clock.skew_ms = skew_ms
            stage.move(4400 + 100 * (skew_ms > 0))
            stage.run(1)
        clock.skew_ms = 0
        stage.run(2)

        assert not stage.seen.facts("RATE_LIMIT")
        stage.sound()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def shifted(start_ms: int) -> tuple[MarketSpec, ...]:
    return tuple(
        spec(ticker, shard, open_ms=start_ms - DAY_MS, close_ms=start_ms + DAY_MS)
        for shard, ticker in enumerate(TICKERS)
    )


@pytest.mark.parametrize("start, halts", [
    ("2026-11-02T03:30", True),
    ("2026-11-02T04:30", False),
    ("2026-11-01T03:30", False),
    ("2027-03-14T04:30", False),
    ("2027-03-15T03:30", False),
    ("2027-03-15T04:30", True),
])  # fmt: skip
def test_scenario_45_the_day_of_the_loss_ends_at_midnight_in_new_york_also_when_clocks_change(
    start: str, halts: bool
) -> None:
    start_ms = at(start)
    limited = governed(max_daily_loss_dollars=2)
    with scene(start_ms=start_ms, markets=shifted(start_ms), globals=limited) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A, 3000, 3300)
        (lost,) = stage.run(1)
        stage.world.clock.advance_to(start_ms + HOUR_MS)
        stage.run(1)
        set_book(stage.world, A, 2400, 2700)
        stage.run(1)

        assert lost["status"] == "completed"
        assert stage.world.status()["halted"] is halts


# --- 46: losses -----------------------------------------------------------------------------------


def lose(stage: Scene) -> None:
    """Exactly $2.00 at the bid that would close the position."""
    (order,) = stage.world.resting(A, "bid")
    fill(stage.world, A, "bid")
    set_book(stage.world, A, order.price_e4 - 2_000, order.price_e4 - 1_700)


@pytest.mark.parametrize("limit, halted", [("2", True), ("2.01", False)])
def test_scenario_46_a_loss_that_reaches_its_limit_halts_and_outlives_a_cold_start(
    limit: str, halted: bool
) -> None:
    limits = governed(max_daily_loss_dollars=Decimal(limit), reduce_at_percent=100)
    with scene(globals=limits) as stage:
        stage.run(1)
        lose(stage)
        stage.run(1)
        stage.faults.calls.kill_after(0)
        with pytest.raises(Killed):
            stage.world.cycle()
        set_book(stage.world, A)
        stage.run(2)
        latched = stage.world.status()["halted"], bool(resting(stage.world))
        stage.world.session("session_resume")
        stage.run(2)

        assert latched == (halted, not halted)
        assert resting(stage.world).keys() >= QUIET
        assert not broken(stage.world)


@pytest.mark.parametrize("read", ["positions", "fills", "balance"])
def test_scenario_46_while_the_profit_is_unknown_no_risk_is_added(read: str) -> None:
    with scene(globals=governed(max_daily_loss_dollars=2)) as stage:
        stage.run(1)
        lose(stage)
        heard = Heard(stage)
        answer = stage.struck(Fault(kind="refuse", where=f"GET /portfolio/{read}"))
        placed = heard.labels().count(CREATE)
        stage.run(1)

        assert (answer["placed"], placed) == (0, 0)
        assert stage.world.status()["halted"] is True
        assert not broken(stage.world)


# --- 47: the kill switch ----------------------------------------------------------------------------


def test_scenario_47_a_halt_during_the_cancels_lets_them_pass_and_stops_every_placement() -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        stage.meanwhile(CANCEL, lambda: stage.world.session("session_halt", reason="lunch"))
        answer = stage.world.cycle()

        assert (answer["cancelled"], answer["placed"], answer["reason"]) == (SLOTS, 0, Reason.HALTED)
        assert stage.world.open_orders() == 0
        stage.world.session("session_resume")
        stage.run(2)
        stage.sound()


def test_scenario_47_a_halt_during_the_placements_is_seen_before_the_next_look_is_six_seconds_old() -> None:
    with scene(Knobs(write_latency_ms=3_000), globals=governed(create_batch_size=1)) as stage:
        stage.meanwhile(CREATE, lambda: stage.world.session("session_halt", reason="lunch"))
        answer = stage.world.cycle()
        (after,) = stage.run(1)

        assert (answer["placed"], answer["reason"]) == (2, Reason.HALTED)
        assert (after["cancelled"], stage.world.open_orders()) == (2, 0)
        assert not broken(stage.world)


# --- 48: a state that fails ---------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["Query", PLAN, "UpdateItem LEASE"])
@pytest.mark.parametrize("kind", [
    "aws-throttle", *(pytest.param(k, marks=pytest.mark.long) for k in ("aws-lose-request", "aws-lose-reply"))
])  # fmt: skip
def test_scenario_48_without_a_journal_nothing_is_sent(kind: str, where: str) -> None:
    with scene() as stage:
        heard = Heard(stage)
        answer = stage.struck(Fault(kind=kind, where=where))
        sent = heard.writes()
        stage.run(HOLD_CYCLES + 1)

        assert answer["status"] in ("failed", "skipped")
        assert sent == []
        stage.sound()


@pytest.mark.parametrize("kind", ["aws-throttle", "aws-lose-request"])
def test_scenario_48_a_state_that_takes_no_writes_does_not_keep_the_groups_from_being_triggered(
    kind: str,
) -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(
            Fault(kind=kind, where="PutItem *"),
            Fault(kind=kind, where="UpdateItem *"),
            Fault(kind=kind, where="TransactWriteItems *"),
        )
        answer = stage.world.session("session_teardown")
        live = stage.world.open_orders()
        stage.faults.clear()
        stage.world.next_minute()

        assert (answer["status"] in ("failed", "closing"), live) == (True, 0)
        assert stage.world.teardown()["status"] == "closed"
        assert not broken(stage.world)


# --- 49: configs ----------------------------------------------------------------------------------


def edit(sort_key: str, expression: str | None, **values: Any) -> None:
    key = {"pk": {"S": "dora"}, "sk": {"S": sort_key}}
    table = boto3.client("dynamodb")
    if expression is None:
        table.delete_item(TableName=CONFIG_TABLE, Key=key)
        return
    named = {f":{name}": value for name, value in values.items()}
    table.update_item(
        TableName=CONFIG_TABLE, Key=key, UpdateExpression=expression, ExpressionAttributeValues=named
    )


@pytest.mark.parametrize("expression, values", [
    (None, {}),
    ("SET quote_sise = :n", {"n": {"N": "5"}}),
    ("SET quote_size = :n", {"n": {"N": "-5"}}),
    ("SET enabled = :n", {"n": {"S": "yes"}}),
], ids=["removed", "misspelt", "negative", "text"])  # fmt: skip
def test_scenario_49_a_market_without_a_valid_config_is_drained_and_its_position_kept(
    expression: str | None, values: dict[str, Any]
) -> None:
    with scene() as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        stage.run(2)
        edit(f"MARKET#{A}", expression, **values)
        answers = stage.run(2)

        assert {ticker for ticker, _ in resting(stage.world)} == {B, C}
        assert stage.world.status()["positions"] == {A: "10.00"}
        assert [answer["drift"] for answer in answers] == [0, 0]
        assert not broken(stage.world)


def test_scenario_49_an_invalid_global_item_quotes_nothing_says_so_and_is_over_once_it_is_mended() -> None:
    with scene() as stage:
        stage.run(1)
        edit("GLOBAL", "SET max_open_orders = :n", n={"N": "-1"})
        stage.move()
        stage.run(2)

        assert set(facts(stage, "CONFIG_INVALID", "where")) == {"GLOBAL"}
        assert not resting(stage.world)
        edit("GLOBAL", "SET max_open_orders = :n", n={"N": "2000"})
        stage.run(1)
        stage.sound()


# --- 50: keys and words ---------------------------------------------------------------------------------


def test_scenario_50_a_key_that_is_refused_is_not_tried_again_and_again() -> None:
    with scene() as stage:
        stage.run(1)
        usual = Heard(stage)
        stage.run(1)
        normal = len(usual.requests)
        stage.move()
        heard = Heard(stage)
        answer = stage.struck(Fault(kind="refuse", where="*", amount=401, code="authentication_error"))
        asked, sent = len(heard.requests), heard.writes()
        stage.run(2)

        assert (answer["status"], answer["reason"]) == ("degraded", Reason.AUTH_REFUSED)
        assert (sent, asked <= normal) == ([], True)
        assert stage.seen.facts("ERROR")
        stage.sound()


def test_scenario_50_a_key_that_may_only_read_is_told_so_once_a_cycle() -> None:
    with scene() as stage:
        heard = Heard(stage)
        answer = stage.struck(Fault(kind="refuse", where=CREATE, amount=403, code="permission_denied"))
        sent = heard.writes()
        stage.run(HOLD_CYCLES)

        assert (answer["placed"], answer["failed"], sent) == (0, SLOTS, [CREATE])
        stage.sound()


LISTS = ("orders", "fills", "positions", "balance", "order_groups")


def rows(content: Content) -> list[Content]:
    return [row for value in content.values() if isinstance(value, list) for row in value]


@pytest.mark.parametrize("read", [*(f"/portfolio/{name}" for name in LISTS), "/markets", "/exchange/status"])
def test_scenario_50_a_field_that_nobody_knows_is_tolerated(read: str) -> None:
    with scene() as stage:
        told = [0]

        def embellish(content: Content) -> None:
            for entry in (content, *rows(content)):
                entry["surprise"] = {"new": ["field", None, 1.5]}
            told[0] += 1

        Retold(stage, f"GET {read}", embellish)
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        stage.run(2)

        assert told[0] >= 3
        stage.sound()


@pytest.mark.parametrize("read, change", [
    ("/portfolio/orders", lambda row: row.update(status="hibernating")),
    ("/portfolio/orders", lambda row: row.pop("remaining_count_fp")),
    ("/portfolio/positions", lambda row: row.pop("position_fp", None)),
    ("/portfolio/fills", lambda row: row.pop("fee_cost")),
    ("/portfolio/order_groups", lambda row: row.pop("is_auto_cancel_enabled")),
], ids=["status", "remaining", "position", "fee", "group"])  # fmt: skip
def test_scenario_50_a_field_that_matters_and_is_gone_places_nothing_while_it_is(
    read: str, change: Callable[[Content], object]
) -> None:
    with scene() as stage:
        stage.run(1)
        fill(stage.world, A, "bid", 500)
        set_book(stage.world, A)
        stage.run(1)
        stage.move()
        told = Retold(stage, f"GET {read}", lambda content: [change(row) for row in rows(content)])
        heard = Heard(stage)
        answers = stage.run(2)
        sent = heard.writes()
        told.over()
        stage.run(2)

        assert {answer["reason"] for answer in answers} == {Reason.READ_UNKNOWN}
        # Where the orders themselves were read, those that became dangerous are cancelled all the same.
        assert set(sent) == (set() if read == "/portfolio/orders" else {CANCEL})
        stage.sound()


def test_scenario_50_a_market_in_a_state_that_nobody_knows_is_not_quoted_and_spoils_no_other() -> None:
    with scene() as stage:
        stage.run(1)

        def hibernate(content: Content) -> None:
            content["markets"][0]["status"] = "hibernating"

        told = Retold(stage, "GET /markets", hibernate)
        stage.run(1)
        left = len(resting(stage.world))
        told.over()
        stage.run(1)

        assert left == SLOTS - 2
        stage.sound()


# --- 51: cash ------------------------------------------------------------------------------------------


SHORT = (
    Knobs(),
    Knobs(short_balance_code="available_balance_too_low"),
    Knobs(balance_counts_resting_as_spent=True),
    Knobs(unfunded_shard_code="user_not_found"),
)


def drain(stage: Scene, shard: int, left_e6: int, to_shard: int | None = None) -> None:
    """All but this much leaves a shard, perhaps for another one."""
    account, now_ms = stage.world.member.accounts[0], stage.world.clock.now_ms()
    taken_e6 = account.cash_e6[shard] - left_e6
    account.move(shard, -taken_e6)
    account.stamp_cash(shard, now_ms)
    if to_shard is not None:
        account.move(to_shard, taken_e6)
        account.stamp_cash(to_shard, now_ms)


@pytest.mark.parametrize("knobs", SHORT, ids=unlike)
@pytest.mark.parametrize("left_e6", [0, DOLLAR_E6])
def test_scenario_51_a_shard_whose_cash_left_between_read_and_post_is_refused_once(
    knobs: Knobs, left_e6: int
) -> None:
    with scene(knobs) as stage:
        stage.meanwhile(CREATE, lambda: drain(stage, 2, left_e6, to_shard=0))
        heard = Heard(stage)
        answers = stage.run(3)
        named = [request for request in heard.requests if C.encode() in request.body]
        drain(stage, 0, 20_000 * DOLLAR_E6, to_shard=2)
        stage.run(1)

        assert [answer["failed"] for answer in answers] == [2, 0, 0]
        assert [answer["placed"] for answer in answers] == [SLOTS - 2, 0, 0]
        assert len(named) == 1
        stage.sound()


@pytest.mark.parametrize("knobs", CASH, ids=unlike)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_scenario_51_cash_that_orders_hold_is_not_spent_again_whether_it_is_listed_or_not(
    knobs: Knobs, elsewhere: bool
) -> None:
    ladder = configured(levels=2)
    with scene(knobs, items={C: ladder[C]} if elsewhere else ladder, cash_dollars=12) as stage:
        if elsewhere:
            stage.world.exchange.add_market(spec("KXBYHAND-26NOV21-T1", 2))
            by_hand(stage, "bid", 1000, 2_000, "KXBYHAND-26NOV21-T1")
        answers = stage.run(4)

        assert [answer["failed"] for answer in answers] == [0, 0, 0, 0]
        assert answers[0]["placed"] > 0
        assert stage.seen.facts("CYCLE")[0]["slots_cash"] > 0
        assert not broken(stage.world)


# --- 52: ourselves ---------------------------------------------------------------------------------------


def test_scenario_52_a_quote_never_meets_an_order_of_our_own_account() -> None:
    with scene() as stage:
        set_book(stage.world, A, 4200, 4900)
        by_hand(stage, "ask", 4300, 300)
        heard = Heard(stage)
        answers = stage.run(3)
        creates = [request.body for request in heard.requests if request.method == "POST"]

        assert [answer["failed"] for answer in answers] == [0, 0, 0]
        assert all(price_e4 < 4300 for price_e4, _ in resting(stage.world).get((A, "bid"), []))
        assert creates
        assert all(b'"self_trade_prevention_type"' in body for body in creates)
        assert stage.seen.facts("CYCLE")[0]["slots_self_cross"] == 1
        assert not broken(stage.world)


# --- 53: events ------------------------------------------------------------------------------------------


def one_event(exclusive: bool) -> tuple[MarketSpec, ...]:
    shared = {"event_ticker": "KXA-26NOV21", "series_ticker": "KXA", "mutually_exclusive": exclusive}
    return tuple(spec(ticker, 0, **shared) for ticker in TICKERS)


def worst_e6(stage: Scene, exclusive: bool) -> int:
    """What the positions lose at most, over every outcome of the event."""
    held = list(stage.world.bot.positions().values())
    sunk = sum(position.fees - position.cash for position in held)
    if exclusive:
        wins = [position.net * 10_000 for position in held]
        return sunk - min(0, *wins)
    return sunk - sum(min(0, position.net * 10_000) for position in held)


@pytest.mark.parametrize("side, bid_e4, exclusive", [
    ("bid", 4400, True),
    ("ask", 4400, False),
    pytest.param("bid", 4400, False, marks=pytest.mark.long),
    pytest.param("ask", 2000, True, marks=pytest.mark.long),
])  # fmt: skip
def test_scenario_53_an_event_of_which_every_outcome_fills_on_one_side_stays_within_its_cap(
    side: str, bid_e4: int, exclusive: bool
) -> None:
    cap = 20
    with scene(markets=one_event(exclusive), globals=governed(max_event_loss_dollars=cap)) as stage:
        stage.move(bid_e4)
        worst = []
        for _ in range(8):
            stage.run(1)
            for ticker in TICKERS:
                if stage.world.resting(ticker, side):
                    fill(stage.world, ticker, side)
                    set_book(stage.world, ticker, bid_e4, bid_e4 + 300)
            stage.run(1)
            worst.append(worst_e6(stage, exclusive))

        assert cap * DOLLAR_E6 // 2 < max(worst) <= cap * DOLLAR_E6
        assert any("slots_event_cap" in fact for fact in stage.seen.facts("CYCLE"))
        assert not broken(stage.world)
