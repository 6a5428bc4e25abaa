"""What the cycle and the session need from outside, as Protocols, and the values that cross them.

Every read of the exchange is complete or raises an ExchangeError: a partial list is never returned. Lists of
the account hold rows that were not understood apart: whoever reads them says which of those may be ours.
Every write of state is conditional or a transaction; its implementation says whether it is safe to repeat.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from dora.core.accounts.ledger import Position
from dora.core.config import GlobalConfig, MarketConfig, SeriesConfig
from dora.core.errors import ConfigInvalid
from dora.core.exchange.listed import Listed
from dora.core.model import (
    BatchCancelResult,
    BatchPlaceResult,
    Book,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    Event,
    ExchangePosition,
    ExtendRequest,
    Fill,
    IdProbe,
    IdProbeRequest,
    Limits,
    Market,
    Order,
    OrderGroup,
    OrderRequest,
    Series,
    SessionMetadata,
    Settlement,
    ShardStatus,
    Trade,
)
from dora.core.orders.journal import Journal, Plan
from dora.core.units import Count, Money, TimeMs


class Clock(Protocol):
    """Time by our clock, and waiting by it."""

    def now_ms(self) -> TimeMs: ...

    def sleep_ms(self, span_ms: int) -> None: ...


class Facts(Protocol):
    """Where facts go: one JSON line each, and a dozen metrics."""

    def emit(self, event_type: str, **fields: object) -> None:
        """One fact, always written."""

    def count(self, name: str, value: float, unit: str = "Count") -> None:
        """One metric value."""

    def context(self, **keys: str) -> None:
        """Keys that every later line of this invocation carries."""


# --- the exchange -----------------------------------------------------------------------------------


class Exchange(Protocol):
    """The exchange for one API key and one subaccount; all shards unless one is named."""

    skew_ms: int
    """Our clock minus the exchange's, from the answers' Date headers (0 until an answer came)."""

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far, by method and route; every attempt counts."""

    @property
    def key_refused(self) -> bool:
        """Whether any answer so far refused the key."""

    def until(self, deadline_ms: TimeMs) -> None:
        """From now on every request is over by this time, its answer read to the end or given up."""

    def retry_reads(self, attempts: int, backoff_ms: int) -> None:
        """From now on a read is tried so often, the first wait so long; each further one doubles."""

    def user_data_time_ms(self) -> TimeMs:
        """When the exchange last validated orders, fills and positions; approximate."""

    def resting_orders(self) -> Listed[Order]:
        """What rests. The error of a list that failed carries what was read of it, in `partial`."""

    def orders_of(self, ticker: str, since_ms: TimeMs | None = None) -> Listed[Order]:
        """Orders of every status in one market that were made since then (None: all of them)."""

    def order(self, order_id: str) -> Order | None:
        """One order; None when the exchange answers 404."""

    def fills_since(self, since_ms: TimeMs) -> Listed[Fill]:
        """Fills at or after a time, of all shards, oldest first."""

    def settlements_since(self, since_ms: TimeMs) -> Listed[Settlement]: ...

    def positions(self) -> Listed[ExchangePosition]: ...

    def cash(self) -> Mapping[int, Money]:
        """Cash by shard, which may still include what resting orders hold; an absent shard is unknown."""

    def order_groups(self) -> Listed[OrderGroup]: ...

    def status(self) -> Mapping[int, ShardStatus]: ...

    def books(self, tickers: Sequence[str]) -> Mapping[str, Book]:
        """Books by ticker; a ticker whose book could not be read or understood is absent."""

    def trades_since(self, ticker: str, since_ms: TimeMs) -> tuple[Trade, ...]:
        """Public trades of one market at or after a time. Market data, so not behind as account reads are."""

    def markets(self, tickers: Sequence[str]) -> Mapping[str, Market]:
        """Market objects by ticker; one that is unknown or not understood is absent."""

    def open_markets(self, series_ticker: str) -> tuple[Market, ...]: ...

    def events(self, event_tickers: Sequence[str]) -> Mapping[str, Event]: ...

    def series(self, series_ticker: str) -> Series: ...

    def limits(self) -> Limits: ...

    def place(self, requests: Sequence[OrderRequest]) -> BatchPlaceResult:
        """One create batch. Never raises for what happened to an order: that is in the result."""

    def cancel(self, requests: Sequence[CancelRequest]) -> BatchCancelResult:
        """One cancel batch, on the same terms."""

    def decrease(self, request: DecreaseRequest) -> ChangeResult: ...

    def extend(self, request: ExtendRequest) -> ChangeResult: ...

    def probe_id(self, request: IdProbeRequest) -> IdProbe | None:
        """What the engine says of a client order id; None when it did not say. Nothing comes to rest."""

    def create_group(self, shard: int, limit: Count) -> str:
        """A new order group's id. An unanswered create may have made a group that we never learn of."""

    def trigger_group(self, group_id: str, shard: int) -> None: ...

    def reset_group(self, group_id: str, shard: int) -> None: ...

    def delete_group(self, group_id: str, shard: int) -> None: ...

    def limit_group(self, group_id: str, shard: int, limit: Count) -> None: ...


