"""The queries about what went wrong answer what the exchange knows of it, on a run where much does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from dora.core.units import format_count
from dora_operator.logs import saved_queries
from dora_operator.target import local_target
from tests.local_stack.stack import LocalStack
from tests.operator.driver import local_driver
from tests.operator.story import Told
from tests.simulator.buckets import TIERS
from tests.simulator.faults import Faults
from tests.simulator.plant import Plant
from tests.simulator.wire import Reply, Request

pytestmark = pytest.mark.long

BATCH = "/portfolio/events/orders/batched"
TAKERS = {"bid": "ask", "ask": "bid"}
WHOLE_E2 = 10_000_000
FEW_READS = TIERS["advanced"]._replace(read_rate=60, read_capacity=130)
"""Eleven reads of a cycle, ten tokens each, take most of that and never wait."""


class _Trouble(Faults):
    """The next `limited` placements are refused for their rate; while `fills`, cancels come too late."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack, self.limited, self.refused, self.fills = stack, 0, 0, False
        self.late: dict[str, str] = {}
        """Client order id by order id, of those that were filled when their cancel came."""

    def before(self, request: Request) -> Reply | None:
        if not request.path.endswith(BATCH):
            return None
        if request.method == "POST" and self.limited:
            self.limited -= 1
            self.refused += 1
            return Reply(429, b'{"error":{"code":"too_many_requests","message":"slow down"}}')
        if request.method == "DELETE" and self.fills:
            self._fill([entry["order_id"] for entry in json.loads(request.body)["orders"]])
        return None

    def _fill(self, order_ids: list[str]) -> None:
        world = self._stack.world
        for order_id in order_ids:
            own = world.member.resting[order_id]
            self.late[order_id] = own.client_order_id
            taker = TAKERS[own.side]
            world.exchange.background_take(own.market.ticker, taker, own.price_e4, WHOLE_E2)


@dataclass(frozen=True)
class Troubled(Told):
    """The run, and what befell it."""

    faults: _Trouble
    tripped: str
    taken: list[str]
    """Client order ids of what rested in that group."""
    drifted: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def story() -> Iterator[Troubled]:
    """Refused for their rate, cancelled too late, a group that trips, fills that no list shows."""
    with local_driver() as driver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DORA_LOCAL_FOLDER", str(driver.folder))
        stack = driver.stack
        exchange, member = stack.world.exchange, stack.world.member
        exchange.invariants.expectations.tolerate_429 = True
        driver.minutes(1)
        assert driver.run("start", "--yes").exit_code == 0
        for buckets in (member.buckets, member.fair_buckets):
            buckets.limits = FEW_READS
            buckets._buckets.clear()
        exchange.faults = trouble = _Trouble(stack)
        trouble.limited = 1
        driver.minutes(4)

        trouble.fills = True
        stack.world.put_market(
            stack.scene.tickers[0], {"enabled": False, "quote_size": 10, "max_position": 200}
        )
        driver.minutes(1)
        trouble.fills = False
        driver.minutes(1)

        group = next(own for own in member.groups.values() if own.orders)
        taken = sorted(own.client_order_id for own in group.orders.values())
        exchange.groups.trip(member, group)
        driver.minutes(1)
        assert driver.run("reset", "--yes").exit_code == 0
        driver.minutes(1)

        exchange.plant = Plant("skip-fill", every=1)
        own = next(iter(member.resting.values()))
        exchange.background_take(own.market.ticker, TAKERS[own.side], own.price_e4, WHOLE_E2)
        exchange.plant = Plant()
        driver.minutes(2)
        yield Troubled(driver, saved_queries(local_target()), trouble, group.id, taken, [own.market.ticker])


def test_cancels_that_failed_are_those_that_found_nothing_on_the_exchange(story: Troubled) -> None:
    rows = story.ask("cancel-failures")

    assert len(rows) == story.driver.stack.world.exchange.stats.cancels_404 > 0
    assert {row["order_id"]: row["client_order_id"] for row in rows} == story.faults.late
    assert {(row["outcome"], row["error_code"]) for row in rows} == {("refused", "not_found")}


