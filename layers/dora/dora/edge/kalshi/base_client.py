"""What all parts of the client share: the connection, the subaccount, and where oddities are reported."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from requests.adapters import BaseAdapter

from dora.core.errors import ExchangeError, WireInvalid
from dora.core.ports import Clock, Facts
from dora.core.units import TimeMs
from dora.edge.kalshi.signing import Signer
from dora.edge.kalshi.transport import Call, Params, Transport
from dora.edge.kalshi.wire import JsonObject
from dora.edge.net.request import Network

T = TypeVar("T")


def _half(span_ms: int) -> int:
    """No chance at all: the same run every time."""
    return span_ms // 2


class Caller:
    """One API key and one subaccount of one exchange. Reads may run in parallel.

    `base_url` ends in /trade-api/v2. `adapter` takes the network's place: a simulator in process.
    `network` holds the invocation's deadline; without one there is none.
    `jitter_ms(n)` draws a whole number below n, so that clients that were refused together part.
    """

    skew_ms: int = 0
    """Our clock minus the exchange's; 0 below a second, and until an answer came."""

    def __init__(  # noqa: PLR0913 - what the transport takes, each of it replaced by some test
        self,
        base_url: str,
        signer: Signer,
        clock: Clock,
        facts: Facts,
        *,
        subaccount: int = 0,
        adapter: BaseAdapter | None = None,
        network: Network | None = None,
        jitter_ms: Callable[[int], int] = _half,
    ) -> None:
        self._transport = Transport(
            base_url,
            signer,
            clock,
            facts,
            adapter=adapter,
            network=network,
            jitter_ms=jitter_ms,
            note_skew=self._note_skew,
        )
        self._facts, self._subaccount = facts, subaccount
        self._of_us: Params = (("subaccount", subaccount),)

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far, by endpoint; every attempt counts."""
        return self._transport.calls

    @property
    def key_refused(self) -> bool:
        """Whether any answer so far was a 401: the key is wrong, was rotated, or our clock is off."""
        return self._transport.key_refused

    def until(self, deadline_ms: TimeMs) -> None:
        """From now on every request is over by this time, its answer read to the end or given up."""
        self._transport.until(deadline_ms)

    def retry_reads(self, attempts: int, backoff_ms: int) -> None:
        """From now on a read is tried so often, the first wait so long; each further one doubles."""
        self._transport.read_attempts, self._transport.backoff_ms = attempts, backoff_ms

    def close(self) -> None:
        """Close the connections. What calls afterwards opens new ones."""
        self._transport.close()

    def _note_skew(self, skew_ms: int) -> None:
        self.skew_ms = skew_ms

    def _read(self, route: str, *ids: str, params: Params = ()) -> JsonObject:
        return self._transport.read(Call("GET", route, ids, params))

    def _understood(self, rows: Iterable[JsonObject], parse: Callable[[JsonObject], T]) -> list[T]:
        """The rows that parse. The others are left out, and reported in one fact: there may be many."""
        parsed: list[T] = []
        failures: list[WireInvalid] = []
        for row in rows:
            try:
                parsed.append(parse(row))
            except WireInvalid as error:
                failures.append(error)
        if failures:
            self._say_left_out(failures)
        return parsed

    def _say_left_out(self, failures: Sequence[ExchangeError]) -> None:
        self._facts.emit(
            "ERROR",
            what=str(failures[0]),
            where="what the exchange says of markets and shards",
            fix="none needed for the others; what was left out is not quoted",
            left_out=len(failures),
        )
