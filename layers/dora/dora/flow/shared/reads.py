"""Reads of the exchange: in parallel, each either complete or unknown, and never faster than their tokens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from typing import Any, Generic, Self, TypeVar

from dora.core.errors import AuthRefused, ExchangeError, ExchangeUnavailable, RateLimited, StateError
from dora.core.exchange.listed import Listed, UnreadableRow
from dora.core.exchange.pacing import BALANCE_COST, US_PER_MS, Bucket, reserve
from dora.core.fallbacks import UNLEARNED
from dora.core.ports import Ports
from dora.core.units import Money, TimeMs
from dora.flow.shared.reported import Reported

LONGEST_WAIT_MS = 15_000
"""Longest wait for read tokens; a cycle that waits longer has no time left to trade."""
BALANCE_INTERVAL_MS = 1_200
"""In which the bucket of the balance refills for one call."""
BALANCE_SLACK_MS = 200
"""So much later than it was counted a call may leave: the exchange's own bucket refills that much faster."""
SMALLEST = Bucket(UNLEARNED.write_rate, UNLEARNED.write_capacity)
"""No bucket of any tier refills more slowly."""

T = TypeVar("T")


class Pending(Generic[T]):
    """A read under way. `result` is None when it failed; the reader then holds why."""

    def __init__(self, reader: "Reader", name: str, future: Future[T]) -> None:
        self._reader, self._name, self._future = reader, name, future

    def result(self) -> T | None:
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
        self.retryable: set[str] = set()
        """Reads that got no answer, or a 429: the same one may succeed soon."""
        self.auth_refused = False
        self.partial: dict[str, tuple[Any, ...]] = {}
        """Of lists that failed: the rows that were read before."""
        self.set_apart: list[UnreadableRow] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        wait(self._started)

    def start(self, name: str, read: Callable[..., T], *args: object) -> Pending[T]:
        future = self._workers.submit(read, *args)
        self._started.append(future)
        return Pending(self, name, future)

    def retry(self, name: str, read: Callable[..., T], *args: object) -> T | None:
        """A read that failed, once more, in this thread."""
        try:
            found = read(*args)
        except ExchangeError as error:
            self.note(name, error)
            return None
        del self.failures[name]
        return found

    def start_list(
        self,
        name: str,
        may_be_ours: Callable[[UnreadableRow], bool],
        read: Callable[..., Listed[T]],
        *args: object,
    ) -> Pending[tuple[T, ...]]:
        """A list of the account, unknown where a row may be ours that was not understood."""

        def complete() -> tuple[T, ...]:
            listed = read(*args)
            rows = listed.complete(may_be_ours)
            self.set_apart.extend(listed.unreadable)
            return rows

        return self.start(name, complete)

    def note(self, name: str, error: ExchangeError) -> None:
        self.failures[name] = f"{type(error).__name__}: {error}"
        self.partial[name] = error.partial
        if isinstance(error, ExchangeUnavailable | RateLimited):
            self.retryable.add(name)
        self.auth_refused |= isinstance(error, AuthRefused)


def await_tokens(ports: Ports, bucket: str, costs: Sequence[int]) -> None:
    """Spend from a shared bucket and wait until the last of these calls may be sent.

    Without the shared bucket they keep to the smallest tier's: cancels need reads, and those no table.
    """
    now_ms = ports.clock.now_ms()
    sends = send_times(ports, bucket, costs, TimeMs(now_ms + LONGEST_WAIT_MS))
    if sends and sends[-1] > now_ms:
        ports.clock.sleep_ms(sends[-1] - now_ms)


def await_balance(ports: Ports) -> None:
    """Spend the balance's one call from its shared bucket and wait until it may be sent.

    Where the shared bucket cannot be written, the last call may have been a moment ago.
    """
    now_ms = ports.clock.now_ms()
    until_ms = TimeMs(now_ms + LONGEST_WAIT_MS)
    sends = reserve_or_none(ports, "balance", [BALANCE_COST], now_ms, until_ms)
    if sends is None:
        ports.clock.sleep_ms(BALANCE_INTERVAL_MS)
    elif sends and sends[-1] > now_ms:
        ports.clock.sleep_ms(sends[-1] - now_ms)


def balance_leaves(ports: Ports, counted_ms: TimeMs) -> None:
    """Count the balance's call anew where it leaves only now, because other tokens were waited for.

    Else the next call of whoever shares the key would come too early.
    """
    now_ms = ports.clock.now_ms()
    if now_ms - counted_ms > BALANCE_SLACK_MS:
        with Reported(ports.facts, "reservation from bucket balance", StateError):
            ports.limiter.charge("balance", BALANCE_COST, now_ms)


def cash_again(ports: Ports) -> Mapping[int, Money]:
    """The one read that the client tries only once: its bucket holds one call a second, and is waited for.

    The first call left later than its tokens were counted, so the full interval is waited from now. Raises
    ExchangeError. Not for side threads: waiting moves the time under reads side by side.
    """
    ports.clock.sleep_ms(BALANCE_INTERVAL_MS)
    await_balance(ports)
    return ports.exchange.cash()


def paced(ports: Ports, bucket: str, wanted: Sequence[T], cost: int, until_ms: TimeMs) -> Iterator[T]:
    """Those of these calls that the shared bucket pays for by `until_ms`, each when it may be sent.

    Waits in between. What does not come out is for another round. Without the shared bucket they keep to the
    smallest tier's.
    """
    sends = send_times(ports, bucket, [cost] * len(wanted), until_ms) if wanted else ()
    for each, send_ms in zip(wanted, sends, strict=False):
        ports.clock.sleep_ms(max(send_ms - ports.clock.now_ms(), 0))
        yield each


def reserve_or_none(
    ports: Ports, bucket: str, costs: Sequence[int], now_ms: TimeMs, until_ms: TimeMs
) -> Sequence[TimeMs] | None:
    """Send times by the shared bucket; None, and an `ERROR`, when it cannot be written."""
    with Reported(ports.facts, f"reservation from bucket {bucket}", StateError):
        return ports.limiter.reserve(bucket, costs, now_ms, until_ms)
    return None


def smallest_send_times(costs: Sequence[int], now_ms: TimeMs, until_ms: TimeMs) -> Sequence[TimeMs]:
    """Send times at the pace of the smallest tier, for when the shared bucket cannot be written."""
    sends = reserve(SMALLEST, None, costs, now_ms * US_PER_MS, until_ms * US_PER_MS).send_ms
    return [TimeMs(at_ms) for at_ms in sends]


def used_percent(ports: Ports, bucket: str, capacity: int) -> int:
    """How much of a shared bucket is spent at this moment, as last seen; at 100 the next call has to wait."""
    now_ms = ports.clock.now_ms()
    left = min(ports.limiter.affordable(bucket, now_ms, now_ms), capacity)
    return (capacity - left) * 100 // capacity


def send_times(ports: Ports, bucket: str, costs: Sequence[int], until_ms: TimeMs) -> Sequence[TimeMs]:
    """When these calls may be sent, by the shared bucket or else at the pace of the smallest tier."""
    now_ms = ports.clock.now_ms()
    sends = reserve_or_none(ports, bucket, costs, now_ms, until_ms)
    return smallest_send_times(costs, now_ms, until_ms) if sends is None else sends
