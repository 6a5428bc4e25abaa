"""Each alarm goes off when what it stands for happens, stays off while all is well, and the status agrees."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.house.alarms import Minute, fires, metrics_in
from tests.house.cloudformation import template
from tests.house.translated import of_kind, translated
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request
from tests.support.small_world import TICKERS, Scripted, resting, set_book, setup
from tests.world import config_items
from tests.world.output import Catcher, printed_to
from tests.world.setup import CONFIG_TABLE, STATE_TABLE
from tests.world.world import MINUTE_MS, World, open_world

A, B, C = TICKERS
ALARMS = of_kind(translated(), "AWS::CloudWatch::Alarm")
OURS = {name: own for name, own in ALARMS.items() if own["Namespace"] == "Dora"}
BATCH = "/portfolio/events/orders/batched"


Told = Mapping[str, Any]


def _somebody_else(told: Told) -> bool:
    return told["orders_of_others"] > 0 or told["cash"]["unexplained_dollars"] not in (None, "0.000000")


def _silent_or_none(told: Told) -> bool:
    """With its state gone, the status cannot be told either: the alarm's text says what that means."""
    return told["status"] == "failed" or "silent" in told["why_not_quoting"]


AGREES: dict[str, Callable[[Told], bool]] = {
    "HeartbeatAlarm": _silent_or_none,
    "InvocationsFailedAlarm": lambda told: told["status"] == "failed" and "not found" in told["message"],
    "ConfigAlarm": lambda told: told["last_cycle_reason"] == "config_invalid",
    "TeardownAlarm": lambda told: told["status"] == "closing",
    "TradingStoppedAlarm": lambda told: bool(told["stopped_by"]),
    "QuotesMissingAlarm": lambda told: bool(told["quotes_missing"] and told["markets_not_quoted"]),
    "OrdersUnresolvedAlarm": lambda told: told["orders_unresolved"] > 0 and told["unproven_orders"] > 0,
    "WritesFailedAlarm": lambda told: told["writes_failed_percent"] >= 50,
    "PositionDriftAlarm": lambda told: told["drift"] > 0,
    "LossLimitNearAlarm": lambda told: told["loss_limit_percent"] >= 80,
    "BudgetUsedUpAlarm": lambda told: told["dropped"] > 0,
    "ExternalActivityAlarm": _somebody_else,
}
"""Our alarms, and what the status says while they are on. It asks neither Lambda nor SQS."""


class Watched:
    """A world whose metrics are kept, minute by minute."""

    def __init__(self, world: World, catcher: Catcher) -> None:
        self.world, self._catcher = world, catcher
        self.minutes: list[Minute] = []

    def minute(self) -> dict[str, Any]:
        """One cycle and its metrics."""
        answer = self.world.cycle()
        self.noted()
        return dict(answer)

    def noted(self) -> None:
        """Everything counted since the last minute, as one of its own."""
        self.minutes.append(metrics_in(self._catcher.take()))

    def on(self) -> set[str]:
        """Our alarms that are on now; of each of them the status says the same."""
        found = {name for name, alarm in OURS.items() if fires(alarm, self.minutes)}
        told = self.world.session("session_status") if found else {}
        assert {name for name in found if not AGREES[name](told)} == set(), told
        return found

    def silence(self, minutes: int) -> None:
        """No cycle."""
        self.world.clock.advance_ms(minutes * MINUTE_MS)
        self.minutes += [{}] * minutes


@contextmanager
def watched(**changes: Any) -> Iterator[Watched]:
    """A session that quotes, with a history of quiet minutes as long as any alarm looks back."""
    catcher = Catcher()
    with open_world(setup(**changes)) as world, printed_to(catcher.stream):
        for ticker in TICKERS:
            set_book(world, ticker)
        world.start()
        seen = Watched(world, catcher)
        quiet = seen.minute() and seen.minutes.pop()
        seen.minutes = [quiet] * 15
        yield seen


