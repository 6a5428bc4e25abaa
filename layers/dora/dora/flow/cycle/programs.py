"""Liquidity programs of the markets that are quoted for them, read when a cycle's orders are sent.

Every ten minutes, with read tokens that nobody else waits for, in seconds that are left anyway. A read that
fails makes discovery older and changes nothing else; it is tried again soon. Where no market is quoted so,
nothing is read.
"""

from collections.abc import Mapping

from dora.core.accounts.quote_quality import QualityTally
from dora.core.errors import ExchangeError
from dora.core.exchange.market import Market
from dora.core.exchange.pacing import READ_COST
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.failures import told
from dora.core.incentives.losses import loss_of_contract_day
from dora.core.incentives.programs import (
    INCENTIVE,
    PROGRAMS,
    Programs,
    merged,
    read_programs,
    rewarded,
)
from dora.core.ports import Ports
from dora.core.units import Money, TimeMs
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.cycle.expected_rewards import book_due, resumed, shards_of, with_due
from dora.flow.cycle.quality import QUALITY
from dora.flow.shared.accounting import Accounts
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


def look_at_programs(
    ports: Ports, context: CycleContext, loaded: LoadedState, accounts: Accounts, listed: Mapping[str, Market]
) -> Mapping[str, object]:
    """What memory keeps of them after this cycle; what those that are over are expected to pay is booked.

    Orders are sent and not committed yet: whatever goes wrong here costs a look, and no cycle. `listed`: the
    markets that were read.
    """
    tickers, before = rewarded(loaded.wanted), loaded.state.memory.get(PROGRAMS, {})
    if not tickers and not before:
        return {}
    try:
        known = _over(ports, context, loaded, accounts, listed, tickers)
        if tickers:
            return _looked(ports, context, loaded, known, tickers).stored()
        return known.stored() if known.rows or known.due else {}
    except Exception as error:
        ports.facts.emit("ERROR", what="incentive programs", why=told(error))
        return before


def _over(
    ports: Ports,
    context: CycleContext,
    loaded: LoadedState,
    accounts: Accounts,
    listed: Mapping[str, Market],
    tickers: frozenset[str],
) -> Programs:
    """Those that are known, without what is over: of that, what is expected is booked, or due."""
    memory = loaded.state.memory
    shards = shards_of(accounts, {ticker: own.shard for ticker, own in listed.items()})
    known = with_due(read_programs(memory.get(PROGRAMS, {})), memory, tickers, shards, context.began_ms)
    if context.deadline_ms - ports.clock.now_ms() < SPARE_MS:
        return known
    return book_due(ports, context, loaded, accounts, known)


def _looked(
    ports: Ports, context: CycleContext, loaded: LoadedState, known: Programs, tickers: frozenset[str]
) -> Programs:
    now_ms = ports.clock.now_ms()
    if now_ms - known.read_ms < AGE_MS or now_ms - known.tried_ms < AGAIN_MS:
        return known
    if context.deadline_ms - now_ms < SPARE_MS:
        return known
    sends = send_times(ports, "read", [READ_COST] * MOST_PAGES, TimeMs(now_ms + WAIT_MS))
    if len(sends) < MOST_PAGES:
        return known  # Its turn comes again with the next cycle.
    ports.clock.sleep_ms(max(sends[-1] - now_ms, 0))
    found = _read(ports, context, tickers, now_ms)
    known = known._replace(tried_ms=now_ms, loss=_loss(loaded))
    if found is None:
        return known
    read = known._replace(read_ms=now_ms, rows=merged(known.rows, found, tickers, context.began_ms))
    return resumed(read, known, loaded.state.memory)


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
