"""Liquidity programs of the markets that are quoted for them, read when a cycle's orders are sent.

Every ten minutes, with read tokens that nobody else waits for, in seconds that are left anyway. A read that
fails makes discovery older and changes nothing else; it is tried again soon. Where no market is quoted so,
nothing is read.
"""

from collections.abc import Mapping

from dora.core.accounts.quote_quality import QualityTally
from dora.core.errors import ExchangeError
from dora.core.exchange.pacing import READ_COST
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.failures import told
from dora.core.incentives.losses import loss_of_contract_day
from dora.core.incentives.programs import INCENTIVE, PROGRAMS, merged, read_programs, rewarded
from dora.core.ports import Ports
from dora.core.units import Money, TimeMs
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.cycle.quality import QUALITY
from dora.flow.shared.reads import send_times

AGE_MS = 10 * 60_000
AGAIN_MS = 2 * 60_000
"""After a read that failed."""
MOST_PAGES = 2
SPARE_MS = 10_000
"""Nothing is read with less than this left of the invocation."""
LONGEST_MS = 4_000
"""All of it, retries and pages included."""
WAIT_MS = 500


def look_at_programs(ports: Ports, context: CycleContext, loaded: LoadedState) -> Mapping[str, object]:
    """What memory keeps of them after this cycle.

    Orders are sent and not committed yet: whatever goes wrong here costs a look, and no cycle.
    """
    tickers = rewarded(loaded.wanted)
    if not tickers:
        return {}
    try:
        return _looked(ports, context, loaded, tickers)
    except Exception as error:
        ports.facts.emit("ERROR", what="incentive programs", why=told(error))
        return loaded.state.memory.get(PROGRAMS, {})


def _looked(
    ports: Ports, context: CycleContext, loaded: LoadedState, tickers: frozenset[str]
) -> Mapping[str, object]:
    known, now_ms = read_programs(loaded.state.memory.get(PROGRAMS, {})), ports.clock.now_ms()
    known = known._replace(rows=merged(known.rows, (), tickers, now_ms))
    if now_ms - known.read_ms < AGE_MS or now_ms - known.tried_ms < AGAIN_MS:
        return known.stored()
    if context.deadline_ms - now_ms < SPARE_MS:
        return known.stored()
    sends = send_times(ports, "read", [READ_COST] * MOST_PAGES, TimeMs(now_ms + WAIT_MS))
    if len(sends) < MOST_PAGES:
        return known.stored()  # Its turn comes again with the next cycle.
    ports.clock.sleep_ms(max(sends[-1] - now_ms, 0))
    found = _read(ports, context, tickers, now_ms)
    known = known._replace(tried_ms=now_ms, loss=_loss(loaded))
    if found is not None:
        known = known._replace(read_ms=now_ms, rows=merged(known.rows, found, tickers, now_ms))
    return known.stored()


def _read(
    ports: Ports, context: CycleContext, tickers: frozenset[str], now_ms: TimeMs
) -> tuple[IncentiveProgram, ...] | None:
    try:
        ports.exchange.until(TimeMs(min(now_ms + LONGEST_MS, context.deadline_ms)))
        return ports.exchange.incentive_programs(tickers, MOST_PAGES)
    except ExchangeError as error:
        ports.facts.emit("WARNING", what="incentive programs", why=told(error))
    finally:
        ports.exchange.until(context.deadline_ms)
    return None


def _loss(loaded: LoadedState) -> Money:
    tally = QualityTally(loaded.state.memory.get(QUALITY, {}))
    return loss_of_contract_day(*tally.last_marks(INCENTIVE))
