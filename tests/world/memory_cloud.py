"""What a bot keeps outside its process, kept in this one: the tables as values, and the seam for outages.

Nothing here is encoded, so a cycle's storage costs microseconds. The contract tests hold what stands on it
to the same behaviour as the DynamoDB adapter. Not modelled: sizes (chunks, transactions too large for one),
schema versions, and expiry (markers of fills stay for good, of the cycles' records the latest ones).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import wraps
from random import Random
from threading import RLock
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from dora.core.accounts.cash_tie import UnexplainedCash
from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.rewards import Reward, RewardName
from dora.core.errors import StateUnavailable
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Fill, Settlement
from dora.core.orders.journal import Plan
from dora.core.session import SessionMetadata
from dora.core.state import BotState
from tests.world.keys import ApiKey

P = ParamSpec("P")
R = TypeVar("R")


class StoreFaults:
    """What goes wrong between a bot and its storage: nothing, in this class.

    `method` is "state.commit", "lease.acquire", "limiter.reserve", "configs.load" and so on. Either may
    raise StateUnavailable, end the bot's process, or let others in. No lock is held meanwhile.
    """

    def before(self, method: str) -> None:
        """The request is under way: what is raised here keeps it from being carried out."""

    def after(self, method: str) -> None:
        """It was carried out or refused: what is raised here takes the place of the answer."""


class Outages(StoreFaults):
    """Loses requests and answers at given rates (0 to 1), the same ones for the same seed.

    `only` names the methods concerned, all if empty. `met` counts what was lost, by kind.
    """

    def __init__(
        self, seed: int, *, requests: float = 0.0, answers: float = 0.0, only: frozenset[str] = frozenset()
    ) -> None:
        self._chance = Random(seed)
        self.requests, self.answers, self.only = requests, answers, only
        self.met: Counter[str] = Counter()

    def before(self, method: str) -> None:
        self._meet("request lost", method, self.requests)

    def after(self, method: str) -> None:
        self._meet("answer lost", method, self.answers)

    def _meet(self, kind: str, method: str, rate: float) -> None:
        if (self.only and method not in self.only) or self._chance.random() >= rate:
            return
        self.met[kind] += 1
        raise StateUnavailable(f"{method}: {kind}")


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The LEASE item. `owner` "" and `expires_ms` 0: free."""

    fence: int = 0
    tick_ms: int = 0
    owner: str = ""
    expires_ms: int = 0


@dataclass(slots=True)
class Partition:
    """Everything stored of one bot. `state` holds the single values; plans and positions lie beside it."""

    lease: LeaseRecord | None = None
    state: BotState = field(default_factory=BotState)
    plans: dict[str, Plan] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    books: dict[str, MarketLedger] = field(default_factory=dict)
    retired: dict[str, MarketLedger] = field(default_factory=dict)
    rewards: dict[RewardName, Reward] = field(default_factory=dict)
    rows: dict[str, ProfitRow] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    settlements: dict[str, Settlement] = field(default_factory=dict)
    unexplained: dict[str, UnexplainedCash] = field(default_factory=dict)
    history: dict[str, SessionMetadata] = field(default_factory=dict)
    summaries: dict[str, Mapping[str, object]] = field(default_factory=dict)
    event_groups: dict[str, EventGroup] = field(default_factory=dict)
    had_event_groups: bool = False


class MemoryCloud:
    """A whole cloud for the bots of one account. `calls` counts requests by method, refused ones too."""

    def __init__(self, faults: StoreFaults | None = None) -> None:
        self.faults = faults or StoreFaults()
        self.calls: Counter[str] = Counter()
        self.key: ApiKey | None = None
        self.partitions: defaultdict[str, Partition] = defaultdict(Partition)
        self.configs: defaultdict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        """Items in DynamoDB's own notation, by bot and sort key."""
        self.full_us: dict[tuple[str, str], int] = {}
        """When each token bucket will be full again, by key name and bucket."""
        self.hits: dict[tuple[str, str], int] = {}
        """The 429s in a row that the users of a bucket met, likewise."""
        self._lock = RLock()

    def opened(self) -> AbstractContextManager[str]:
        """Nothing to open; yields no endpoint."""
        return nullcontext("")

    def furnish(self, key: ApiKey) -> None:
        """Keep the secret; tables need no making."""
        self.key = key

    def put_config(self, item: Mapping[str, Any]) -> None:
        """Write an item of the config table, as a person would."""
        self.configs[item["pk"]["S"]][item["sk"]["S"]] = dict(item)

    def serve(self, method: str, work: Callable[[], R]) -> R:
        """One request: all of it at one moment, or nothing."""
        self.calls[method] += 1
        self.faults.before(method)
        try:
            with self._lock:
                return work()
        finally:
            self.faults.after(method)


class Served(Protocol):
    """Something whose methods are requests to a cloud."""

    service: str

    @property
    def cloud(self) -> MemoryCloud: ...


S = TypeVar("S", bound=Served)


def request(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Makes every call of a method one request to the cloud."""

    @wraps(method)
    def call(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.cloud.serve(f"{self.service}.{method.__name__}", lambda: method(self, *args, **kwargs))

    return cast(Callable[Concatenate[S, P], R], call)
