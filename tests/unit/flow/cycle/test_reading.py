"""Targeted reads of a cycle: paced by the shared bucket, limited in number, each in its turn."""

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from dora.core.errors import ExchangeUnavailable
from dora.core.exchange.account import Limits, Order
from dora.core.exchange.listed import Listed
from dora.core.exchange.market import Side, Slot
from dora.core.exchange.pacing import US_PER_MS, Bucket, reserve
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.evidence import Evidence
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.units import Count, Price, TimeMs
from dora.flow.cycle.read import MOST_LISTS, MOST_LOOKUPS, gather_evidence
from tests.support.kalshi_fakes import FakeFacts
from tests.support.ticking_clock import MINUTE_MS, NOW, Clock
from tests.world.one_by_one import OneByOne

READ_RATE = READ_CAPACITY = 200
LIMITS = Limits(
    tier="basic", read_rate=READ_RATE, read_capacity=READ_CAPACITY, write_rate=100, write_capacity=100
)
LOOKUP_TOKENS, LIST_TOKENS = 2, 10
LATE_MS = 120_000


class Limiter:
    """The bucket itself: empty when the test begins."""

    def __init__(self) -> None:
        self._bucket, self._full_us = Bucket(READ_RATE, READ_CAPACITY), (NOW + 1_000) * US_PER_MS

    def reserve(self, _: str, costs: Sequence[int], now_ms: TimeMs, until_ms: TimeMs) -> tuple[TimeMs, ...]:
        plan = reserve(self._bucket, self._full_us, costs, now_ms * US_PER_MS, until_ms * US_PER_MS)
        self._full_us = max(self._full_us, now_ms * US_PER_MS) + plan.spent_us
        return tuple(TimeMs(at_ms) for at_ms in plan.send_ms)


class Exchange:
    """Answers 404 to every look-up, and no rows to every list; notes the tokens of each moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.spent = Counter[int]()
        self.looked_up: list[str] = []
        self.listed: list[tuple[str, TimeMs | None]] = []
        self.down = False

    def order(self, order_id: str) -> Order | None:
        self._spend(LOOKUP_TOKENS)
        self.looked_up.append(order_id)
        return None

    def orders_of(self, ticker: str, since_ms: TimeMs | None = None) -> Listed[Order]:
        self._spend(LIST_TOKENS)
        self.listed.append((ticker, since_ms))
        return Listed(())

    def _spend(self, tokens: int) -> None:
        if self.down:
            raise ExchangeUnavailable("503")
        self.spent[self._clock.now_ms()] += tokens


def tracked(number: int, state: OrderState = OrderState.LIVE) -> TrackedOrder:
    known = state is not OrderState.PENDING_NEW
    return TrackedOrder(
        client_order_id=f"c{number:03}",
        slot=Slot(f"T{number:03}", Side.BID),
        shard=0,
        price=Price(4_400),
        count=Count(1_000),
        remaining=Count(1_000),
        state=state,
        sent_ms=TimeMs(NOW - LATE_MS),
        order_id=f"o{number:03}" if known else None,
        write_ms=TimeMs(NOW - LATE_MS) if known else TimeMs(0),
    )


class Desk:
    """A cycle's targeted reads, again and again, a minute apart."""

    def __init__(self, orders: Sequence[TrackedOrder]) -> None:
        self.clock, self.facts = Clock(), FakeFacts()
        self.exchange = Exchange(self.clock)
        self._journal = Journal().with_orders(orders)
        self._outside: Any = SimpleNamespace(
            clock=self.clock,
            workers=OneByOne(),
            exchange=self.exchange,
            limiter=Limiter(),
            facts=self.facts,
            prefix="c",
        )

    def look(self) -> Evidence:
        now_ms = self.clock.now_ms()
        snapshot = Snapshot(began_ms=now_ms, as_of_ms=now_ms, resting=())
        try:
            return gather_evidence(self._outside, self._journal, snapshot, LIMITS)
        finally:
            self.clock.now = TimeMs(now_ms + MINUTE_MS)


def overdrawn(spent: Counter[int]) -> bool:
    """Whether any span of time saw more tokens than the bucket holds and refills."""
    moments = sorted(spent)
    return any(
        sum(spent[at] for at in moments if first <= at <= last)
        > READ_CAPACITY + READ_RATE * (last - first) // 1000
        for first in moments
        for last in moments
        if first <= last
    )


def test_single_order_reads_are_paced_limited_and_each_has_its_turn() -> None:
    desk = Desk([tracked(number) for number in range(250)])
    desk.look()
    first = list(desk.exchange.looked_up)

    assert len(first) == MOST_LOOKUPS
    assert min(desk.exchange.spent) > NOW, "the bucket was empty"
    desk.look()
    desk.look()
    assert len(set(desk.exchange.looked_up)) == 250
    assert not overdrawn(desk.exchange.spent)


def test_lists_of_every_status_are_paced_limited_and_begin_shortly_before_the_create() -> None:
    desk = Desk([tracked(number, OrderState.PENDING_NEW) for number in range(30)])
    evidence = desk.look()

    assert len(desk.exchange.listed) == MOST_LISTS
    assert evidence.listings.keys() == {ticker for ticker, _ in desk.exchange.listed}
    assert all(since is not None and NOW - 2 * LATE_MS - MINUTE_MS <= since < NOW - LATE_MS
               for _, since in desk.exchange.listed)  # fmt: skip
    assert not overdrawn(desk.exchange.spent)
    desk.look()
    assert len({ticker for ticker, _ in desk.exchange.listed}) == 30


@pytest.mark.parametrize("down", [False, True])
def test_a_look_up_that_failed_is_no_answer_and_is_told_once(down: bool) -> None:
    desk = Desk([tracked(number) for number in range(3)])
    desk.exchange.down = down
    evidence = desk.look()

    assert evidence.looked_up == ({} if down else dict.fromkeys(("o000", "o001", "o002")))
    told = [fields["failed"] for event, fields in desk.facts.emitted if event == "ERROR"]
    assert told == ([3] if down else [])