def test_refusals_for_the_rate_are_counted_as_they_were_sent(story: Troubled) -> None:
    rows = [row for row in story.ask("rate-limits") if row["event_type"] == "RATE_LIMIT"]

    assert sum(row["lines"] for row in rows) == story.faults.refused == 1
    waited = [row for row in story.ask("rate-limits") if row["event_type"] == "RATE_LIMIT_BACKOFF"]
    assert all(row["seconds_waited"] > 0 for row in waited)
    assert len(waited) == 1


def test_a_read_bucket_that_is_nearly_empty_is_shown_though_nothing_was_refused(story: Troubled) -> None:
    (hour,) = (row for row in story.ask("rate-limits") if row["event_type"] == "BUDGET_LOW")

    # All but the cycle before the session, and the one whose refusal made the bot learn its limits anew.
    assert hour["lines"] == story.driver.stack.cycles - 2
    assert 80 <= hour["read_bucket_used_percent"] < 100
    assert hour["orders_dropped"] == 0


def test_a_trip_names_the_group_and_the_orders_that_the_exchange_took_off(story: Troubled) -> None:
    rows = story.ask("group-trips")
    (trip,) = (row for row in rows if row["event_type"] == "ORDER_GROUP_LIMIT_REACHED")

    assert (trip["order_group_id"], trip["reason"]) == (story.tripped, "group_tripped")
    assert str(trip["orders"]).split("; ") == story.taken
    assert trip["orders_cancelled"] == len(story.taken) > 0
    groups = {own.id for own in story.driver.stack.world.member.groups.values()}
    assert {row["order_group_id"] for row in rows if row["event_type"] == "GROUP_RESET"} == groups


def test_an_order_s_life_holds_the_trip_that_took_it_off(story: Troubled) -> None:
    events = [row["event_type"] for row in story.ask("order-life", story.taken[0])]

    assert events.index("BATCH_PLACE") < events.index("ORDER_GROUP_LIMIT_REACHED")


def test_a_drift_shows_the_exchange_s_count_and_ours(story: Troubled) -> None:
    (told,) = story.ask("position-drift")
    own = [fill for fill in story.driver.stack.world.member.fills if fill.trade.ticker == told["market"]]
    signed = [(fill.trade.count_e2 if fill.order.side == "bid" else -fill.trade.count_e2) for fill in own]
    listed = [count for count, fill in zip(signed, own, strict=True) if not fill.hidden]

    assert story.drifted == [told["market"]]
    assert told["their_contracts"] == format_count(sum(signed))
    assert told["our_contracts"] == format_count(sum(listed))
    assert told["their_contracts"] != told["our_contracts"]


def test_the_cold_start_is_counted_once(story: Troubled) -> None:
    (hour,) = story.ask("cold-starts")

    assert hour["cold_starts"] == 1
    assert hour["cycles"] == story.driver.stack.cycles


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("cancel-failures", "BATCH_CANCEL_FAILED", "BATCH_PLACE_FAILED"),
        ("rate-limits", "sum(backoff_seconds)", "count(backoff_seconds)"),
        ("rate-limits", '"RATE_LIMIT", ', ""),
        ("rate-limits", "max(read_used_percent)", "max(used_percent)"),
        ("group-trips", ", orders,", ","),
        ("group-trips", ', "GROUP_RESET"', ""),
        ("position-drift", "latest(theirs)", "latest(ours)"),
        ("cold-starts", "count(cold_start)", "count(cycle_id)"),
    ],
)
def test_a_changed_query_changes_the_result(story: Troubled, name: str, before: str, after: str) -> None:
    text = story.queries[name]
    assert before in text

    assert story.ask(name) != story.ask(name, text=text.replace(before, after))
