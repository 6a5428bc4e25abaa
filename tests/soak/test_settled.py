"""I5 at the end of a day: what rests is what was decided; every way of not being so is seen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from dora.core.orders.journal import OrderState
from dora.core.units import TimeMs
from tests.simulator.model import Order
from tests.soak.day import Day
from tests.soak.faulty_bot import MemoryDisruption
from tests.soak.settled import HOLD_MS, Settlement
from tests.soak.witness import Witness
from tests.support.small_world import TICKERS, set_book, setup
from tests.world import config_items
from tests.world.bot import Answer
from tests.world.world import MINUTE_MS, World, open_world

LADDER = {**config_items.MARKET, "levels": 2, "price_tolerance_ticks": 0}


@dataclass
class Stage:
    """A world after its second cycle, and who judges it."""

    world: World
    faults: MemoryDisruption
    settlement: Settlement
    tick_ms: int
    answer: Answer

    def unsettled(self) -> list[str]:
        return self.settlement.unsettled(self.tick_ms, self.answer)

    def order(self, side: str, level: int) -> Order:
        """One of the bot's orders in the first market, from the touch outward."""
        orders = sorted(self.world.resting(TICKERS[0], side), key=lambda order: order.price_e4)
        found: Order = orders[::-1][level] if side == "bid" else orders[level]
        return found


@contextmanager
def stage() -> Iterator[Stage]:
    faults = MemoryDisruption()
    chosen = setup(items=dict.fromkeys(TICKERS, LADDER))
    with open_world(chosen, faults.deploy, faults.cloud) as world:
        faults.join(world)
        for ticker in TICKERS:
            set_book(world, ticker)
        world.start()
        world.next_minute()
        settlement = Settlement(world, faults, Witness(world, faults, until_ms=0))
        world.cycle()
        tick_ms = world.next_tick_ms()
        yield Stage(world, faults, settlement, tick_ms, world.cycle())


def test_a_calm_cycle_leaves_everything_as_decided() -> None:
    with stage() as seen:
        assert seen.unsettled() == []
        assert seen.settlement.checked == 2 * 2 * len(TICKERS)


def cancelled(seen: Stage) -> None:
    order = seen.order("bid", 1)
    seen.world.exchange.engine.cancel(seen.world.member, order.id, order.market.shard)


def smaller(seen: Stage) -> None:
    seen.world.exchange.engine.decrease(seen.world.member, seen.order("ask", 0), by_e2=None, to_e2=200)


def moved(seen: Stage) -> None:
    order = seen.order("ask", 1)
    order.price_e4 += 100


def not_wanted(seen: Stage) -> None:
    said = seen.faults.stored.state.memory["#said"]
    assert isinstance(said, dict)
    said[TICKERS[0]] = "too_fast"


def doubled(seen: Stage) -> None:
    engine, order = seen.world.exchange.engine, seen.order("bid", 0)
    twin = replace(order, id="twin", booked=False)
    engine.rest(twin)


def unanswered(seen: Stage) -> None:
    journal = seen.faults.stored.state.journal
    key, order = next(iter(journal.orders.items()))
    orders = {**journal.orders, key: order._replace(state=OrderState.PENDING_NEW, order_id=None, sent_ms=0)}
    seen.faults.stored.state = seen.faults.stored.state._replace(journal=replace(journal, orders=orders))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (cancelled, f"{TICKERS[0]} bid 1: wanted and nothing rests"),
        (smaller, f"{TICKERS[0]} ask 0: Wanted"),
        (moved, f"{TICKERS[0]} ask 1: Wanted"),
        (not_wanted, f"{TICKERS[0]} bid 0: rests and is not wanted"),
        (doubled, f"{TICKERS[0]} bid 0: Wanted"),
        (unanswered, "unknown"),
    ],
)
def test_whatever_is_not_as_decided_is_seen(harm: Callable[[Stage], None], says: str) -> None:
    with stage() as seen:
        harm(seen)
        assert any(says in text for text in seen.unsettled())


@pytest.mark.parametrize(("late_ms", "says"), [(0, 0), (1, 1)])
def test_a_create_that_was_never_answered_may_stand_until_the_second_cycle_after_its_hold(
    late_ms: int, says: int
) -> None:
    with stage() as seen:
        unanswered(seen)
        stored = seen.faults.stored
        journal = stored.state.journal
        key = next(iter(journal.orders))
        sent_ms = TimeMs(seen.tick_ms - MINUTE_MS - HOLD_MS - late_ms)
        orders = {**journal.orders, key: journal.orders[key]._replace(sent_ms=sent_ms)}
        stored.state = stored.state._replace(journal=replace(journal, orders=orders))
        (order,) = (o for o in seen.world.member.resting.values() if o.client_order_id == key)
        seen.world.exchange.engine.cancel(seen.world.member, order.id, order.market.shard)

        assert len(seen.unsettled()) == 2 * says


def test_a_cycle_that_did_not_complete_is_not_settled() -> None:
    with stage() as seen:
        seen.answer = {**seen.answer, "status": "degraded", "reason": "read_unknown"}
        assert seen.unsettled() == ["the cycle is degraded: read_unknown"]


def test_a_fill_since_the_tick_excuses_its_own_slot_only() -> None:
    with stage() as seen:
        order, far = seen.order("bid", 0), seen.order("bid", 1)
        seen.world.exchange.background_take(TICKERS[0], "ask", order.price_e4, 60_000)
        assert seen.unsettled() == []
        seen.world.exchange.engine.cancel(seen.world.member, far.id, far.market.shard)
        assert seen.unsettled() == [f"{TICKERS[0]} bid 1: wanted and nothing rests"]


def test_a_refusal_excuses_as_many_slots_as_it_names() -> None:
    with stage() as seen:
        cancelled(seen)
        seen.answer = {**seen.answer, "failed": 1}
        assert seen.unsettled() == []
        other = seen.order("ask", 1)
        seen.world.exchange.engine.cancel(seen.world.member, other.id, other.market.shard)
        assert len(seen.unsettled()) == 2


def test_a_day_is_judged_from_its_second_quiet_cycle_on() -> None:
    day = Day(seed=1, minutes=30, markets=6)
    assert day.end_ms - day.settled_ms == 6 * 60_000
