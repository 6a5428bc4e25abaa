"""The record of a cycle: nothing that goes wrong with it reaches the cycle, and it says what was before."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from dora.core.accounts.ledger import Position
from dora.core.cycle_record import CycleRecord
from dora.core.errors import StateUnavailable
from dora.core.exchange.market import Book, Level
from dora.core.orders.journal import Journal
from dora.core.quoting.fair_value import LEVELS
from dora.core.units import Count, Price
from dora.flow.cycle.archive import Finished, archive, cycle_record, decide_again
from tests.bench.archive import busy_cycle
from tests.support.kalshi_fakes import FakeFacts
from tests.support.ticking_clock import NOW, Clock

MARKETS = 4


class Shelf:
    """An archive that keeps the values, or fails."""

    inputs = False

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.kept = error, list[CycleRecord]()

    def save(self, _cycle_id: str, record: Callable[[], CycleRecord]) -> None:
        if self.error:
            raise self.error
        self.kept.append(record())


def archived(shelf: Shelf, finished: Finished, *, deadline_ms: int = NOW + 1) -> FakeFacts:
    """What was said while it was archived."""
    facts = FakeFacts()
    ports: Any = SimpleNamespace(clock=Clock(), archive=shelf, facts=facts, dry_run=False)
    context: Any = SimpleNamespace(cycle_id="id", began_ms=NOW, deadline_ms=deadline_ms)
    archive(ports, finished._replace(context=context))
    return facts


def test_a_cycle_is_kept_with_what_it_was_decided_from() -> None:
    shelf, finished = Shelf(), busy_cycle(MARKETS)

    assert archived(shelf, finished).emitted == []

    (record,) = shelf.kept
    assert record.seen is not None
    assert record.seen.wanted == finished.basis.inputs.wanted
    assert decide_again(record.seen, record.asked) == record.decided


@pytest.mark.parametrize("error", [StateUnavailable("no bucket"), ValueError("a bug of ours")])
def test_whatever_goes_wrong_is_told_and_no_more(error: Exception) -> None:
    facts = archived(Shelf(error), busy_cycle(MARKETS))

    assert [fields["why"] for _, fields in facts.emitted] == [f"{type(error).__name__}: {error}"]


def test_without_time_nothing_is_made_or_sent() -> None:
    shelf = Shelf()
    facts = archived(shelf, busy_cycle(MARKETS), deadline_ms=NOW)

    assert shelf.kept == []
    assert [fields["why"] for _, fields in facts.emitted] == ["TimeoutError: no time is left for it"]


def test_books_are_as_deep_as_quoting_looks_behind_our_own_orders() -> None:
    finished = busy_cycle(MARKETS)
    inputs = finished.basis.inputs
    ticker = next(iter(inputs.wanted))
    deep = tuple(Level(Price(4_000 - number), Count(100)) for number in range(9))
    books = {**inputs.snapshot.books, ticker: Book(ticker, deep, ())}
    seen_books = inputs._replace(snapshot=replace(inputs.snapshot, books=books))

    record = cycle_record(finished._replace(basis=finished.basis._replace(inputs=seen_books)), dry_run=False)

    assert record.seen is not None
    # One order of ours rests there on each side.
    assert record.seen.snapshot.books[ticker].bids == deep[: LEVELS + 1]


def test_state_as_loaded_is_kept_where_the_cycle_changed_it() -> None:
    finished = busy_cycle(MARKETS)
    orders = finished.basis.inputs.view.journal.orders
    first, second, *_ = orders
    loaded_orders = {name: order for name, order in orders.items() if name != second}
    loaded_orders[first] = orders[first]._replace(remaining=Count(5))
    gone = orders[first]._replace(client_order_id="gone")
    loaded_orders["gone"] = gone
    flat = Position(ticker="KX-1", shard=0)
    state = finished.loaded.state._replace(journal=Journal(loaded_orders), positions={"KX-1": flat})
    before: Any = SimpleNamespace(state=state, configs=finished.loaded.configs)

    record = cycle_record(finished._replace(loaded=before), dry_run=False)

    assert record.loaded is not None
    assert record.loaded.orders == (loaded_orders[first], gone)
    assert record.loaded.new_orders == (1,)
    assert (record.loaded.positions, record.loaded.new_positions) == ((flat,), ())


def test_orders_that_ended_before_are_left_out_unless_a_read_shows_them() -> None:
    finished = busy_cycle(MARKETS)
    inputs = finished.basis.inputs
    orders = inputs.view.journal.orders
    ended = [name for name, order in orders.items() if not order.open]
    shown, changed = ended[:2]
    unbooked = orders[ended[2]]._replace(booked=Count(0), remaining=Count(0), reduced=Count(0))
    view = inputs.view._replace(
        journal=inputs.view.journal.with_orders([orders[changed]._replace(write_ms=NOW), unbooked]),
        shown=inputs.view.shown | {shown},
    )
    basis = finished.basis._replace(inputs=inputs._replace(view=view))

    record = cycle_record(finished._replace(basis=basis), dry_run=False)

    assert record.seen is not None
    told = {name for name, order in record.seen.orders.items() if not order.open}
    assert told == {shown, changed, unbooked.client_order_id}
    assert record.seen.orders.keys() - told == orders.keys() - set(ended)


def test_what_was_written_to_is_kept_as_its_answer_left_it() -> None:
    finished = busy_cycle(MARKETS)
    journal = finished.execution.journal
    name = next(iter(journal.orders))
    after = journal.orders[name]._replace(remaining=Count(1))
    execution: Any = SimpleNamespace(
        journal=journal.with_orders([after]), tally=finished.execution.tally, stopped=None
    )

    record = cycle_record(finished._replace(execution=execution), dry_run=True)

    assert (record.done.orders, record.dry_run) == ((after,), True)