def globals_(**changes: Any) -> dict[str, Any]:
    return {**config_items.GLOBAL, **changes}


def fill(world: World, ticker: str, count_e2: int) -> None:
    """Somebody sells into the bot's bid."""
    (bid_e4, _), *_ = resting(world)[ticker, "bid"]
    world.exchange.set_background_book(ticker, [], [(4700, 50_000)])
    world.exchange.background_take(ticker, "ask", bid_e4, count_e2)
    set_book(world, ticker)


def test_an_hour_of_quoting_sets_no_alarm_off() -> None:
    with watched() as seen:
        for _ in range(60):
            seen.minute()
            assert seen.on() == set()


def test_heartbeat() -> None:
    with watched() as seen:
        seen.silence(3)

        assert seen.on() == {"HeartbeatAlarm"}


def test_a_halted_and_a_degraded_cycle_are_no_silence() -> None:
    with watched() as seen:
        seen.world.session("session_halt", reason="lunch")
        statuses = [seen.minute()["status"] for _ in range(2)]
        seen.world.exchange.faults = Scripted({"GET /portfolio/positions": "request"})
        seen.world.session("session_resume")
        statuses += [seen.minute()["status"] for _ in range(2)]

        assert statuses == ["halted", "halted", "degraded", "degraded"]
        assert "HeartbeatAlarm" not in seen.on()


def test_invocations_failed() -> None:
    with watched() as seen:
        boto3.client("dynamodb").delete_table(TableName=STATE_TABLE)
        for _ in range(3):
            seen.world.session("session_status")
            seen.noted()

        assert "InvocationsFailedAlarm" in seen.on()


def test_a_refused_event_is_no_failed_invocation() -> None:
    with watched() as seen:
        for _ in range(5):
            seen.world.session("session_status", bot="another")
            seen.minute()

        assert "InvocationsFailedAlarm" not in seen.on()


def test_a_digest_that_nobody_took_is_one_of_the_three_failed_invocations_and_no_more() -> None:
    """What the topic does not take, no alarm could say by it either: functions/README.md says what to do."""
    with watched(alarm_topic="arn:aws:sns:us-east-1:123456789012:gone") as seen:
        answer = seen.world.session("session_digest")
        seen.minute()

        assert answer["status"] == "failed"
        assert seen.minutes[-1]["InvocationsFailed"] == [1.0]
        assert seen.on() == set()


def test_config_invalid() -> None:
    with watched() as seen:
        wrong = config_items.as_attributes("dora", f"MARKET#{A}", {**config_items.MARKET, "quote_size": -1})
        boto3.client("dynamodb").put_item(TableName=CONFIG_TABLE, Item=wrong)
        for _ in range(2):
            seen.minute()

        assert seen.on() == {"ConfigAlarm"}


def test_teardown_unfinished() -> None:
    with watched() as seen:
        seen.world.exchange.faults = Scripted({"PUT /trigger": "request"})
        for _ in range(2):
            seen.world.teardown()
            seen.noted()

        assert "TeardownAlarm" in seen.on()


def test_trading_stopped_by_a_tripped_group() -> None:
    with watched(globals=globals_(group_burst_limit=10)) as seen:
        for side, price_e4 in (("bid", 9900), ("ask", 100)):
            seen.world.exchange.set_background_book(A, [], [])
            seen.world.exchange.background_take(A, side, price_e4, 1_000)
        for _ in range(2):
            seen.minute()

        assert "TradingStoppedAlarm" in seen.on()
        assert seen.world.status()["stopped_by"] == "group_tripped"


def test_trading_stopped_by_a_refused_key() -> None:
    with watched() as seen:
        seen.world.exchange.faults = _RefusedKey()
        answer = seen.minute()
        seen.minutes.append(seen.minutes[-1])

        assert answer["reason"] == "auth_refused"
        assert "TradingStoppedAlarm" in seen.on()
        assert seen.world.status()["stopped_by"] == "auth_refused"


