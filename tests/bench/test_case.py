"""The case is what it says: deep books, moves that meet no quote; and what is measured is still there."""

import importlib
import time
from typing import Any

import pytest

from tests.bench.case import DEEP_LEVEL, LEVELS, Case, MovingBook
from tests.bench.phases import CLIENTS, PHASES, Phases
from tests.simulator.units import DOLLAR_E4

QUOTE_E4 = 250
"""No quote of ours comes nearer to the mid: the configured half-spread."""


@pytest.fixture(params=range(20))
def book(request: pytest.FixtureRequest) -> MovingBook:
    return MovingBook(1, f"T{request.param}")


def test_a_book_is_deep_and_within_a_dollar(book: MovingBook) -> None:
    bids, asks = book.sides()

    assert len(bids) == len(asks) == LEVELS
    assert 0 < bids[-1][0] < bids[0][0] < asks[0][0] < asks[-1][0] < DOLLAR_E4
    assert all(count > 0 for _, count in bids + asks)


def test_a_move_goes_there_and_back_and_never_through_our_quotes(book: MovingBook) -> None:
    (low_bid, *_), (low_ask, *_) = before = book.sides()
    book.move()
    (high_bid, *_), (high_ask, *_) = book.sides()
    book.move()

    assert book.sides() == before
    assert (high_bid[0] - low_bid[0], high_ask[0] - low_ask[0]) == (300, 300)
    assert high_bid[0] < (low_bid[0] + low_ask[0]) // 2 + QUOTE_E4
    assert low_ask[0] > (high_bid[0] + high_ask[0]) // 2 - QUOTE_E4


def test_rustling_leaves_alone_what_a_quote_looks_at(book: MovingBook) -> None:
    before = book.sides()
    book.rustle()
    after = book.sides()

    assert after != before
    assert [side[:DEEP_LEVEL] for side in after] == [side[:DEEP_LEVEL] for side in before]


def test_five_markets_share_an_event() -> None:
    specs = list(Case(11).specs())

    assert len({spec.ticker for spec in specs}) == 11
    assert len({spec.event_ticker for spec in specs}) == 3


@pytest.mark.parametrize(("name", "module", "path"), [*PHASES, *CLIENTS])
def test_what_is_measured_exists(name: str, module: str, path: str) -> None:
    holder: Any = importlib.import_module(module)
    for part in path.split("."):
        holder = getattr(holder, part)

    assert callable(holder), name


def test_a_phase_within_another_is_not_counted_twice() -> None:
    phases = Phases()
    inner = phases.wrapped("inner", lambda: _burn(0.03))
    outer = phases.wrapped("outer", lambda: (inner(), _burn(0.01)))

    outer()
    spent, _, _ = phases.take()

    assert spent["inner"] >= 30
    assert 10 <= spent["outer"] < 25
    assert phases.take()[0] == {}


def _burn(cpu_s: float) -> None:
    until = time.process_time() + cpu_s
    while time.process_time() < until:
        pass
