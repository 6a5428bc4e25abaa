"""Step 3 of a cycle: everything read from the exchange, in parallel, each read either whole or unknown."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar, cast

from dora.core.errors import AuthRefused, ExchangeError
from dora.core.evidence import Evidence, ask, in_turn
from dora.core.journal import Journal
from dora.core.model import (
    Book,
    ExchangePosition,
    Fill,
    Limits,
    Market,
    Order,
    OrderGroup,
    Settlement,
    ShardStatus,
)
from dora.core.pacing import READ_COST
from dora.core.planning import split
from dora.core.ports import Outside
from dora.core.units import Money, TimeMs

BOOKS_PER_CALL, MARKETS_PER_CALL = 100, 200
FIXED_READS = 9
"""Calls of a cycle that do not grow with the markets: two stamps and seven account reads."""
LONGEST_WAIT_MS = 15_000
"""Longest wait for read tokens; a cycle that waits longer has no time left to trade."""

MOST_LOOKUPS, MOST_LISTS = 100, 20
"""Single-order reads and lists of one market's orders in a cycle; the others have their turn later."""
BURST_TOKENS = 100
"""Of reads that leave together: half of what the smallest read bucket holds."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One look at the exchange. None is "could not be read", never "nothing there"; `failures` says why."""

    began_ms: TimeMs
    as_of_ms: TimeMs
    resting: tuple[Order, ...] | None = None
    partial: tuple[Order, ...] = ()
    """What was read of the resting orders before their list failed: enough to cancel, no proof of absence."""
    fills: tuple[Fill, ...] | None = None
    settlements: tuple[Settlement, ...] | None = None
    positions: tuple[ExchangePosition, ...] | None = None
    cash: Mapping[int, Money] | None = None
    groups: tuple[OrderGroup, ...] | None = None
    status: Mapping[int, ShardStatus] | None = None
    books: Mapping[str, Book] = field(default_factory=dict)
    markets: Mapping[str, Market] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    auth_refused: bool = False

    @property
    def account_known(self) -> bool:
        """All that a placement rests on was read whole."""
        needed = (self.resting, self.fills, self.positions, self.cash, self.groups, self.status)
        return "as_of" not in self.failures and all(part is not None for part in needed)


class Pending(Generic[Answer]):
    """A read under way. `result` is None when it failed; the reader then holds why."""

    def __init__(self, reader: "Reader", name: str, future: Future[Answer]) -> None:
        self._reader, self._name, self._future = reader, name, future

    def result(self) -> Answer | None:
        """Waits for it. An exception that is not the exchange's passes through: it is a bug."""
        try:
            return self._future.result()
        except ExchangeError as error:
            self._reader.note(self._name, error)
            return None


class Reader:
    """Starts reads side by side, and keeps what failed apart from what was empty.

    When its block ends, so has every read: none is left behind to speak to the exchange later.
    """

    def __init__(self, workers: Executor) -> None:
        self._workers = workers
        self._started: list[Future[Any]] = []
        self.failures: dict[str, str] = {}
        self.partial: tuple[Order, ...] = ()
        self.auth_refused = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        wait(self._started)

    def start(self, name: str, read: Callable[..., Answer], *args: object) -> Pending[Answer]:
        future = self._workers.submit(read, *args)
        self._started.append(future)
        return Pending(self, name, future)

    def note(self, name: str, error: ExchangeError) -> None:
        self.failures[name] = f"{type(error).__name__}: {error}"
        self.partial += error.partial
        self.auth_refused |= isinstance(error, AuthRefused)