# --- state -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KillSwitch:
    """The kill flag. Whoever sets it leaves a reason; `cancel` takes resting quotes off in any case."""

    halted: bool = False
    cancel: bool = False
    reason: str = ""
    at_ms: TimeMs = TimeMs(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursors:
    """How far fills and settlements are booked; reads begin a configured overlap earlier."""

    fills_ms: TimeMs = TimeMs(0)
    settlements_ms: TimeMs = TimeMs(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the last finished cycle left behind. `starved` counts cycles a slot's placement was dropped."""

    completed_ms: TimeMs = TimeMs(0)
    cycle_id: str = ""
    status: str = ""
    starved: Mapping[str, int] = field(default_factory=dict)
    day: str = ""
    day_profit: Money = Money(0)
    """The exchange's day of the last cycle, and the profit with which that day began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceData:
    """Slow facts: which series an event is of, what each series charges, which markets a series has open."""

    learned_ms: TimeMs = TimeMs(0)
    events: Mapping[str, Event] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    listed_ms: TimeMs = TimeMs(0)
    listings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotState:
    """Everything one consistent read of the state table returns."""

    session: SessionMetadata | None = None
    control: KillSwitch = KillSwitch()
    journal: Journal = field(default_factory=Journal)
    plans: tuple[Plan, ...] = ()
    positions: Mapping[str, Position] = field(default_factory=dict)
    memory: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Strategy memory by ticker: small JSON objects, opaque to the store."""
    cursors: Cursors = Cursors()
    progress: Progress = Progress()
    reference: ReferenceData = field(default_factory=ReferenceData)
    limits: Limits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyState:
    """What stopping a bot needs: single items, each read by itself, so a broken one costs only itself.

    `unreadable` says why the session's record could not be understood ("": it could). `session` is then a
    stand-in with whatever the item shows all the same, above all its order groups; it can never be stored.
    """

    session: SessionMetadata | None = None
    unreadable: str = ""
    completed_ms: TimeMs = TimeMs(0)
    """When a cycle last finished; 0 where that is not known."""
    limits: Limits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a finished cycle writes; None leaves an item as it is.

    Journal, finished plans, cursors and progress stand or fall together, whatever the size of the rest.
    """

    journal: Journal | None = None
    finished_plans: tuple[Plan, ...] = ()
    memory: Mapping[str, Mapping[str, object]] | None = None
    cursors: Cursors | None = None
    progress: Progress | None = None
    reference: ReferenceData | None = None
    limits: Limits | None = None
    summary: Mapping[str, object] | None = None
    """The cycle's wide record, kept for a while under its cycle id."""


@dataclass(frozen=True, slots=True)
class Configs:
    """The config table as parsed. Invalid items disable their market; `problems` says why."""

    globals_: GlobalConfig | None
    markets: Mapping[str, MarketConfig]
    series: Mapping[str, SeriesConfig]
    problems: tuple[ConfigInvalid, ...]


class ConfigStore(Protocol):
    """Read-only for the bot."""

    def load(self) -> Configs:
        """All items of this bot, read consistently. Raises StateUnavailable."""


class StateStore(Protocol):
    """The state table of one bot. Fenced writes raise LeaseLost when a newer fence exists."""

    def load(self) -> BotState: ...

    def read_kill_switch(self) -> tuple[KillSwitch, SessionMetadata | None]:
        """The kill flag and the session, read afresh in mid-cycle (two items)."""

    def emergency_state(self) -> EmergencyState:
        """What teardown and watch act on before anything else is read. Raises StateUnavailable."""

    def write_plan(self, plan: Plan) -> None:
        """Make intents durable before their first request; only under the plan's own fence."""

    def book_fills(self, fence: int, fills: Sequence[Fill], positions: Mapping[str, Position]) -> bool:
        """Mark these fills as booked and store the positions they lead to, in one transaction.

        False when one of them was booked before: nothing was written, the caller reads `booked` and retries.
        """

    def booked(self, fill_ids: Sequence[str]) -> frozenset[str]:
        """Which of these fills are booked already."""

    def book_settlement(self, fence: int, settlement: Settlement, position: Position) -> bool:
        """Book one payout; False when it was booked before."""

    def commit(self, fence: int, changes: Changes) -> None: ...

    def save_session(self, session: SessionMetadata) -> SessionMetadata:
        """Store a session whose `rev` is still the stored one; returns it with the next rev.

        Raises StateConflict when somebody wrote it in between.
        """

    def save_history(self, session: SessionMetadata) -> None: ...

    def history(self, limit: int) -> tuple[SessionMetadata, ...]:
        """Past sessions, newest first."""

    def summary(self, cycle_id: str) -> Mapping[str, object] | None:
        """A finished cycle's wide record; None when it is not kept, or no longer."""

    def set_control(self, control: KillSwitch) -> None: ...

    def save_limits(self, limits: Limits) -> None: ...


@dataclass(frozen=True, slots=True)
class LeaseGrant:
    """The right to be the one cycle that writes, until `expires_ms` by our clock."""

    fence: int
    expires_ms: TimeMs


@dataclass(frozen=True, slots=True)
class LeaseRefused:
    """`lease_held` or `tick_seen`."""

    reason: str


class Lease(Protocol):
    """Exclusion, refusal of a tick already seen, and a growing fence number, in one conditional update."""

    def acquire(
        self, *, owner: str, tick_ms: TimeMs, now_ms: TimeMs, expires_ms: TimeMs
    ) -> LeaseGrant | LeaseRefused: ...

    def release(self, grant: LeaseGrant) -> None: ...


class Limiter(Protocol):
    """Token buckets shared by everything that uses the API key. Nothing here sleeps."""

    def charge(self, bucket: str, tokens: int, now_ms: TimeMs) -> None:
        """Count tokens that are spent whatever the bucket holds (cancels, triggers)."""

    def reserve(
        self, bucket: str, costs: Sequence[int], now_ms: TimeMs, until_ms: TimeMs
    ) -> tuple[TimeMs, ...]:
        """Send times for as many of these calls, in order, as can be sent by `until_ms`."""

    def push_back(self, bucket: str, now_ms: TimeMs, base_ms: int, longest_ms: int) -> tuple[int, int]:
        """After a 429: nobody spends from this bucket for an exponential backoff.

        Returns the 429s in a row that users of the key met, this one included, and the backoff in ms.
        """

    def passed(self, bucket: str) -> None:
        """After a write that the bucket let pass: the next 429 is the first in a row."""

    def level(self, bucket: str, now_ms: TimeMs) -> int:
        """Whole tokens that the bucket holds; a reading, which spends and promises nothing."""

    def configure(self, limits: Limits) -> None:
        """Use these rates and capacities from now on."""


class Archive(Protocol):
    """Where the record of every cycle goes: what it came to, not what it was decided from."""

    def save(self, cycle_id: str, record: Mapping[str, object]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside the flow, for one bot. `prefix` starts each of its client order ids."""

    clock: Clock
    workers: Executor
    """Runs reads of the exchange side by side."""
    exchange: Exchange
    configs: ConfigStore
    state: StateStore
    lease: Lease
    limiter: Limiter
    archive: Archive
    facts: Facts
    prefix: str
    dry_run: bool
