"""What the cycle and the session need of others, as Protocols: time, facts, the exchange, and storage.

Every read of the exchange is complete or raises an ExchangeError: a partial list is never returned.
Every write of state is conditional or a transaction; its implementation says whether it is safe to repeat.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple, Protocol

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.rewards import RewardName
from dora.core.accounts.stored_books import Booking
from dora.core.cycle_record import CycleRecord
from dora.core.event_group import EventGroup
from dora.core.exchange.account import (
    ExchangePosition,
    Fill,
    Limits,
    Order,
    OrderGroup,
    Settlement,
    ShardStatus,
)
from dora.core.exchange.fee_changes import FeeChange
from dora.core.exchange.listed import Listed
from dora.core.exchange.market import Book, Event, Market, OpenMarket, Series, Trade
from dora.core.exchange.public_data import IncentiveProgram, PublicTrade
from dora.core.orders.journal import Plan
from dora.core.orders.requests import (
    BatchCancelResult,
    BatchPlaceResult,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    ExtendRequest,
    IdProbe,
    IdProbeRequest,
    OrderRequest,
)
from dora.core.session import SessionMetadata
from dora.core.state import (
    BotState,
    Changes,
    Configs,
    EmergencyState,
    KillSwitch,
    LeaseGrant,
    LeaseRefused,
)
from dora.core.units import Count, Money, TimeMs


class Clock(Protocol):
    """Time by our clock, and waiting by it."""

    def now_ms(self) -> TimeMs: ...

    def sleep_ms(self, span_ms: int) -> None: ...


class Facts(Protocol):
    """Where facts go: one JSON line each, and a dozen metrics."""

    def emit(self, event_type: str, **fields: object) -> None:
        """One fact, always written."""

    def count(self, name: str, value: float) -> None:
        """One metric value."""

    def context(self, **keys: str) -> None:
        """Keys that every later line of this invocation carries."""


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
        """Books of at most BOOKS_PER_CALL tickers; one that could not be read or understood is absent."""

    def trades_since(self, ticker: str, since_ms: TimeMs) -> tuple[Trade, ...]:
        """Public trades of one market at or after a time. Market data, so not behind as account reads are."""

    def public_trades(
        self, since_ms: TimeMs, tickers: Collection[str], pages: int
    ) -> tuple[PublicTrade, ...]:
        """Public trades of these markets at or after a time; raises where more pages hold any."""

    def incentive_programs(self, tickers: Collection[str], pages: int) -> tuple[IncentiveProgram, ...]:
        """Programs that run and pay makers of these markets; one that is not understood is left out."""

    def markets(self, tickers: Sequence[str]) -> Mapping[str, Market]:
        """Market objects by ticker; one that is unknown or not understood is absent."""

    def open_markets(self, series_ticker: str) -> tuple[OpenMarket, ...]: ...

    def fee_changes(self) -> tuple[FeeChange, ...]:
        """Every announced change of fees that is still to come, whatever series it is of."""

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
        """What the engine says of a client order id; None when it did not say. Nothing comes to rest.

        Raises RateLimited, and no other ExchangeError.
        """

    def create_group(self, shard: int, limit: Count) -> str:
        """A new order group's id. An unanswered create may have made a group that we never learn of."""

    def trigger_group(self, group_id: str, shard: int) -> None: ...

    def reset_group(self, group_id: str, shard: int) -> None: ...

    def delete_group(self, group_id: str, shard: int) -> None: ...

    def limit_group(self, group_id: str, shard: int, limit: Count) -> None: ...


class ConfigStore(Protocol):
    """Read-only for the bot."""

    def load(self) -> Configs:
        """All items of this bot, read consistently. Raises StateUnavailable."""


