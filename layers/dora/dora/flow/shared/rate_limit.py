"""What follows a 429 to a write: whoever uses the key leaves the bucket alone for an exponential backoff."""

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
