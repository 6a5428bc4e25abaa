"""Tokens that are spent whatever a shared bucket holds, and 429s, reported to its limiter afterwards."""

from collections.abc import Callable

from dora.core.errors import StateError
from dora.core.ports import Ports

LONGEST_BACKOFF_MS = 60_000
"""Cap of the exponential backoff after consecutive 429s: one cycle without placements."""


def back_off(ports: Ports, endpoint: str, base_ms: int) -> None:
    """Push the shared write bucket back, and emit `RATE_LIMIT` and the `RATE_LIMIT_BACKOFF` it led to.

    Raises StateError. Safe to repeat: yes, but each time counts as one more 429 in a row.
    """
    now_ms = ports.clock.now_ms()
    hits, wait_ms = ports.limiter.push_back("write", now_ms, base_ms, LONGEST_BACKOFF_MS)
    ports.facts.emit("RATE_LIMIT", endpoint=endpoint, consecutive_hits=hits)
    ports.facts.emit(
        "RATE_LIMIT_BACKOFF", endpoint=endpoint, consecutive_hits=hits, backoff_seconds=wait_ms / 1000
    )


class SharedCharge:
    """Charges of one invocation. Once the limiter has failed it is left alone: it may be slow."""

    def __init__(self, ports: Ports, bucket: str) -> None:
        self._ports, self._bucket, self._works = ports, bucket, True

    def charge(self, tokens: int) -> None:
        """Never raises, never waits for tokens."""
        if tokens:
            now_ms, charge = self._ports.clock.now_ms(), self._ports.limiter.charge
            self._attempt(f"charge of bucket {self._bucket}", lambda: charge(self._bucket, tokens, now_ms))

    def back_off(self, endpoint: str, base_ms: int) -> None:
        """After a 429 to a write: everybody who uses the key backs off. Never raises."""
        what = f"rate limit backoff after {endpoint}"
        self._attempt(what, lambda: back_off(self._ports, endpoint, base_ms))

    def passed(self) -> None:
        """After a write that passed: the next 429 is the first in a row. Never raises."""
        self._attempt(f"end of the 429s of {self._bucket}", lambda: self._ports.limiter.passed(self._bucket))

    def _attempt(self, what: str, call: Callable[[], None]) -> None:
        if not self._works:
            return
        try:
            call()
        except StateError as error:
            self._works = False
            self._ports.facts.emit("ERROR", what=what, why=str(error))
