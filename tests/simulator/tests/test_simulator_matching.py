"""The engine under any sequence: nothing is lost, nobody is passed over, the book never crosses."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.book import ASK, BID, improves
from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange
from tests.simulator.member import Member
from tests.simulator.model import IOC, Resting
from tests.simulator.wire import Refusal
from tests.support.simulator_desk import DOLLAR_E6, START_MS, TICKER, market, public_pem

CASH_E6 = 1_000_000 * DOLLAR_E6
PRICES = st.integers(min_value=40, max_value=60).map(lambda cents: cents * 100)
COUNTS = st.integers(min_value=1, max_value=500)
SIDES = st.sampled_from([BID, ASK])

PLACE = st.tuples(
    st.just("place"), st.sampled_from([0, 1]), SIDES, PRICES, COUNTS, st.sampled_from(["gtc", "ioc", "post"])
)
BACKGROUND = st.tuples(st.just("background"), SIDES, PRICES, COUNTS)
TAKE = st.tuples(st.just("take"), SIDES, PRICES, COUNTS)
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 50))
AMEND = st.tuples(st.just("amend"), st.integers(0, 50), PRICES, COUNTS)
LADDER = st.lists(st.tuples(st.integers(0, 9), COUNTS), max_size=4)
BOOK = st.tuples(st.just("book"), LADDER, LADDER)
STEPS = st.lists(st.one_of(PLACE, PLACE, BACKGROUND, TAKE, CANCEL, AMEND, BOOK), max_size=40)


class Pit:
    """Two members and the rest of the market, driven by steps."""

    def __init__(self) -> None:
        self.exchange = Exchange(clock=VirtualClock(START_MS), seed=1)
        self.exchange.add_market(market())
        self.market = self.exchange.venue.markets[TICKER]
        self.members = [self._member(name) for name in ("one", "two")]
        self.violations: list[str] = []
        self._watch_trades()

    def _member(self, name: str) -> Member:
        return self.exchange.add_member(
            key_id=name, public_key_pem=public_pem(), cash_e6={0: CASH_E6}, tier="prestige"
        )

    def _watch_trades(self) -> None:
        """Every trade must hit the head of the best level at its own price."""
        changes = self.exchange.engine._changes
        original = changes.trade

        def watched(market: Any, maker: Resting, taker: Resting) -> int:
            half = market.book.halves[maker.side]
            first = next(half.orders())
            if first is not maker or any(
                improves(maker.side, price, maker.price_e4) for price in half.levels
            ):
                self.violations.append(f"{maker.id} traded before {first.id}")
            return original(market, maker, taker)

        changes.trade = watched

    def run(self, steps: list[tuple[Any, ...]]) -> None:
        for name, *arguments in steps:
            getattr(self, name)(*arguments)
            self.check_book()

    def place(self, who: int, side: str, price_e4: int, count_e2: int, kind: str) -> None:
        more = {"time_in_force": IOC} if kind == "ioc" else {"post_only": kind == "post"}
        try:
            self.exchange.member_order(self.members[who], TICKER, side, price_e4, count_e2, **more)
        except Refusal as refusal:
            assert refusal.details == "post only cross"

    def background(self, side: str, price_e4: int, count_e2: int) -> None:
        self.exchange.background_order(TICKER, side, price_e4, count_e2)

    def take(self, side: str, price_e4: int, count_e2: int) -> None:
        assert 0 <= self.exchange.background_take(TICKER, side, price_e4, count_e2) <= count_e2

    def cancel(self, index: int) -> None:
        resting = [order for member in self.members for order in member.resting.values()]
        if resting:
            order = resting[index % len(resting)]
            self.exchange.engine.cancel(order.member, order.id, 0)

    def amend(self, index: int, price_e4: int, count_e2: int) -> None:
        from tests.simulator.engine import Amendment

        resting = [order for member in self.members for order in member.resting.values()]
        if not resting:
            return
        order = resting[index % len(resting)]
        change = Amendment(TICKER, order.side, price_e4, order.filled_e2 + count_e2)
        try:
            self.exchange.engine.amend(order.member, order, change)
        except Refusal as refusal:
            assert refusal.details == "replace would cross own order"

    def book(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        below = [(4900 - 100 * step, count) for step, count in bids]
        above = [(5100 + 100 * step, count) for step, count in asks]
        self.exchange.set_background_book(TICKER, below, above)
        wanted = {BID: _summed(below), ASK: _summed(above)}
        for side, half in self.market.book.halves.items():
            for price, level in half.levels.items():
                assert level.background_e2 <= wanted[side].get(price, 0)

    def check_book(self) -> None:
        bid, ask = self.exchange.best_prices(TICKER)
        assert bid is None or ask is None or bid < ask
        for half in self.market.book.halves.values():
            for level in half.levels.values():
                remaining = [order.remaining_e2 for order in level.queue.values()]
                assert min(remaining) > 0
                assert sum(remaining) == level.total_e2
        assert self.violations == []


def _summed(ladder: list[tuple[int, int]]) -> dict[int, int]:
    totals: dict[int, int] = defaultdict(int)
    for price, count in ladder:
        totals[price] += count
    return totals


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_the_book_never_crosses_and_the_head_of_the_queue_always_trades_first(steps: list[Any]) -> None:
    Pit().run(steps)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_contracts_and_cash_are_conserved(steps: list[Any]) -> None:
    pit = Pit()
    pit.run(steps)
    for member in pit.members:
        account = member.accounts[0]
        bought = sum(_signed(fill) for fill in member.fills)
        paid = sum(_signed(fill) * fill.trade.price_e4 for fill in member.fills)
        short = max(0, -account.position_e2(TICKER))
        assert account.position_e2(TICKER) == bought
        assert account.flow_e6 == -paid - short * 10_000  # a NO contract is a sold YES and a dollar put down
        assert account.cash_e6[0] == CASH_E6 + account.flow_e6 - account.fees_e6
        assert account.fees_e6 == sum(fill.fee_e6 for fill in member.fills)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_every_order_accounts_for_all_its_contracts(steps: list[Any]) -> None:
    pit = Pit()
    pit.run(steps)
    for member in pit.members:
        filled: dict[str, int] = defaultdict(int)
        for fill in member.fills:
            filled[fill.order.id] += fill.trade.count_e2
        for order in member.orders:
            assert order.filled_e2 == filled[order.id]
            assert order.filled_e2 + order.remaining_e2 <= order.initial_e2
            assert (order.status == "resting") == (order.id in member.resting) == order.booked


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_cash_held_is_what_the_resting_orders_would_open(steps: list[Any]) -> None:
    pit = Pit()
    pit.run(steps)
    for member in pit.members:
        account, held = member.accounts[0], 0
        position = account.position_e2(TICKER)
        for side in (BID, ASK):
            free = max(0, -position if side == BID else position)
            orders = sorted(member.live[TICKER, side].values(), key=lambda o: o.price_e4, reverse=side == BID)
            for order in orders:
                opening = max(0, order.remaining_e2 - free)
                free = max(0, free - order.remaining_e2)
                held += opening * (order.price_e4 if side == BID else 10_000 - order.price_e4)
        assert account.reserved_by_shard_e6[0] == held


def test_what_a_background_level_loses_it_loses_behind_the_member() -> None:
    pit = Pit()
    pit.exchange.set_background_book(TICKER, [(4400, 1000)], [])
    pit.place(0, BID, 4400, 500, "gtc")
    pit.exchange.set_background_book(TICKER, [(4400, 1600)], [])
    pit.exchange.set_background_book(TICKER, [(4400, 700)], [])
    (order,) = pit.members[0].resting.values()
    assert pit.market.book.halves[BID].ahead_e2(order) == 700


def test_a_background_book_that_crosses_a_member_trades_with_it_first() -> None:
    pit = Pit()
    pit.place(0, ASK, 4500, 300, "gtc")
    pit.exchange.set_background_book(TICKER, [(4600, 1000), (4400, 50)], [(4700, 10)])
    assert pit.members[0].resting == {}
    (fill,) = pit.members[0].fills
    assert (fill.trade.price_e4, fill.trade.count_e2, fill.is_taker) == (4500, 300, False)
    assert pit.exchange.best_prices(TICKER) == (4600, 4700)
    assert pit.market.book.halves[BID].levels[4600].total_e2 == 700


def test_a_background_order_can_be_cancelled_once_and_again_in_vain() -> None:
    pit = Pit()
    order_id = pit.exchange.background_order(TICKER, BID, 4400, 100)
    pit.exchange.background_cancel(order_id)
    pit.exchange.background_cancel(order_id)
    assert pit.exchange.best_prices(TICKER) == (None, None)
    assert pit.exchange.venue.background == {}


def _signed(fill: Any) -> int:
    return int(fill.trade.count_e2 if fill.order.side == BID else -fill.trade.count_e2)
