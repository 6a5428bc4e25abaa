"""What the bot keeps and loads: configs, state, what a cycle changes, and the lease."""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.accounts.cash_tie import CashBooks, UnexplainedCash
from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.config import GlobalConfig, MarketConfig, SeriesConfig
from dora.core.empty import EMPTY
from dora.core.errors import ConfigInvalid
from dora.core.exchange.account import Limits
from dora.core.exchange.market import Event, Series
from dora.core.orders.journal import Journal, Plan
from dora.core.session import SessionMetadata
from dora.core.units import Count, Money, TimeMs


class KillSwitch(NamedTuple):
    """The kill flag. Whoever sets it leaves a reason; `cancel` takes resting quotes off in any case."""

    halted: bool = False
    cancel: bool = False
    reason: str = ""
    at_ms: TimeMs = TimeMs(0)


class Cursors(NamedTuple):
    """How far fills and settlements are booked; reads begin a configured overlap earlier."""

    fills_ms: TimeMs = TimeMs(0)
    settlements_ms: TimeMs = TimeMs(0)


class Progress(NamedTuple):
    """What the last finished cycle left behind."""

    completed_ms: TimeMs = TimeMs(0)
    cycle_id: str = ""
    status: str = ""
    starved: Mapping[str, int] = EMPTY
    """Of the first schema, always empty by now."""
    day: str = ""
    day_profit: Money = Money(0)
    """The exchange's day of the last cycle, and the profit with which that day began."""


class RiskState(NamedTuple):
    """What risk keeps from cycle to cycle, stored with the journal it goes with (`core/risk/standing.py`)."""

    reducing: str = ""
    """The reason by which no new risk is taken until a person's `resume`, latched at `reducing_ms`."""
    reducing_ms: TimeMs = TimeMs(0)
    since: str = ""
    """What `profit_since` is of: a day, or the high."""
    profit_since: Money = Money(0)
    equity_low: bool = False
    """Whether the last cycle found equity below its floor."""
    counted_ms: TimeMs = TimeMs(0)
    """Since when `writes`, and `failures` among them, are counted."""
    writes: int = 0
    failures: int = 0
    tripped_ms: TimeMs = TimeMs(0)
    """When the breaker of writes tripped last; nothing is placed before `cool_until_ms`."""
    cool_until_ms: TimeMs = TimeMs(0)


class ReferenceData(NamedTuple):
    """Slow facts: which series an event is of, what each series charges, which markets a series has open."""

    learned_ms: TimeMs = TimeMs(0)
    events: Mapping[str, Event] = EMPTY
    series: Mapping[str, Series] = EMPTY
    listed_ms: TimeMs = TimeMs(0)
    listings: Mapping[str, tuple[str, ...]] = EMPTY


class BotState(NamedTuple):
    """Everything one consistent read of the state table returns."""

    session: SessionMetadata | None = None
    control: KillSwitch = KillSwitch()
    journal: Journal = Journal()
    plans: tuple[Plan, ...] = ()
    positions: Mapping[str, Position] = EMPTY
    books: Mapping[str, MarketLedger] = EMPTY
    """By ticker. A market of which there are none, or older ones than its position, is still to be taken
    over (`core/accounts/carry_over.py`)."""
    cash: CashBooks = CashBooks()
    """Where the balance was last tied to the books."""
    memory: Mapping[str, Mapping[str, object]] = EMPTY
    """Strategy memory by ticker: small JSON objects, opaque to the store."""
    cursors: Cursors = Cursors()
    progress: Progress = Progress()
    risk: RiskState = RiskState()
    reference: ReferenceData = ReferenceData()
    limits: Limits | None = None

    @property
    def traded(self) -> Count:
        """Contracts ever traded, by the ledger."""
        return Count(sum(position.traded for position in self.positions.values()))


class EmergencyState(NamedTuple):
    """What stopping a bot needs: single items, each read by itself, so a broken one costs only itself.

    `unreadable` says why the session's record could not be understood ("": it could). `session` is then a
    stand-in with whatever the item shows all the same, above all its order groups; it can never be stored.
    """

    session: SessionMetadata | None = None
    unreadable: str = ""
    completed_ms: TimeMs = TimeMs(0)
    """When a cycle last finished; 0 where that is not known."""
    limits: Limits | None = None
    event_groups: bool = False
    """Whether there may be order groups of single events."""


class Changes(NamedTuple):
    """What a finished cycle writes; None leaves an item as it is.

    Journal, cursors, progress, risk and cash stand or fall together, whatever the size of the rest. All
    plans that stand when a journal is committed count as folded into it.
    """

    journal: Journal | None = None
    memory: Mapping[str, Mapping[str, object]] | None = None
    cursors: Cursors | None = None
    progress: Progress | None = None
    risk: RiskState | None = None
    reference: ReferenceData | None = None
    cash: CashBooks | None = None
    unexplained: UnexplainedCash | None = None
    """To be kept for good; only with the cash books that count it."""
    summary: Mapping[str, object] | None = None
    """The cycle's wide record, kept for a while under its cycle id."""


class Configs(NamedTuple):
    """The config table as parsed. Invalid items disable their market; `problems` says why."""

    globals_: GlobalConfig | None
    markets: Mapping[str, MarketConfig]
    series: Mapping[str, SeriesConfig]
    problems: tuple[ConfigInvalid, ...]


class LeaseGrant(NamedTuple):
    """The right to be the one cycle that writes, until `expires_ms` by our clock."""

    fence: int
    expires_ms: TimeMs


class LeaseRefused(NamedTuple):
    """`lease_held` or `tick_seen`."""

    reason: str
