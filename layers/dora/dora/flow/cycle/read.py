"""Step 3 of a cycle: everything read from the exchange, in parallel, each read either complete or unknown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from dora.core.accounts.fill_reach import gap
from dora.core.errors import ReadIncomplete
from dora.core.exchange.account import Fill, Limits
from dora.core.exchange.listed import Listed
from dora.core.exchange.pacing import READ_COST
from dora.core.exchange.read_calls import PAGE_ROWS
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.evidence import Evidence, in_turn, lookups_needed
from dora.core.orders.journal import Journal
from dora.core.orders.ownership import Ownership, never
from dora.core.ports import Clock, Exchange, Ports
from dora.core.units import TimeMs
from dora.flow.shared.order_reads import read_orders
from dora.flow.shared.reads import (
    LONGEST_WAIT_MS,
    Pending,
    Reader,
    cash_again,
    send_times,
    smallest_send_times,
)
from dora.flow.shared.unreadable_facts import set_apart

FIXED_READS = 9
"""Calls of a cycle that do not grow with the markets: two stamps and seven account reads."""

MOST_LOOKUPS, MOST_LISTS = 100, 20
"""Single-order reads and lists of one market's orders in a cycle; the others have their turn later."""

T = TypeVar("T")


def read_times(ports: Ports, open_orders: int, slices: int) -> Sequence[TimeMs]:
    """Waits until the account may be read; returns when each slice of the books and markets may be.

    A list of resting orders has a page for each thousand of them. Without reads nothing dangerous can be
    found, so calls that the shared bucket does not pay for are sent at the pace of the smallest tier.
    """
    account = FIXED_READS + max(open_orders - 1, 0) // PAGE_ROWS
    until_ms = TimeMs(ports.clock.now_ms() + LONGEST_WAIT_MS)
    costs = [READ_COST] * (account + slices)
    paid = send_times(ports, "read", costs, until_ms)
    sends = [*paid, *smallest_send_times(costs[len(paid) :], ports.clock.now_ms(), until_ms)]
    wait_ms = max((at_ms - ports.clock.now_ms() for at_ms in sends[:account]), default=0)
    if wait_ms > 0:
        ports.clock.sleep_ms(wait_ms)
    return sends[account:]


def read_exchange(
    ports: Ports,
    owned: Ownership,
    *,
    fills_since_ms: TimeMs,
    settlements_since_ms: TimeMs,
    books: Sequence[Sequence[str]],
    markets: Sequence[Sequence[str]],
    slice_ms: Sequence[TimeMs],
) -> Snapshot:
    """All reads of a cycle, in parallel.

    Books and markets are read in slices, each at its time; those without one are not read, and so unknown.
    """
    exchange, began_ms = ports.exchange, ports.clock.now_ms()
    with Reader(ports.workers) as reader:
        first = reader.start("as_of", exchange.user_data_time_ms).result()
        resting = reader.start_list("resting", owned.may_be_order, exchange.resting_orders)
        fills = reader.start_list("fills", owned.may_be_fill, _fills, exchange, fills_since_ms, began_ms)
        settlements = reader.start_list(
            "settlements", never, exchange.settlements_since, settlements_since_ms
        )
        positions = reader.start_list("positions", owned.may_be_position, exchange.positions)
        cash = reader.start("cash", exchange.cash)
        groups = reader.start_list("groups", owned.may_be_group, exchange.order_groups)
        status = reader.start("status", exchange.status)
        times = iter(slice_ms)
        found_books = _in_slices(reader, ports.clock, times, "books", exchange.books, books)
        found_markets = _in_slices(reader, ports.clock, times, "markets", exchange.markets, markets)
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
            books=_joined(found_books),
            markets=_joined(found_markets),
        )
        if "cash" in reader.retryable:
            snapshot = replace(snapshot, cash=reader.retry("cash", cash_again, ports))
        last = reader.start("as_of", exchange.user_data_time_ms).result()
    return _annotated(snapshot, reader, last)


def _annotated(snapshot: Snapshot, reader: Reader, last: TimeMs | None) -> Snapshot:
    """The snapshot with what its reader says of it. `last`: the exchange's stamp after all other reads."""
    return replace(
        snapshot,
        partial=reader.partial.get("resting", ()),
        as_of_ms=min(snapshot.as_of_ms, last or TimeMs(0)),
        failures=reader.failures,
        auth_refused=reader.auth_refused,
        set_apart=tuple(sorted(reader.set_apart, key=lambda row: (row.list_name, row.problem))),
    )


def _fills(exchange: Exchange, since_ms: TimeMs, now_ms: TimeMs) -> Listed[Fill]:
    """Raises ReadIncomplete, asking nobody, when fills so far back are not all listed any more."""
    if why := gap(since_ms, now_ms):
        raise ReadIncomplete(why)
    return exchange.fills_since(since_ms)


def _in_slices(
    reader: Reader,
    clock: Clock,
    times: Iterator[TimeMs],
    name: str,
    read: Callable[[Sequence[str]], Mapping[str, T]],
    slices: Sequence[Sequence[str]],
) -> list[Pending[Mapping[str, T]]]:
    found = []
    for part, at_ms in zip(slices, times, strict=False):
        clock.sleep_ms(max(at_ms - clock.now_ms(), 0))
        found.append(reader.start(name, read, part))
    if len(found) < len(slices):
        reader.failures[name] = f"no tokens for {len(slices) - len(found)} of {len(slices)} calls"
    return found


def _joined(parts: list[Pending[Mapping[str, T]]]) -> dict[str, T]:
    joined: dict[str, T] = {}
    for part in parts:
        joined |= part.result() or {}
    return joined


def gather_evidence(ports: Ports, journal: Journal, snapshot: Snapshot, limits: Limits) -> Evidence:
    """The snapshot's order rows, with targeted reads for what they leave open. Failed ones leave it open.

    Reads are paced by the shared bucket; those beyond its tokens, or a cycle's number, have their turn later.
    """
    began_ms = ports.clock.now_ms()
    evidence = Evidence(
        began_ms=began_ms,
        as_of_ms=snapshot.as_of_ms,
        resting=snapshot.resting,
        partial=snapshot.partial,
        tripped=frozenset(group.group_id for group in snapshot.groups or () if group.tripped),
    )
    if snapshot.resting is None:
        return evidence
    questions = lookups_needed(journal, snapshot.resting, began_ms)
    ids = in_turn(questions.order_ids, MOST_LOOKUPS, began_ms)
    tickers = in_turn(questions.tickers, MOST_LISTS, began_ms)
    if not ids and not tickers:
        return evidence
    evidence, reader = read_orders(
        ports,
        evidence,
        ids,
        {ticker: questions.since_ms[ticker] for ticker in tickers},
        Ownership(ports.prefix, journal, None).may_be_order,
        order_read_cost=limits.order_read_cost,
        until_ms=TimeMs(began_ms + LONGEST_WAIT_MS),
    )
    for first, why in list(reader.failures.items())[:1]:
        failed = len(reader.failures)
        ports.facts.emit("ERROR", what="targeted reads of orders", why=why, failed=failed, of=first)
    set_apart(ports.facts, [row for row in reader.set_apart if row not in snapshot.set_apart])
    return evidence
