"""Orders given a later expiry in place, by amends that change nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from dora.core.orders.amend_expiry import extension, fold_extended
from dora.core.orders.diff import plan_slots
from dora.core.orders.journal import Journal, OrderState, Plan, TrackedOrder, fold_plans
from dora.core.orders.keeping import Rules
from dora.core.orders.requests import ChangeResult, Outcome
from dora.core.units import Count, TimeMs
from dora.edge.kalshi.wire_orders import extend_body
from tests.battery.scene import fill
from tests.simulator.fault_plan import Fault
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request
from tests.support.diff_cases import BID, live, names, view
from tests.support.examples import CENT_GRID, NOW, TICKER, config, target
from tests.support.kalshi_fakes import FakeReply, scripted
from tests.support.probe_order import ORDER
from tests.support.small_world import TICKERS, broken, resting, set_book, setup
from tests.support.venue import open_venue
from tests.world import config_items
from tests.world.disruption import Disruption
from tests.world.memory_bot import open_memory_world
from tests.world.memory_cloud import MemoryCloud
from tests.world.output import Catcher, printed_to
from tests.world.world import World

A, B, C = TICKERS
MINUTE_MS = 60_000
AMEND = "POST /portfolio/events/orders/*/amend"
AMENDS = "POST /portfolio/events/orders/:order_id/amend"
CREATE = "POST /portfolio/events/orders/batched"
LIFE_S = 600
ASKED = {**config_items.GLOBAL, "order_life_s": LIFE_S}
LATER = TimeMs(NOW + 600_000)
DONE = ChangeResult(Outcome.DONE, remaining=Count(1_000), ts_ms=TimeMs(NOW + 5))


def order(**changes: Any) -> TrackedOrder:
    return live("0.44", "10")._replace(expires_ms=TimeMs(NOW + 60_000), **changes)


def after(answer: ChangeResult, held: TrackedOrder) -> TrackedOrder:
    journal = Journal({held.client_order_id: held})
    folded = fold_extended(journal, extension(held, LATER), answer, TimeMs(NOW + 9))
    return folded.orders[held.client_order_id]


# --- one amend -----------------------------------------------------------------------------------------


def test_an_amend_of_the_expiry_names_the_orders_own_price_and_whole_count() -> None:
    held = order(reduced=Count(200), remaining=Count(500))
    body = extend_body(extension(held, LATER))

    assert body == {
        "ticker": TICKER,
        "side": "bid",
        "price": "0.4400",
        "count": "8.00",
        "client_order_id": held.client_order_id,
        "expiration_time": LATER // 1000,
        "exchange_index": held.shard,
    }


def test_an_answered_amend_gives_the_order_its_later_expiry_and_changes_nothing_else() -> None:
    held = order()
    assert after(DONE, held) == held._replace(expires_ms=TimeMs(LATER // 1000 * 1000), write_ms=DONE.ts_ms)


def test_an_unanswered_amend_counts_with_the_later_expiry_until_a_row_tells() -> None:
    changed = after(ChangeResult(Outcome.UNKNOWN, "unanswered"), order())

    assert (changed.state, changed.sent_ms) == (OrderState.PENDING_CHANGE, NOW + 9)
    assert changed.expires_ms == LATER // 1000 * 1000


def test_a_refused_amend_leaves_the_order_and_its_expiry_as_they_were() -> None:
    held = order()
    assert after(ChangeResult(Outcome.REFUSED, "trading_is_paused"), held) == held


@pytest.mark.parametrize(
    "answer",
    [ChangeResult(Outcome.REFUSED, "not_found"), DONE._replace(remaining=Count(0))],
)
def test_an_order_that_an_amend_did_not_find_resting_is_missing_until_its_row_tells(
    answer: ChangeResult,
) -> None:
    assert after(answer, order()).state is OrderState.NOT_FOUND


def test_an_amend_that_was_planned_and_cut_short_may_have_been_carried_out() -> None:
    held = order()
    plan = Plan(fence=1, phase="2extend", cycle_id="c", until_ms=NOW, extends=(extension(held, LATER),))
    (changed,) = fold_plans(Journal({held.client_order_id: held}), [plan]).orders.values()

    assert (changed.state, changed.sent_ms) == (OrderState.PENDING_CHANGE, NOW)
    assert changed.expires_ms == LATER // 1000 * 1000


@pytest.mark.parametrize("expires_in_ms, extended", [(60_000, True), (200_000, False)])
def test_a_kept_order_whose_life_is_nearly_over_is_extended_in_place(
    expires_in_ms: int, extended: bool
) -> None:
    held = live("0.44", "10")._replace(expires_ms=TimeMs(NOW + expires_in_ms))
    rules = {TICKER: Rules(CENT_GRID, config(), TimeMs(NOW + 150_000), extend_to_ms=LATER)}
    plan = plan_slots([target(BID.side, "0.44", "10")], view([held]), rules)

    assert names(plan) == ([held.client_order_id], [], [], [])
    assert plan.extends == ((extension(held, LATER),) if extended else ())


# --- what the exchange says ----------------------------------------------------------------------------

EXTENSION = extension(order(order_id="order-1"), LATER)
AMENDED = {"order_id": "order-1", "client_order_id": EXTENSION.client_order_id, "ts_ms": NOW + 5}


@pytest.mark.parametrize("told, remaining", [(None, 1_000), ("4.00", 400), ("0.00", 0)])
def test_an_amend_that_names_no_remaining_count_left_it_as_it_was(told: str | None, remaining: int) -> None:
    bot = scripted(FakeReply(200, AMENDED | {"remaining_count": told}), subaccount=3)
    result = bot.exchange.extend(EXTENSION)

    assert (result.outcome, result.remaining, result.ts_ms) == (Outcome.DONE, remaining, NOW + 5)
    assert bot.adapter.targets() == ["POST /trade-api/v2/portfolio/events/orders/order-1/amend"]
    assert bot.adapter.queries() == [[("subaccount", "3")]]


@pytest.mark.parametrize(
    "changes",
    [{"order_id": "order-9"}, {"client_order_id": "dora-9"}, {"remaining_count": "-1"}, {"ts_ms": None}],
)
def test_an_amend_answered_for_another_order_or_in_part_is_unknown(changes: dict[str, Any]) -> None:
    result = scripted(FakeReply(200, AMENDED | changes)).exchange.extend(EXTENSION)
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "answer_invalid")


def test_an_extended_order_shows_its_new_expiry_and_nothing_else_changed() -> None:
    venue = open_venue()
    (placed,) = venue.place(ORDER)
    (before,) = venue.client.resting_orders().rows
    asked = EXTENSION._replace(
        order_id=placed.order_id,
        client_order_id=ORDER.client_order_id,
        ticker=ORDER.slot.ticker,
        shard=ORDER.shard,
        price=ORDER.price,
        count=ORDER.count,
        expires_s=ORDER.expires_s + 600,
    )
    result = venue.client.extend(asked)
    (after_it,) = venue.client.resting_orders().rows

    assert (result.outcome, result.remaining) == (Outcome.DONE, ORDER.count)
    assert before.expires_ms == ORDER.expires_s * 1000
    assert after_it == before._replace(expires_ms=TimeMs(asked.expires_s * 1000))


# --- in a world ----------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A world whose orders are nearly over, and its faults."""

    world: World
    faults: Disruption

    def queue(self) -> dict[tuple[str, str], str]:
        """The order in each slot: the same one has kept its queue place."""
        return {(o.market.ticker, o.side): o.id for o in self.world.member.resting.values()}

    def cycles(self, number: int) -> None:
        for _ in range(number):
            self.world.cycle()

    def expiries_s(self) -> list[int]:
        return [order.expiration_s - self.world.clock.now_ms() // 1000 for order in self.orders()]

    def orders(self) -> list[Any]:
        return list(self.world.member.resting.values())


@contextmanager
def nearly_over(globals_: Any = ASKED) -> Iterator[Stage]:
    """Six quotes whose price stands still, two minutes before their end."""
    item = {**config_items.MARKET, "price_tolerance_ticks": 5}
    chosen, faults = setup(globals=globals_, items=dict.fromkeys(TICKERS, item)), Disruption()
    with open_memory_world(chosen, MemoryCloud()) as world, printed_to(Catcher().stream):
        faults.join(world)
        for ticker in TICKERS:
            set_book(world, ticker)
        assert world.start()["status"] == "active"
        world.cycle()
        for _ in range(7):
            world.cycle()
        yield Stage(world, faults)


def test_without_extend_expiry_no_order_is_ever_amended() -> None:
    with nearly_over({**ASKED, "extend_expiry": False}) as stage:
        before = stage.queue()
        stage.cycles(4)

        assert stage.world.exchange.stats.calls[AMENDS] == 0
        assert not set(stage.queue().values()) & set(before.values())
        assert not broken(stage.world)


def test_orders_are_extended_in_place_and_keep_their_queue_place() -> None:
    with nearly_over() as stage:
        before, created = stage.queue(), stage.world.exchange.stats.orders
        stage.cycles(20)

        assert stage.queue() == before
        assert stage.world.exchange.stats.orders == created
        assert stage.world.exchange.stats.calls[AMENDS] == 6 * 3
        assert min(stage.expiries_s()) > 60
        assert not broken(stage.world)


TROUBLE = [
    Fault(kind="lose-answer", where=AMEND),
    Fault(kind="lose-request", where=AMEND),
    Fault(kind="error-after", where=AMEND, amount=503),
    Fault(kind="refuse", where=AMEND, amount=503),
    Fault(kind="refuse", where=AMEND, amount=429, code="too_many_requests"),
    Fault(kind="refuse", where=AMEND, amount=409, code="trading_is_paused"),
    Fault(kind="cut-body", where=AMEND),
    Fault(kind="error-body", where=AMEND),
    Fault(kind="swap-ids", where=AMEND),
    Fault(kind="hold", where=AMEND, amount=20_000),
]


@pytest.mark.parametrize("fault", TROUBLE, ids=lambda fault: f"{fault.kind} {fault.amount or ''}".strip())
def test_whatever_becomes_of_an_amend_every_slot_holds_one_order_that_is_known(fault: Fault) -> None:
    with nearly_over() as stage:
        stage.faults.now(fault)
        stage.cycles(2)
        stage.faults.clear()
        stage.cycles(6)
        status = stage.world.status()

        assert sorted(len(orders) for orders in resting(stage.world).values()) == [1] * 6
        assert (status["open_orders"], status["unproven_orders"], status["unfinished_plans"]) == (6, 0, 0)
        assert min(stage.expiries_s()) > 0
        assert not broken(stage.world), broken(stage.world)


class FilledFirst(Faults):
    """Just before the first amend arrives, somebody takes so many contracts of the order it names."""

    def __init__(self, world: World, count_e2: int) -> None:
        self._world, self._count_e2, self.ticker = world, count_e2, ""

    def before(self, request: Request) -> Reply | None:
        if request.path.endswith("/amend") and not self.ticker:
            order = self._world.member.by_id[request.path.split("/")[-2]]
            self.ticker, self.side = order.market.ticker, order.side
            fill(self._world, self.ticker, self.side, self._count_e2)
            set_book(self._world, self.ticker)
        return None


@pytest.mark.parametrize("count_e2", [300, 1_000])
def test_a_fill_between_the_read_and_the_amend_is_booked_once_and_resizes_nothing(count_e2: int) -> None:
    with nearly_over() as stage:
        world = stage.world
        faults = world.exchange.faults = FilledFirst(world, count_e2)
        stage.cycles(1)
        live = {slot: orders[0][1] for slot, orders in resting(world).items()}
        stage.cycles(5)

        assert live.get((faults.ticker, faults.side), 0) == 1_000 - count_e2
        assert abs(world.bot.positions()[faults.ticker].net) == count_e2
        assert sorted(len(orders) for orders in resting(world).values()) == [1] * 6
        assert not broken(world)