def read_calls(book_tickers: int, market_tickers: int) -> int:
    """How many calls of the read bucket one snapshot is expected to make."""
    return FIXED_READS + -(-book_tickers // BOOKS_PER_CALL) + -(-market_tickers // MARKETS_PER_CALL)


def await_tokens(outside: Outside, bucket: str, costs: Sequence[int]) -> None:
    """Spend from a shared bucket and wait until the last of these calls may be sent."""
    now_ms = outside.clock.now_ms()
    sends = outside.limiter.reserve(bucket, costs, now_ms, TimeMs(now_ms + LONGEST_WAIT_MS))
    if sends and sends[-1] > now_ms:
        outside.clock.sleep_ms(sends[-1] - now_ms)


@dataclass(frozen=True, slots=True)
class Answers(Generic[Answer]):
    """Of many reads of one kind: what was answered, and why the others failed. The rest was never asked."""

    found: Mapping[str, Answer]
    failures: Mapping[str, str]


def read_paced(
    outside: Outside, read: Callable[[str], Answer], keys: Sequence[str], cost: int
) -> Answers[Answer]:
    """One read for each key at the pace of the read bucket, in bursts that it holds whole."""
    now_ms = outside.clock.now_ms()
    costs = [cost] * len(keys)
    sends = outside.limiter.reserve("read", costs, now_ms, TimeMs(now_ms + LONGEST_WAIT_MS)) if keys else ()
    found, failures = dict[str, Answer](), dict[str, str]()
    for burst in split(list(zip(keys, sends, strict=False)), max(BURST_TOKENS // cost, 1)):
        outside.clock.sleep_ms(max(burst[-1][1] - outside.clock.now_ms(), 0))
        with Reader(outside.workers) as reader:
            started = {key: reader.start(key, read, key) for key, _ in burst}
            answers = {key: pending.result() for key, pending in started.items()}
        failures |= reader.failures
        found |= {key: cast(Answer, got) for key, got in answers.items() if key not in reader.failures}
    return Answers(found, failures)


def read_exchange(
    outside: Outside,
    *,
    fills_since_ms: TimeMs,
    settlements_since_ms: TimeMs,
    book_tickers: Sequence[str],
    market_tickers: Sequence[str],
) -> Snapshot:
    """All reads of a cycle, side by side."""
    exchange, began_ms = outside.exchange, outside.clock.now_ms()
    with Reader(outside.workers) as reader:
        first = reader.start("as_of", exchange.user_data_time_ms).result()
        resting = reader.start("resting", exchange.resting_orders)
        fills = reader.start("fills", exchange.fills_since, fills_since_ms)
        settlements = reader.start("settlements", exchange.settlements_since, settlements_since_ms)
        positions = reader.start("positions", exchange.positions)
        cash = reader.start("cash", exchange.cash)
        groups = reader.start("groups", exchange.order_groups)
        status = reader.start("status", exchange.status)
        books = _in_slices(reader, "books", exchange.books, book_tickers, BOOKS_PER_CALL)
        markets = _in_slices(reader, "markets", exchange.markets, market_tickers, MARKETS_PER_CALL)
        snapshot = Snapshot(
            began_ms=began_ms,
            as_of_ms=first or TimeMs(0),
            resting=resting.result(),
            fills=fills.result(),
            settlements=settlements.result(),
            positions=positions.result(),
            cash=cash.result(),
            groups=groups.result(),
            status=status.result(),
            books=_joined(books),
            markets=_joined(markets),
        )
        last = reader.start("as_of", exchange.user_data_time_ms).result()
    return replace(
        snapshot,
        partial=reader.partial,
        as_of_ms=min(snapshot.as_of_ms, last or TimeMs(0)),
        failures=reader.failures,
        auth_refused=reader.auth_refused,
    )


def _in_slices(
    reader: Reader,
    name: str,
    read: Callable[[Sequence[str]], Mapping[str, Answer]],
    tickers: Sequence[str],
    size: int,
) -> list[Pending[Mapping[str, Answer]]]:
    return [reader.start(name, read, part) for part in split(tickers, size)]


def _joined(parts: list[Pending[Mapping[str, Answer]]]) -> dict[str, Answer]:
    joined: dict[str, Answer] = {}
    for part in parts:
        joined |= part.result() or {}
    return joined


def gather_evidence(outside: Outside, journal: Journal, snapshot: Snapshot, limits: Limits) -> Evidence:
    """The snapshot's order rows, with targeted reads for what they leave open. Failed ones leave it open."""
    began_ms = outside.clock.now_ms()
    evidence = Evidence(
        began_ms=began_ms,
        as_of_ms=snapshot.as_of_ms,
        resting=snapshot.resting,
        partial=snapshot.partial,
        tripped=frozenset(group.group_id for group in snapshot.groups or () if group.tripped),
    )
    if snapshot.resting is None:
        return evidence
    questions, exchange = ask(journal, snapshot.resting, began_ms), outside.exchange
    since_ms = questions.since_ms
    ids = in_turn(questions.order_ids, MOST_LOOKUPS, began_ms)
    rows = read_paced(outside, exchange.order, ids, limits.order_read_cost)
    tickers = in_turn(questions.tickers, MOST_LISTS, began_ms)
    lists = read_paced(outside, lambda t: exchange.orders_of(t, since_ms[t]), tickers, READ_COST)
    _tell_failures(outside, "single orders", rows.failures)
    _tell_failures(outside, "all orders of a market", lists.failures)
    return replace(evidence, looked_up=rows.found, listings=lists.found)


def _tell_failures(outside: Outside, what: str, failures: Mapping[str, str]) -> None:
    """One `ERROR` for all that failed alike."""
    for key, why in list(failures.items())[:1]:
        outside.facts.emit("ERROR", what=f"read of {what}", why=why, failed=len(failures), first=key)