def test_loss_limit_near_and_then_reached() -> None:
    with watched(globals=globals_(max_daily_loss_dollars=1)) as seen:
        fill(seen.world, A, 1_000)
        seen.minute()
        set_book(seen.world, A, 3450, 3750)
        seen.minute()
        near = seen.on()
        set_book(seen.world, A, 2000, 2300)
        for _ in range(3):
            seen.minute()

        assert near == {"LossLimitNearAlarm"}
        assert "TradingStoppedAlarm" in seen.on()
        assert seen.world.status()["stopped_by"] == "daily_loss"


def test_a_loss_over_more_than_a_day_is_near_its_limit_too() -> None:
    with watched(globals=globals_(max_daily_loss_dollars=100, max_loss_since_dollars=1)) as seen:
        fill(seen.world, A, 1_000)
        seen.minute()
        set_book(seen.world, A, 3450, 3750)
        seen.minute()

        assert seen.on() == {"LossLimitNearAlarm"}


def test_quotes_missing_after_a_quarter_of_an_hour() -> None:
    with watched() as seen:
        for ticker in TICKERS:
            seen.world.exchange.set_background_book(ticker, [], [])
        for _ in range(14):
            seen.minute()
        early = seen.on()
        seen.minute()

        assert early == set()
        assert seen.on() == {"QuotesMissingAlarm"}


def test_a_closed_exchange_makes_no_quotes_missing() -> None:
    with watched() as seen:
        seen.world.exchange.pause_trading()
        for _ in range(16):
            seen.minute()

        assert "QuotesMissingAlarm" not in seen.on()


def test_if_nothing_stands_twenty_minutes_after_a_closed_exchange_reopened_quotes_are_missing() -> None:
    with watched() as seen:
        seen.world.exchange.pause_trading()
        for _ in range(16):
            seen.minute()
        for ticker in TICKERS:
            seen.world.exchange.set_background_book(ticker, [], [])
        seen.world.exchange.resume()
        spoken = [seen.minute() and "QuotesMissingAlarm" in seen.on() for _ in range(20)]

        assert spoken == [False] * 14 + [True] * 6


def test_a_halt_by_a_person_sets_no_alarm_off() -> None:
    with watched() as seen:
        seen.world.session("session_halt", reason="holiday")
        for _ in range(16):
            seen.minute()

        assert seen.on() == set()


def test_orders_unresolved() -> None:
    with watched() as seen:
        set_book(seen.world, A, 4600, 4900)
        seen.world.exchange.faults = Scripted({f"POST {BATCH}": "answer"})
        seen.minute()
        seen.world.exchange.faults = Scripted({"GET /portfolio/orders": "request"})
        for _ in range(6):
            seen.minute()

        assert "OrdersUnresolvedAlarm" in seen.on()


def test_writes_failed() -> None:
    with watched() as seen:
        seen.world.exchange.faults = _RefusedCreates()
        for step in range(3):
            for ticker in TICKERS:
                set_book(seen.world, ticker, 4600 + 100 * step, 4900 + 100 * step)
            seen.minute()

        assert "WritesFailedAlarm" in seen.on()


def test_position_drift_that_stays() -> None:
    with watched() as seen:
        seen.world.exchange.faults = _RestlessPositions()
        fill(seen.world, A, 300)
        for _ in range(11):
            seen.minute()

        assert seen.on() == {"PositionDriftAlarm"}


def test_external_activity_by_an_order_of_somebody_else() -> None:
    with watched() as seen:
        seen.minute()
        seen.world.exchange.member_order(seen.world.member, B, "bid", 4_300, 200, client_order_id="by-hand")
        seen.minute()

        assert seen.on() == {"ExternalActivityAlarm"}


