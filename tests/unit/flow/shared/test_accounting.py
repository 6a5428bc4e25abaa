"""Fills into positions when the store's answers get lost: booked once, or not at all."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.stored_books import FILLS_PER_TRANSACTION, Booking
from dora.core.errors import StateConflict
from dora.core.exchange.account import Fill
from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.market import Side
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.journal import Journal
from dora.core.ports import Ports
from dora.core.state import BotState, Cursors
from dora.core.units import Count, Money, Price, TimeMs
from dora.flow.shared.accounting import keep_accounts
from tests.support.kalshi_fakes import FakeFacts

NOW = TimeMs(1_795_183_200_000)


def fill(number: int) -> Fill:
    return Fill(
        fill_id=f"f-{number}",
        order_id="o-1",
        ticker="KXA-1",
        shard=0,
        side=Side.BID,
        price=Price(4400),
        count=Count(100),
        is_taker=False,
        fee=Money(0),
        at_ms=TimeMs(NOW + number),
    )


class Books:
    """A store that says what it is told to; `asked` are the answers to `booked`, in turn."""

    def __init__(self, took: bool, *asked: set[str]) -> None:
        self.took, self.asked, self.parts = took, list(asked), list[list[str]]()

    def booked(self, fill_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self.asked.pop(0) & set(fill_ids))

    def book(self, _fence: int, booking: Booking) -> bool:
        self.parts.append([fill.fill_id for fill in booking.fills])
        return self.took


def keep(books: Books, fills: tuple[Fill, ...]) -> Mapping[str, Position]:
    facts = SimpleNamespace(emit=lambda *_args, **_fields: None)
    ports = cast(Ports, SimpleNamespace(state=books, facts=facts))
    snapshot = Snapshot(began_ms=NOW, as_of_ms=NOW, fills=fills)
    return keep_accounts(ports, 7, BotState(), Journal(), snapshot, {}).positions


def test_a_booking_whose_answer_was_lost_and_that_was_sent_again_stands_once() -> None:
    assert keep(Books(False, set(), {"f-1", "f-2"}), (fill(1), fill(2)))["KXA-1"].net == 200


def test_a_booking_refused_because_of_somebody_elses_ends_the_cycle() -> None:
    with pytest.raises(StateConflict):
        keep(Books(False, set(), {"f-1"}), (fill(1), fill(2)))


def test_fills_that_are_booked_already_are_left_alone() -> None:
    books = Books(True, {"f-1"})
    assert keep(books, (fill(1), fill(2)))["KXA-1"].net == 100
    assert books.parts == [["f-2"]]


def test_a_transaction_holds_no_more_fills_than_it_may() -> None:
    books = Books(True, set())
    positions = keep(books, tuple(fill(number) for number in range(120)))
    assert [len(part) for part in books.parts] == [FILLS_PER_TRANSACTION] * 3 + [21]
    assert positions["KXA-1"].net == 12_000


@pytest.mark.parametrize(
    ("ticker", "settled", "held"),
    [
        ("KXA-1", False, True),
        ("KXA-1", True, False),
        ("KXB-1", False, False),
        (None, True, True),
    ],
)
def test_a_settlement_that_is_not_understood_is_listed_until_it_is_where_it_may_be_ours(
    ticker: str | None, settled: bool, held: bool
) -> None:
    facts = FakeFacts()
    ports = cast(Ports, SimpleNamespace(state=Books(True, set()), facts=facts))
    books = MarketLedger(ticker="KXA-1", shard=0, net=Count(100), settled=settled)
    ours = books.position
    state = BotState(
        positions={"KXA-1": ours}, books={"KXA-1": books}, cursors=Cursors(settlements_ms=TimeMs(5))
    )
    row = UnreadableRow(list_name="settlements", problem="market_result = 'withdrawn'", ticker=ticker)
    snapshot = Snapshot(began_ms=NOW, as_of_ms=NOW, fills=(), settlements=(), set_apart=(row,))
    accounts = keep_accounts(ports, 7, state, Journal(), snapshot, {})

    assert accounts.cursors == Cursors(fills_ms=NOW, settlements_ms=TimeMs(5) if held else NOW)
    assert [said["what"] for said in facts.of("ERROR")] == [
        f"settlement of {ticker or 'an unnamed market'}"
    ] * held
    assert accounts.positions == {"KXA-1": ours}


def test_a_position_that_is_not_understood_is_no_drift() -> None:
    ports = cast(Ports, SimpleNamespace(state=Books(True, set()), facts=FakeFacts()))
    books = MarketLedger(ticker="KXA-1", shard=0, net=Count(100))
    state = BotState(positions={"KXA-1": books.position}, books={"KXA-1": books})
    row = UnreadableRow(list_name="market_positions", problem="position_fp = None", ticker="KXA-1")
    snapshot = Snapshot(began_ms=NOW, as_of_ms=NOW, fills=(), positions=(), set_apart=(row,))
    assert keep_accounts(ports, 7, state, Journal(), snapshot, {}).drift == ()