class StateStore(Protocol):
    """The state table of one bot. Fenced writes raise LeaseLost when a newer fence exists."""

    def load(self, fence: int | None = None) -> BotState:
        """Everything. `fence`: of the caller's lease, under which nobody else writes most of it."""

    def read_kill_switch(self) -> tuple[KillSwitch, SessionMetadata | None]:
        """The kill flag and the session, read afresh in mid-cycle (two items)."""

    def emergency_state(self) -> EmergencyState:
        """What teardown and watch act on before anything else is read. Raises StateUnavailable."""

    def write_plan(self, plan: Plan) -> None:
        """Make intents durable before their first request; only under the plan's own fence."""

    def book(self, fence: int, booking: Booking) -> bool:
        """Store what a change of the books comes to, in one transaction.

        False when one of its fills or rewards was booked before: nothing was written, the caller reads
        `booked` or `rewarded` and retries. Raises StateConflict where something else stands than what it
        was made from.
        """

    def booked(self, fill_ids: Sequence[str]) -> frozenset[str]:
        """Which of these fills are booked already."""

    def rewarded(self, names: Sequence[RewardName]) -> frozenset[RewardName]:
        """Which of these rewards are booked already."""

    def retired(self, tickers: Sequence[str]) -> Mapping[str, MarketLedger]:
        """The ledgers of those of these markets that have left the state."""

    def payouts(self) -> tuple[Settlement, ...]:
        """Every payout that was booked, amendments beside what they amend."""

    def profit_rows(self, day: str = "") -> tuple[ProfitRow, ...]:
        """The rows of one day of the exchange (YYYY-MM-DD), or of all days, in the order of their keys."""

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

    def event_groups(self) -> tuple[EventGroup, ...]:
        """The order groups of single events, of every session, each an item of its own.

        Raises StateError: one that cannot be read is not passed over.
        """

    def readable_event_groups(self) -> tuple[EventGroup, ...]:
        """All of them. One whose item is not understood is not `understood`, and can never be stored; its
        group, which is all that triggering it takes, is empty where not even that can be read.

        Raises only StateUnavailable.
        """

    def save_event_group(self, group: EventGroup) -> EventGroup:
        """Store one whose `rev` is still the stored one; returns it with the next rev.

        Raises StateConflict when somebody wrote it in between.
        """

    def drop_event_group(self, group: EventGroup) -> None:
        """Forget one that is deleted on the exchange."""

    def set_control(self, control: KillSwitch) -> None: ...

    def save_limits(self, limits: Limits) -> None: ...


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

    def affordable(self, bucket: str, now_ms: TimeMs, until_ms: TimeMs) -> int:
        """Tokens of calls that can be sent by then, as far as known without asking: an estimate for plans."""

    def push_back(self, bucket: str, now_ms: TimeMs, base_ms: int, longest_ms: int) -> tuple[int, int]:
        """After a 429: nobody spends from this bucket for an exponential backoff.

        Returns the 429s in a row that users of the key met, this one included, and the backoff in ms.
        """

    def passed(self, bucket: str) -> None:
        """After a write that the bucket let pass: the next 429 is the first in a row."""

    def level(self, bucket: str, now_ms: TimeMs) -> int:
        """Whole tokens that the bucket holds; a reading, which spends and promises nothing."""

    def configure(self, limits: Limits, user: str = "") -> None:
        """Use these rates and capacities from now on.

        `user`: they are its share of the key's, in buckets of its own; the balance bucket stays shared.
        """


class Archive(Protocol):
    """Where every cycle goes that is over, with what it was decided from."""

    @property
    def inputs(self) -> bool:
        """Whether it keeps what cycles were decided from."""

    def save(self, cycle_id: str, record: Callable[[], CycleRecord]) -> None:
        """Keep it; `record` is asked for it only where it is kept. Raises StateUnavailable: go on without."""


class Notices(Protocol):
    """Who is told of a day that is over, by mail or however they subscribed."""

    def tell_once(self, day_ms: TimeMs, subject: str, text: str) -> bool:
        """Tell them, unless this day or a later one was told. False: it was. Raises StateUnavailable."""


class Ports(NamedTuple):
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
    notices: Notices | None = None
    """None: nobody is told of anything, neither daily nor of alarms."""