def test_external_activity_by_cash_that_comes_from_nowhere() -> None:
    with watched() as seen:
        seen.minute()
        account = seen.world.member.accounts[0]
        account.move(0, 25_000_000)
        account.stamp_cash(0, seen.world.clock.now_ms())
        told = [seen.minute() and seen.on() for _ in range(12)]

        assert {"ExternalActivityAlarm"} in told


def test_budget_used_up() -> None:
    deep = dict.fromkeys(TICKERS, {**config_items.MARKET, "levels": 5, "max_speed_percent": 10_000})
    with watched(globals=globals_(budget_share_percent=10, placement_margin_ms=30_000), items=deep) as seen:
        for step in range(1, 17):
            for ticker in TICKERS:
                set_book(seen.world, ticker, 4400 + 200 * (step % 2), 4700 + 200 * (step % 2))
            seen.minute()

        assert "BudgetUsedUpAlarm" in seen.on()


def test_failure_queue_by_one_event_that_was_not_delivered() -> None:
    with watched():
        client = boto3.client("sqs")
        url = client.create_queue(QueueName="failures")["QueueUrl"]
        depths = [_depth(client, url)]
        client.send_message(QueueUrl=url, MessageBody="an event")
        depths.append(_depth(client, url))

    assert [fires(ALARMS["FailureQueueAlarm"], [depth]) for depth in depths] == [False, True]


def _depth(client: Any, url: str) -> Minute:
    """What SQS counts of a queue, as the metric that it makes of it."""
    name = "ApproximateNumberOfMessages"
    counted = client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    return {f"{name}Visible": [float(counted)]}


@pytest.mark.parametrize(("long_cycles", "on"), [(0, False), (2, False), (3, True)])
def test_duration_by_three_long_cycles_of_five(long_cycles: int, on: bool) -> None:
    """Lambda counts the milliseconds of each run; a function is cut off at its timeout."""
    cut_off_ms = 1000 * template()["Globals"]["Function"]["Timeout"]
    minutes = [{"Duration": [2_000.0]}] * (5 - long_cycles) + [
        {"Duration": [cut_off_ms - 5_000.0]}
    ] * long_cycles

    assert fires(ALARMS["DurationAlarm"], minutes) == on


def test_the_status_is_asked_of_each_alarm_that_it_can_know_of() -> None:
    assert AGREES.keys() == OURS.keys()
    assert {own["Namespace"] for name, own in ALARMS.items() if name not in AGREES} == {
        "AWS/Lambda",
        "AWS/SQS",
    }


def test_every_alarm_goes_off_in_a_test_of_its_own() -> None:
    named = set(re.findall(r'"(\w+Alarm)"', Path(__file__).read_text(encoding="utf-8")))

    assert named == ALARMS.keys()


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_means_and_what_to_do_first(name: str) -> None:
    text = ALARMS[name]["AlarmDescription"]

    assert re.search(r"\. First [a-z]", text), "what to do first"
    assert len(text) <= 1024, "CloudWatch's limit"


class _RefusedKey(Faults):
    """The key is none any more."""

    def before(self, request: Request) -> Reply | None:
        return Reply(401, b'{"error":{"code":"authentication_error","message":"unknown key"}}')


class _RestlessPositions(Faults):
    """Each list of positions shows another contract more, so no two of them agree."""

    def __init__(self) -> None:
        self._more = 0

    def after(self, request: Request, reply: Reply) -> Reply:
        if not request.path.endswith("/portfolio/positions"):
            return reply
        self._more += 1
        body = json.loads(reply.body)
        for row in body["market_positions"]:
            row["position_fp"] = f"{float(row['position_fp']) + self._more:.2f}"
        return replace(reply, body=json.dumps(body).encode())


class _RefusedCreates(Faults):
    """No batch of creates is taken."""

    def before(self, request: Request) -> Reply | None:
        if request.method != "POST" or not request.path.endswith(BATCH):
            return None
        return Reply(400, b'{"error":{"code":"invalid_parameters","message":"no"}}')
