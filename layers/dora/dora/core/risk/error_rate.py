"""The breaker of writes: where too many of them fail, nothing is placed until it has cooled down.

Writes are counted for ten minutes from a cycle on in which one failed, so that while all is well nothing is
stored. What has a brake of its own is not counted: a short token bucket, a pause, a tripped group.
"""

from dora.core.config import GlobalConfig
from dora.core.exchange.error_codes import BRAKED_ELSEWHERE
from dora.core.orders.write_tally import WriteTally
from dora.core.state import RiskState
from dora.core.units import TimeMs

WINDOW_MS = 10 * 60_000
PERCENT = 100


def after_writes(state: RiskState, tally: WriteTally, limits: GlobalConfig, now_ms: TimeMs) -> RiskState:
    """The state after a cycle's writes; it trips where enough of them were sent and too many failed."""
    spared = sum(number for code, number in tally.codes.items() if code in BRAKED_ELSEWHERE)
    sent, failed = tally.requested - spared, tally.failed - spared
    over = now_ms - state.counted_ms >= WINDOW_MS
    if not sent or ((over or not state.writes) and not failed):
        return state
    if over or not state.writes:
        state = state._replace(counted_ms=now_ms, writes=0, failures=0)
    state = state._replace(writes=state.writes + sent, failures=state.failures + failed)
    enough = state.writes >= limits.error_rate_writes
    if not enough or state.failures * PERCENT <= state.writes * limits.max_error_rate:
        return state
    until_ms = TimeMs(now_ms + limits.error_cooldown_s * 1000)
    return state._replace(tripped_ms=now_ms, cool_until_ms=until_ms, counted_ms=now_ms, writes=0, failures=0)


def is_cooling(state: RiskState, now_ms: TimeMs) -> bool:
    """Whether the breaker forbids placements now."""
    return now_ms < state.cool_until_ms
