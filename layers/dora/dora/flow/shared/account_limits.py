"""What the account may spend: learned hourly, and at once after a 429 that contradicts it."""

from dora.core.config import GlobalConfig
from dora.core.errors import ExchangeError
from dora.core.exchange.account import ALL, Limits
from dora.core.exchange.pacing import READ_COST
from dora.core.fallbacks import UNLEARNED
from dora.core.ports import Limiter, Ports
from dora.core.units import TimeMs
from dora.flow.shared.reads import await_tokens
from dora.flow.shared.reported import Reported

LIMITS_AGE_MS = 60 * 60_000
LIMIT_READS = 2
"""Calls: the limits, and what calls cost."""


def refresh_limits(
    ports: Ports, known: Limits | None, learned_ms: int, *, contradicted: bool
) -> tuple[Limits | None, int]:
    """The limits and when they were learned, read and stored afresh when they are due.

    `contradicted`: a write within them was answered with a 429, so the tier may have become smaller. What
    could not be read is left as it is, and tried again by the next cycle. Safe to repeat.
    """
    now_ms = ports.clock.now_ms()
    if known is not None and not contradicted and now_ms - learned_ms < LIMITS_AGE_MS:
        return known, learned_ms
    await_tokens(ports, "read", [READ_COST] * LIMIT_READS)
    with Reported(ports.facts, "account limits", ExchangeError):
        found = ports.exchange.limits()
        if found != known:
            ports.state.save_limits(found)
        return found, TimeMs(now_ms)
    return known, learned_ms


def share_of(limits: Limits | None, globals_: GlobalConfig) -> Limits:
    """This bot's part of what the key may spend; of the smallest tier where that was never learned."""
    return (limits or UNLEARNED).share(globals_.budget_share)


def tell_limiter(limiter: Limiter, limits: Limits | None, globals_: GlobalConfig, prefix: str) -> None:
    """Configure the shared buckets, or this bot's own where it has but a share of the key's tokens."""
    if limits is not None or globals_.budget_share < ALL:
        own = prefix if globals_.budget_share < ALL else ""
        limiter.configure(share_of(limits, globals_), own)
