"""The DynamoDB adapter and the storage in memory, given the same calls, answer alike and hold the same."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.rewards import Reward, RewardKind, RewardName
from dora.core.errors import DoraError, StateUnavailable
from dora.core.exchange.market import Event
from dora.core.orders.journal import Journal
from dora.core.ports import Limiter
from dora.core.state import Changes, Cursors, KillSwitch, LeaseGrant, Progress, ReferenceData, RiskState
from dora.core.units import Money, Price, TimeMs
from tests.support.bookings import of_fills, of_leaving, of_payout, of_returning, of_reward
from tests.support.dynamo_values import (
    BOT,
    LIMITS,
    NOW_MS,
    empty_tables,
    event_group,
    fill,
    order,
    plan,
    session,
    settlement,
)
from tests.support.store_backings import DynamoBacking, Loss, MemoryBacking
from tests.world.memory_cloud import MemoryCloud

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TICKERS = ("KXA-1", "KXB-1")
FILLS = {number: fill(number, TICKERS[number % 2]) for number in range(12)}
REWARDS = {
    own.name: own
    for own in (
        Reward(program="p", ticker=ticker, shard=1, kind=kind, amount=Money(2_500_000), at_ms=TimeMs(NOW_MS))
        for ticker in TICKERS
        for kind in RewardKind
    )
}
BUCKETS = ("write", "write#1", "read", "balance")
losses = st.sampled_from(["none"] * 14 + ["request", "answer"])
fresh = st.sampled_from([True, True, True, False])
stale = st.sampled_from([0] * 9 + [1])
"""How far a fence or a revision lies behind."""
small = st.integers(0, 3)


def outcome(call: Callable[[], object]) -> object:
    """The answer, or the error with its text; of an outage only that it was one."""
    try:
        return call()
    except StateUnavailable:
        return StateUnavailable
    except DoraError as error:
        return type(error), str(error)


class Twins(RuleBasedStateMachine):
    """Two storages, and what both are asked."""

    client: Any

    def __init__(self) -> None:
        super().__init__()
        empty_tables(self.client)
        self.both = (DynamoBacking(self.client), MemoryBacking(MemoryCloud()))
        self.now, self.fence, self.rev = 0, 0, 0

    def ask(self, port: str, method: str, *args: Any, lose: Loss = "none", **named: Any) -> Any:
        """The answer of both, which must be one."""
        opened = [getattr(backing, port)(BOT, lose) for backing in self.both]
        dynamo, memory = (outcome(partial(getattr(own, method), *args, **named)) for own in opened)
        assert memory == dynamo
        return dynamo

    def books(self) -> dict[str, MarketLedger]:
        return dict(self.ask("state", "load").books)

    @invariant()
    def same_state(self) -> None:
        loaded = [backing.state(BOT).load() for backing in self.both]
        assert loaded[1] == loaded[0]
        assert [orders_of(own) for own in loaded[1:]] == [orders_of(loaded[0])]

    @rule(limit=st.integers(1, 3), lose=losses)
    def look(self, limit: int, lose: Loss) -> None:
        self.ask("state", "read_kill_switch", lose=lose)
        self.ask("state", "emergency_state", lose=lose)
        self.ask("state", "history", limit, lose=lose)

    @invariant()
    def same_markers(self) -> None:
        self.ask("state", "booked", [own.fill_id for own in FILLS.values()])
        self.ask("state", "payouts")
        self.ask("state", "profit_rows")
        self.ask("state", "event_groups")
        self.ask("state", "retired", list(TICKERS))
        self.ask("state", "rewarded", list(REWARDS))


class Fenced(Twins):
    """Lease, plans, bookings and commits. Fences and ticks are near those in use, so most calls may pass."""

    @initialize()
    def lead(self) -> None:
        self.acquire("a", 1, 0, "none")

    @rule(owner=st.sampled_from("ab"), tick=st.integers(-1, 2), pause=st.integers(0, 60), lose=losses)
    def acquire(self, owner: str, tick: int, pause: int, lose: Loss) -> None:
        self.now += pause
        times = {"tick_ms": self.now // 50 + tick, "now_ms": self.now, "expires_ms": self.now + 50}
        grant = self.ask("lease", "acquire", lose=lose, owner=owner, **times)
        if isinstance(grant, LeaseGrant):
            self.fence = grant.fence

    @rule(back=st.integers(0, 1), lose=losses)
    def release(self, back: int, lose: Loss) -> None:
        self.ask("lease", "release", LeaseGrant(self.fence - back, TimeMs(0)), lose=lose)

    # --- fenced writes ---

    @rule(back=stale, phase=st.sampled_from(["cancel", "place"]), size=small, lose=losses)
    def write_plan(self, back: int, phase: str, size: int, lose: Loss) -> None:
        self.ask("state", "write_plan", plan(self.fence - back, size, phase), lose=lose)

    @rule(
        back=stale,
        numbers=st.sets(st.sampled_from(sorted(FILLS)), min_size=1, max_size=2),
        fresh=fresh,
        lose=losses,
    )
    def book_fills(self, back: int, numbers: set[int], fresh: bool, lose: Loss) -> None:
        fills = [FILLS[number] for number in sorted(numbers)]
        base = self.books() if fresh else {}
        self.ask("state", "book", self.fence - back, of_fills(fills, base), lose=lose)

    @rule(
        back=stale,
        ticker=st.sampled_from(TICKERS),
        at=small,
        fresh=fresh,
        lose=losses,
    )
    def book_settlement(self, back: int, ticker: str, at: int, fresh: bool, lose: Loss) -> None:
        base = (self.books() if fresh else {}).get(ticker)
        payout = settlement(ticker)._replace(settled_ms=TimeMs(NOW_MS + at), value=Price(100 * at))
        self.ask("state", "book", self.fence - back, of_payout(payout, base), lose=lose)

    @rule(back=stale, name=st.sampled_from(sorted(REWARDS)), fresh=fresh, lose=losses)
    def book_reward(self, back: int, name: RewardName, fresh: bool, lose: Loss) -> None:
        state = self.ask("state", "load")
        base = dict(state.books) if fresh else {}
        self.ask("state", "book", self.fence - back, of_reward(REWARDS[name], base, state.cash), lose=lose)

    @rule(back=stale, ticker=st.sampled_from(TICKERS), fresh=fresh, lose=losses)
    def leave_the_state(self, back: int, ticker: str, fresh: bool, lose: Loss) -> None:
        books = self.books()
        if (own := books.get(ticker)) is not None:
            left = own if fresh else own._replace(fees=Money(own.fees + 1))
            self.ask("state", "book", self.fence - back, of_leaving(left, books), lose=lose)

    @rule(back=stale, ticker=st.sampled_from(TICKERS), fresh=fresh, lose=losses)
    def come_back(self, back: int, ticker: str, fresh: bool, lose: Loss) -> None:
        own = self.ask("state", "retired", [ticker]).get(ticker)
        if own is not None:
            returning = own if fresh else own._replace(fees=Money(own.fees + 1))
            self.ask("state", "book", self.fence - back, of_returning(returning, self.books()), lose=lose)

    @rule(back=stale, named=st.sets(st.sampled_from(sorted(Changes._fields))), n=small, lose=losses)
    def commit(self, back: int, named: set[str], n: int, lose: Loss) -> None:
        blocked_by = {
            "journal": Journal().with_orders(order(number) for number in range(n, 0, -1)),
            "memory": {ticker: {"n": [n, (ticker,)]} for ticker in reversed(TICKERS[:n])},
            "cursors": Cursors(fills_ms=TimeMs(n)),
            "progress": Progress(cycle_id=f"cycle-{n}", starved={"slot": n}),
            "risk": RiskState(reducing="daily_loss", reducing_ms=TimeMs(n), writes=n),
            "reference": reference(n),
        }
        chosen: Any = {name: value for name, value in blocked_by.items() if name in named}
        if "summary" in named and "progress" in named:
            chosen["summary"] = {"n": n}
        if (changes := Changes(**chosen)) != Changes():
            self.ask("state", "commit", self.fence - back, changes, lose=lose)


class Unfenced(Twins):
    """Session, history, kill flag and limits."""

    @rule(back=stale, name=st.sampled_from("st"), lose=losses)
    def save_session(self, back: int, name: str, lose: Loss) -> None:
        self.ask("state", "save_session", session(max(self.rev - back, 0), name), lose=lose)
        stored = self.ask("state", "load").session
        self.rev = stored.rev if stored else 0

    @rule(event=st.sampled_from("ab"), rev=small, group_id=st.sampled_from(["", "g"]), lose=losses)
    def save_event_group(self, event: str, rev: int, group_id: str, lose: Loss) -> None:
        self.ask("state", "save_event_group", event_group(event, rev=rev, group_id=group_id), lose=lose)
        self.ask("state", "readable_event_groups")

    @rule(event=st.sampled_from("ab"), lose=losses)
    def drop_event_group(self, event: str, lose: Loss) -> None:
        self.ask("state", "drop_event_group", event_group(event), lose=lose)

    @rule(rev=small, at=small, lose=losses)
    def save_history(self, rev: int, at: int, lose: Loss) -> None:
        self.ask("state", "save_history", session(rev, f"s{at}", NOW_MS + at), lose=lose)

    @rule(halted=st.booleans(), at=small, lose=losses)
    def set_control(self, halted: bool, at: int, lose: Loss) -> None:
        self.ask("state", "set_control", KillSwitch(halted=halted, reason="why", at_ms=TimeMs(at)), lose=lose)

    @rule(rate=st.integers(1, 3), lose=losses)
    def save_limits(self, rate: int, lose: Loss) -> None:
        self.ask("state", "save_limits", LIMITS._replace(write_rate=rate), lose=lose)


class Buckets(Twins):
    """Two users of one key."""

    @initialize()
    def meet(self) -> None:
        self.users: list[tuple[Limiter, ...]] = [
            tuple(backing.limiter(BOT) for backing in self.both) for _ in range(2)
        ]

    @rule(
        who=st.integers(0, 1),
        bucket=st.sampled_from(BUCKETS),
        step=st.integers(-200, 1_500),
        patience=st.integers(0, 3_000),
        costs=st.lists(st.integers(1, 60), max_size=4),
        what=st.sampled_from(["reserve", "reserve", "charge", "push_back", "level"]),
        passed=st.booleans(),
    )
    def spend(
        self, who: int, bucket: str, step: int, patience: int, costs: list[int], what: str, passed: bool
    ) -> None:
        """Of the two users each knows only what it saw itself; time may step back.

        A write passes only after tokens were spent for it, and that is when a user last looked.
        """
        self.now = max(self.now + step, 0)
        now_ms = TimeMs(NOW_MS + self.now)
        sums = [1 for _ in costs] if bucket == "balance" else costs
        given: dict[str, tuple[Any, ...]] = {
            "reserve": (sums, now_ms, TimeMs(now_ms + patience)),
            "charge": (sum(sums), now_ms),
            "push_back": (now_ms, patience, 2_000),
            "level": (now_ms,),
        }
        dynamo, memory = (
            outcome(partial(getattr(user, what), bucket, *given[what])) for user in self.users[who]
        )
        assert memory == dynamo
        if passed and (what in ("charge", "push_back") or (what == "reserve" and dynamo)):
            for user in self.users[who]:
                user.passed(bucket)

    @rule(who=st.integers(0, 1), rate=st.integers(1, 400), capacity=st.integers(60, 400))
    def configure(self, who: int, rate: int, capacity: int) -> None:
        for user in self.users[who]:
            user.configure(LIMITS._replace(write_rate=rate, write_capacity=capacity))


def reference(number: int) -> ReferenceData:
    event = Event(event_ticker="KXB-E", series_ticker="KXB", exclusive=True)
    events = {"KXB-E": event, "KXA-E": event._replace(event_ticker="KXA-E")}
    return ReferenceData(learned_ms=TimeMs(number), events=events, listings={"KXB": (), "KXA": TICKERS})


def orders_of(state: Any) -> list[list[str]]:
    """The order of every collection, on which a deterministic cycle may depend."""
    reference = state.reference
    return [
        list(names)
        for names in (
            state.journal.orders,
            state.positions,
            state.books,
            state.memory,
            reference.events,
            reference.listings,
        )
    ]


@pytest.mark.parametrize(
    ("machine", "examples", "steps"),
    [
        *((machine, 1, 15) for machine in (Fenced, Unfenced, Buckets)),
        # A step asks the embedded DynamoDB for all it holds: an example of thirty takes three seconds.
        *(pytest.param(machine, 10, 30, marks=pytest.mark.long) for machine in (Fenced, Unfenced, Buckets)),
    ],
)
def test_both_storages_answer_every_sequence_of_calls_alike(
    dynamo: "DynamoDBClient", machine: type[Twins], examples: int, steps: int
) -> None:
    opened = type(machine.__name__, (machine,), {"client": dynamo})
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck)
    )

    run_state_machine_as_test(opened, settings=chosen)
