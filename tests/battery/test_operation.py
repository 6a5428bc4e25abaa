"""Scenarios 61 to 68: ticks, edits, upgrades, other accounts, new markets, dry runs and the watch.

Of scenario 63 the bot has only one half, for it heals no drift: positions are moved by fills alone, and what
the exchange counts beyond them is reported and allowed for until the fills arrive.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from dora import wiring
from dora.core.reasons import Reason
from functions.cycle.app import lambda_handler as cycle_handler
from functions.session.app import lambda_handler as session_handler
from tests.battery.answers import Heard
from tests.battery.scene import CREATE, FILLS, HOLD_CYCLES, SLOTS, Scene, fill, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import (
    START_MS,
    TICKERS,
    Seen,
    broken,
    resting,
    set_book,
    setup,
    small_aws_world,
    spec,
)
from tests.world import config_items, promises
from tests.world.bot import Bot, DeployedBot, Env
from tests.world.bot_clock import BotClock
from tests.world.disruption import Disruption
from tests.world.lambda_context import CYCLE_TIMEOUT_MS, LambdaContext
from tests.world.setup import CONFIG_TABLE, STATE_TABLE

A, B, C = TICKERS
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stored(table: str = STATE_TABLE) -> dict[str, Mapping[str, Any]]:
    """Every item of a table by its keys."""
    items = boto3.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    return {f"{item['pk']['S']} {item['sk']['S']}": item for item in items}


# --- 61: ticks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("late_ms", [-3_600_000, -6_000, 91_000, 120_000, DAY_MS])
def test_scenario_61_a_tick_of_another_time_is_refused_and_stores_nothing(late_ms: int) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        before, heard = stored(), Heard(stage)
        answer = stage.world.cycle(scheduled_at=iso(stage.world.next_tick_ms() - late_ms))

        assert (answer["status"], answer["reason"]) == ("skipped", Reason.TICK_STALE)
        assert heard.requests == []
        assert stored() == before
        stage.run(1)
        stage.sound()


@pytest.mark.parametrize("late_ms", [-5_000, 0, 59_000])
def test_scenario_61_a_tick_that_is_a_little_off_is_taken(late_ms: int) -> None:
    with scene() as stage:
        answer = stage.world.cycle(scheduled_at=iso(stage.world.next_tick_ms() - late_ms))

        assert (answer["status"], answer["placed"]) == ("completed", SLOTS)
        stage.sound()


# --- 62: edits ---------------------------------------------------------------------------------------


def edit(sort_key: str, expression: str, value: Mapping[str, Any]) -> None:
    """As in the console."""
    boto3.client("dynamodb").update_item(
        TableName=CONFIG_TABLE,
        Key={"pk": {"S": "dora"}, "sk": {"S": sort_key}},
        UpdateExpression=expression,
        ExpressionAttributeValues={":new": value},
    )


@pytest.mark.parametrize("sort_key, expression, value, left", [
    (f"MARKET#{A}", "SET quote_size = :new", {"N": "4"}, [400, 400, 1_000, 1_000, 1_000, 1_000]),
    (f"MARKET#{A}", "SET enabled = :new", {"BOOL": False}, [1_000] * 4),
    (f"MARKET#{A}", "SET max_spread_dollars = :new", {"N": "0.01"}, [1_000] * 4),
    ("GLOBAL", "SET trading_enabled = :new", {"BOOL": False}, []),
], ids=["size", "disabled", "spread", "global"])  # fmt: skip
@pytest.mark.parametrize("during", [False, True])
def test_scenario_62_an_edit_behind_our_back_counts_from_the_next_cycle_on(
    sort_key: str, expression: str, value: Mapping[str, Any], left: list[int], during: bool
) -> None:
    with scene() as stage:
        if during:
            stage.meanwhile(CREATE, lambda: edit(sort_key, expression, value))
        stage.run(1)
        before = stage.slots()
        edit(sort_key, expression, value)
        stage.run(1)
        counts = sorted(orders[0][1] for orders in resting(stage.world).values())

        assert before == SLOTS
        assert counts == left
        assert not broken(stage.world)


# --- 63: drift ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
@pytest.mark.parametrize("late", ["fills", "positions"])
def test_scenario_63_fills_that_lag_behind_positions_are_booked_once_and_nothing_is_made_up(
    knobs: Knobs, late: str
) -> None:
    items = dict.fromkeys(TICKERS, {**config_items.MARKET, "max_position": 15})
    with scene(knobs, items=items) as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="lag", where=late, amount=150_000))
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        answers = stage.run(2)
        booked = stage.world.bot.positions().keys()
        answers += stage.run(3)
        stage.faults.clear()
        (last,) = stage.run(1)

        assert bool(booked) is (late == "positions")
        assert {answer["drift"] for answer in answers} == {0, 1}
        assert last["drift"] == 0
        assert stage.world.bot.positions()[A].net == 1_000
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        assert not broken(stage.world)
        stage.sound()


# --- 64: upgrade and roll back ------------------------------------------------------------------------


def version(change: int) -> None:
    """Another version of Dora has written every item of the state."""
    table = boto3.client("dynamodb")
    for item in stored().values():
        newer = {"N": str(int(item["v"]["N"]) + change)}
        table.put_item(TableName=STATE_TABLE, Item={**item, "v": newer})


@pytest.mark.parametrize("lost", ["lose-answer", "lose-request"])
def test_scenario_64_a_state_that_a_newer_version_wrote_is_left_alone_with_its_unknowns(lost: str) -> None:
    with scene() as stage:
        stage.struck(Fault(kind=lost, where=CREATE))
        version(+1)
        before, heard = stored(), Heard(stage)
        stage.cold_start()
        answers = stage.run(2)
        untouched, sent = stored() == before, heard.writes()
        version(-1)
        stage.cold_start()
        stage.run(HOLD_CYCLES)

        assert {answer["status"] for answer in answers} == {"failed"}
        assert {answer["reason"] for answer in answers} == {"StateTooNew"}
        assert (untouched, sent) == (True, [])
        stage.sound()


# --- 65: another subaccount -----------------------------------------------------------------------------


def test_scenario_65_orders_fills_and_positions_of_another_subaccount_are_nobodys() -> None:
    items = dict.fromkeys(TICKERS, {**config_items.MARKET, "max_position": 15})
    with scene(items=items) as stage:
        world, exchange = stage.world, stage.world.exchange
        prefix = exchange.invariants.expectations.prefix
        exchange.add_subaccount(world.member, 3, dict.fromkeys((0, 1, 2), 1_000_000_000))
        more: dict[str, Any] = {"subaccount": 3, "client_order_id": f"{prefix}not-ours"}
        exchange.member_order(world.member, A, "bid", 4_500, 2_000, **more)
        exchange.background_take(A, "ask", 4_500, 1_200)
        answers = stage.run(3)
        theirs = [order for order in world.member.resting.values() if order.account.number == 3]
        ours = [o for o in world.member.resting.values() if o.account.number == 0]

        assert len(theirs) == 1
        assert {order.remaining_e2 for order in ours} == {1_000}
        assert len(ours) == SLOTS
        assert world.bot.positions().keys() == set()
        assert {answer["drift"] for answer in answers} == {0}
        assert world.teardown()["status"] == "closed"
        assert [order.account.number for order in world.member.resting.values()] == [3]
        assert not broken(world)


# --- 66: markets roll over -------------------------------------------------------------------------------


NEXT = "KXA-26NOV22-T1"


def test_scenario_66_orders_of_a_market_that_rolled_over_are_drained_and_the_next_one_is_quoted() -> None:
    markets = (
        spec(A, 0, close_ms=START_MS + 65 * MINUTE_MS),
        *(spec(ticker, shard) for shard, ticker in ((1, B), (2, C))),
        spec(NEXT, 0, close_ms=START_MS + 2 * DAY_MS),
    )
    items = dict.fromkeys((B, C), config_items.MARKET)
    with scene(markets=markets, items=items, started=False) as stage:
        world = stage.world
        series = {**config_items.MARKET, "max_markets": 1}
        boto3.client("dynamodb").put_item(
            TableName=CONFIG_TABLE, Item=config_items.as_attributes("dora", "SERIES#KXA", series)
        )
        for ticker in (A, NEXT):
            promises.declare_market(world.exchange.invariants.expectations, ticker, config_items.MARKET)
        world.exchange.set_background_book(NEXT, [(4400, 50_000)], [(4700, 50_000)])
        assert world.start()["status"] == "active"
        stage.run(1)
        first = {order.market.ticker for order in world.member.resting.values()}
        fill(world, A, "bid")
        set_book(world, A)
        stage.run(14)
        later = Counter(order.market.ticker for order in world.member.resting.values())

        assert first == {A, B, C}
        assert later == {NEXT: 2, B: 2, C: 2, A: 1}
        assert world.status()["positions"] == {A: "10.00"}
        assert [order.remaining_e2 for order in world.resting(A, "ask")] == [1_000], "the way out alone"
        assert world.exchange.stats.cancels_404 == 0
        assert not broken(world)


# --- 67: a dry run beside ----------------------------------------------------------------------------------


class Dry:
    """A second deployment on the same tables, with DRY_RUN set."""

    def __init__(self, app: wiring.App, live: wiring.App, seen: Seen) -> None:
        self._app, self._live, self._seen = app, live, seen

    def cycle(self, tick_ms: int) -> Mapping[str, Any]:
        tick = {"action": "cycle", "scheduled_at": iso(tick_ms)}
        return self._run(lambda context: cycle_handler(tick, context))

    def session(self, action: str) -> Mapping[str, Any]:
        return self._run(lambda context: session_handler({"action": action}, context))

    def _run(self, handler: Any) -> Mapping[str, Any]:
        clock = self._seen.world.clock
        wiring.install(self._app)
        try:
            context = LambdaContext(clock, clock.now_ms() + CYCLE_TIMEOUT_MS, "dry", "dora-dry")
            answer: Mapping[str, Any] = handler(context)
            return answer
        finally:
            wiring.install(self._live)


@contextmanager
def live_and_dry() -> Iterator[tuple[Seen, Dry]]:
    apps = list[wiring.App]()

    @contextmanager
    def deploy(env: Env, clock: BotClock, adapter: Any) -> Iterator[Bot]:
        for dry_run in ("true", "false"):
            jitter: dict[str, Any] = {"jitter_ms": lambda span_ms: span_ms // 2}
            apps.append(wiring.build({**env, "DRY_RUN": dry_run}, clock=clock, adapter=adapter, **jitter))
        wiring.install(apps[1])
        try:
            yield DeployedBot(apps[1].settings.state_table, apps[1].settings.state_key)
        finally:
            wiring.install(None)

    with small_aws_world(setup(), deploy) as seen:
        yield seen, Dry(apps[0], apps[1], seen)


def test_scenario_67_a_dry_run_beside_a_live_bot_writes_nothing_and_freezes_nothing() -> None:
    with live_and_dry() as (seen, dry):
        world = seen.world
        before = Heard(Scene(seen, Disruption()))
        assert dry.session("start")["status"] == "active"
        tick_ms = world.next_tick_ms()
        world.clock.advance_to(tick_ms)
        alone = dry.cycle(tick_ms)
        written = before.writes()
        assert world.start()["status"] == "active"
        live = [world.cycle()]
        for bid_e4 in (4400, 4500, 4500, 4400):
            set_book(world, A, bid_e4, bid_e4 + 300)
            tick_ms = world.next_tick_ms()
            sent = len(before.writes())
            live.append(world.cycle())
            beside = dry.cycle(tick_ms)
            assert (beside["status"], beside["reason"]) == ("completed", "dry_run")
            assert len(before.writes()) >= sent
        sent = len(before.writes())
        assert dry.cycle(tick_ms)["reason"] == Reason.TICK_SEEN
        assert dry.session("halt")["halted"] is True
        assert dry.session("teardown")["status"] == "closed"
        assert len(before.writes()) == sent
        world.cycle()

        assert (written, alone["reason"]) == ([], "dry_run")
        assert {answer["status"] for answer in live} == {"completed"}
        assert len(resting(world)) == SLOTS
        assert {item["pk"]["S"] for item in stored().values()} >= {"dora", "dora#dry"}
        assert not broken(world)


# --- 68: the watch -----------------------------------------------------------------------------------------


def test_scenario_68_a_watch_beside_a_cycle_that_is_merely_slow_leaves_it_alone() -> None:
    with scene(
        Knobs(write_latency_ms=4_000), globals={**config_items.GLOBAL, "create_batch_size": 2}
    ) as stage:
        stage.run(1)
        stage.move()
        answers = list[Mapping[str, Any]]()
        stage.meanwhile(CREATE, lambda: answers.append(stage.world.session("session_watch")))
        stage.run(2)

        assert [answer["status"] for answer in answers] == ["ok"]
        stage.sound()


@pytest.mark.parametrize("code, http", [
    ("order_group_triggered", 400), ("EXCEEDED_ORDER_GROUP_RISK_LIMIT", 409),
])  # fmt: skip
def test_scenario_68_a_watch_that_fires_while_a_late_cycle_places_takes_everything_off(
    code: str, http: int
) -> None:
    with scene(Knobs(triggered_group_code=code, triggered_group_http=http)) as stage:
        stage.run(1)
        stage.move()
        stage.world.clock.advance_ms(4 * MINUTE_MS)
        answers = list[Mapping[str, Any]]()
        stage.meanwhile(CREATE, lambda: answers.append(stage.world.session("session_watch")))
        cycle = stage.world.cycle()
        live = stage.world.open_orders()
        (after,) = stage.run(1)
        reset = stage.world.session("session_reset")
        stage.run(2)

        assert [answer["status"] for answer in answers] == ["triggered"]
        assert (cycle["placed"], live) == (0, 0)
        assert (after["status"], after["reason"]) == ("halted", Reason.SESSION_NOT_ACTIVE)
        assert reset["status"] == "active"
        stage.sound()
