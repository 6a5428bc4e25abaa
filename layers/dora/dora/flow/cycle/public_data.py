"""What everybody may know, read for recordings when a cycle is over: it never costs a decision its time.

All calls are paid for from the shared read bucket before the first is sent. What was not read whole is not
used: a recording says where it lacks trades.
"""

from collections.abc import Sequence
from typing import TypeVar

from dora.core.exchange.pacing import READ_COST
from dora.core.exchange.public_data import IncentiveProgram, PublicData, PublicTrade
from dora.core.ports import Ports
from dora.core.units import TimeMs
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.shared.reads import LONGEST_WAIT_MS, Reader, send_times

MOST_PAGES = 5
"""Pages of the whole exchange's trades in one cycle."""
MOST_MARKETS = 40
"""So many markets are asked for one by one, a page each; of more the whole exchange is read."""
MOST_PROGRAM_PAGES = 2
LONGEST_MS = 10 * 60_000
"""Trades further back are not asked for, however long ago the last cycle was."""
FIRST_MS = 60_000
"""How far back the first cycle of all looks."""
PROGRAMS_MS = 10 * 60_000
"""Programs are read once in each such span of the clock."""

T = TypeVar("T")


def read_public(ports: Ports, context: CycleContext, loaded: LoadedState) -> PublicData | None:
    """Trades since the last cycle was over, and programs when it is their turn; None: not to be recorded."""
    if not (ports.archive.inputs and loaded.globals_.records(dry_run=ports.dry_run) and loaded.wanted):
        return None
    wanted, now_ms = loaded.wanted, ports.clock.now_ms()
    last_ms = loaded.state.progress.completed_ms
    since_ms = TimeMs(max(last_ms or context.began_ms - FIRST_MS, now_ms - LONGEST_MS))
    with Reader(ports.workers) as reader:
        trades = _trades(ports, context, reader, sorted(wanted), since_ms)
        due = last_ms // PROGRAMS_MS != context.began_ms // PROGRAMS_MS
        programs = _programs(ports, context, reader, frozenset(wanted)) if due else None
    for what, why in reader.failures.items():
        ports.facts.emit("WARNING", what=what, why=why)
    return PublicData(since_ms=since_ms, until_ms=now_ms, trades=trades, programs=programs)


def _trades(
    ports: Ports, context: CycleContext, reader: Reader, tickers: Sequence[str], since_ms: TimeMs
) -> tuple[PublicTrade, ...] | None:
    """Of these markets, oldest first; None, and why in `reader`, when some may be missing."""
    name, read = "trades_incomplete", ports.exchange.public_trades
    whole = len(tickers) > MOST_MARKETS
    if not _paid(ports, context, reader, name, MOST_PAGES if whole else len(tickers)):
        return None
    asked = [(frozenset(tickers), MOST_PAGES)] if whole else [((ticker,), 1) for ticker in tickers]
    parts = [reader.start(name, read, since_ms, markets, pages) for markets, pages in asked]
    found = [part.result() for part in parts]
    if name in reader.failures:
        return None
    prints = {own.trade_id: own for part in found for own in part or ()}
    return tuple(sorted(prints.values(), key=lambda own: (own.at_ms, own.trade_id)))


def _programs(
    ports: Ports, context: CycleContext, reader: Reader, tickers: frozenset[str]
) -> tuple[IncentiveProgram, ...] | None:
    name = "incentive programs"
    if not _paid(ports, context, reader, name, MOST_PROGRAM_PAGES):
        return None
    return reader.start(name, ports.exchange.incentive_programs, tickers, MOST_PROGRAM_PAGES).result()


def _paid(ports: Ports, context: CycleContext, reader: Reader, name: str, calls: int) -> bool:
    """Waits until so many reads may be sent, the last of them in time for its answer."""
    now_ms = ports.clock.now_ms()
    until_ms = TimeMs(min(now_ms + LONGEST_WAIT_MS, context.deadline_ms))
    sends = send_times(ports, "read", [READ_COST] * calls, until_ms)
    if len(sends) < calls:
        reader.failures[name] = f"no tokens for {calls - len(sends)} of {calls} calls"
        return False
    ports.clock.sleep_ms(max(sends[-1] - now_ms, 0))
    return True
