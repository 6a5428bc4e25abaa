"""The cash of our books beside the exchange's balance: it ties, or the difference is named and dated.

    difference = what the balance moved since the anchor - what our books say it moved

    up to 1 c a fill and 0.10 $        TIED: it joins the residue of rounding, the anchor moves here
    beyond, for the first time         PENDING: the balance may be older or newer than the fills
    beyond, with later lists as well   UNEXPLAINED: a deposit, a withdrawal, a credit, interest
    beyond and below zero              the same, but IN_TRANSIT for an hour: cash on its way between shards
                                       may be on none of them
    a shard is not listed              UNKNOWN: nothing is judged, the anchor stays

The account's total is tied before its shards: what they differ by while it ties has moved between them. A
residue that outgrows 1 c a fill of all the fills it is of is unexplained too, so no trickle stays hidden.

Where every cent ties the anchor stays, so books that nothing changes need not be stored again.

The balance is measured to include what resting orders hold. Should it not, it differs by what they hold more
or less than at the anchor; which of the two readings counts is learnt from the one that ties.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.empty import EMPTY
from dora.core.exchange.fees import CENT
from dora.core.units import Money, TimeMs
from dora.core.zones import HOUR_MS

ALLOWANCE = Money(10 * CENT)
TRANSIT_MS = HOUR_MS
STAMP_MS = 10 * 60_000
"""After so long a difference is confirmed although the stamp of the lists did not move."""


class ShardAnchor(NamedTuple):
    """Where one shard was last tied: its balance, the books' movement, and what resting orders held."""

    shard: int
    balance: Money
    movement: Money
    reserved: Money


class CashBooks(NamedTuple):
    """What is kept from one read of the balance to the next. Without anchors nothing was tied yet."""

    anchors: tuple[ShardAnchor, ...] = ()
    fills: int = 0
    """Fills booked at the anchor."""
    residue: Money = Money(0)
    """Rounding of the fills in `residue_fills`, since `residue_ms`."""
    residue_fills: int = 0
    residue_ms: TimeMs = TimeMs(0)
    unexplained: Money = Money(0)
    """Of all time."""
    net_of_reserved: bool = False
    """Whether the balance was found to leave out what resting orders hold."""
    pending: Money = Money(0)
    """A difference that no second read has confirmed, and when and at how many fills it was first seen."""
    pending_ms: TimeMs = TimeMs(0)
    pending_fills: int = 0


class CashRead(NamedTuple):
    """One read of the balance and the books beside it, by shard.

    `at_ms`: when the read began. `known_ms`: up to when the lists that were booked describe the account.
    `fills`: booked so far. What is absent from `movements` moved nothing.
    """

    at_ms: TimeMs
    known_ms: TimeMs
    balances: Mapping[int, Money]
    movements: Mapping[int, Money]
    fills: int
    reserved: Mapping[int, Money] = EMPTY


class CashOutcome(StrEnum):
    """How a read of the balance compares with the books."""

    OPENED = "opened"
    TIED = "tied"
    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    UNEXPLAINED = "unexplained"
    UNKNOWN = "unknown"


class CashTie(NamedTuple):
    """The outcome and the books after it. `since_ms`: when the difference was first seen."""

    outcome: CashOutcome
    books: CashBooks
    difference: Money = Money(0)
    since_ms: TimeMs = TimeMs(0)
    by_shard: Mapping[int, Money] = EMPTY
    """Of an unexplained difference its parts; of a tied account what moved between shards. Zeros left out."""


class UnexplainedCash(NamedTuple):
    """Cash that came or went without a trade of ours: the record of it. `since_ms`: when first seen."""

    since_ms: TimeMs
    found_ms: TimeMs
    amount: Money
    by_shard: Mapping[int, Money]


def movements(ledgers: Iterable[MarketLedger]) -> tuple[dict[int, Money], int]:
    """By shard, what the books say its balance moved since they were opened; and the fills they hold."""
    moved: dict[int, Money] = {}
    fills = 0
    for ledger in ledgers:
        moved[ledger.shard] = Money(moved.get(ledger.shard, 0) + ledger.movement)
        fills += ledger.fills
    return moved, fills


def tie_cash(books: CashBooks, read: CashRead) -> CashTie:
    """Compare one read of the balance with the books."""
    if not books.anchors:
        opened = _anchored(books._replace(residue_ms=read.at_ms), read)
        return CashTie(outcome=CashOutcome.OPENED, books=opened)
    for net_of_reserved in (books.net_of_reserved, not books.net_of_reserved):
        parts = _differences(books, read, net_of_reserved=net_of_reserved)
        if parts is None:
            return CashTie(outcome=CashOutcome.UNKNOWN, books=books)
        total = Money(sum(parts.values()))
        if abs(total) <= _tolerance(read.fills - books.fills):
            return _tied(books._replace(net_of_reserved=net_of_reserved), read, total, parts)
    parts = _differences(books, read, net_of_reserved=books.net_of_reserved) or {}
    return _apart(books, read, Money(sum(parts.values())), parts)


def _apart(books: CashBooks, read: CashRead, total: Money, parts: Mapping[int, Money]) -> CashTie:
    """What is beyond rounding."""
    if not _seen_before(books, read, total):
        books = books._replace(pending=total, pending_ms=read.at_ms, pending_fills=read.fills)
    since_ms, outcome = books.pending_ms, CashOutcome.PENDING
    if _confirmed(books, read):
        if total > 0 or read.at_ms - since_ms >= TRANSIT_MS:
            return _unexplained(_anchored(books, read), total, since_ms, parts)
        outcome = CashOutcome.IN_TRANSIT
    return CashTie(outcome=outcome, books=books, difference=total, since_ms=since_ms, by_shard=parts)


def _tolerance(fills: int) -> int:
    return CENT * fills + ALLOWANCE


def _seen_before(books: CashBooks, read: CashRead, total: Money) -> bool:
    """Whether an earlier read saw the same difference, but for the rounding of fills since."""
    apart = abs(total - books.pending)
    return bool(books.pending) and apart <= CENT * (read.fills - books.pending_fills)


def _confirmed(books: CashBooks, read: CashRead) -> bool:
    """Whether the books now know all that the balance knew when the difference was first seen."""
    return read.known_ms > books.pending_ms or read.at_ms - books.pending_ms >= STAMP_MS


def _differences(books: CashBooks, read: CashRead, *, net_of_reserved: bool) -> dict[int, Money] | None:
    """By shard, zeros left out; None when a shard that should hold cash is not listed."""
    anchors = {anchor.shard: anchor for anchor in books.anchors}
    parts: dict[int, Money] = {}
    for shard in sorted(anchors.keys() | read.balances.keys()):
        anchor = anchors.get(shard) or ShardAnchor(
            shard=shard, balance=Money(0), movement=Money(0), reserved=Money(0)
        )
        expected = anchor.balance + read.movements.get(shard, 0) - anchor.movement
        if shard not in read.balances and expected:
            return None
        apart = read.balances.get(shard, 0) - expected
        if net_of_reserved:
            apart += read.reserved.get(shard, 0) - anchor.reserved
        parts[shard] = Money(apart)
    return {shard: apart for shard, apart in parts.items() if apart}


def _tied(books: CashBooks, read: CashRead, total: Money, parts: Mapping[int, Money]) -> CashTie:
    new = read.fills - books.fills
    if not (new or parts or books.pending):
        return CashTie(outcome=CashOutcome.TIED, books=books)
    residue, fills = Money(books.residue + total), books.residue_fills + new
    after = _anchored(books, read)._replace(residue=residue, residue_fills=fills)
    if abs(residue) > _tolerance(fills):
        fresh = after._replace(residue=Money(0), residue_fills=0, residue_ms=read.at_ms)
        return _unexplained(fresh, residue, books.residue_ms, {})
    moved = {shard: apart for shard, apart in parts.items() if abs(apart) > _tolerance(new)}
    return CashTie(outcome=CashOutcome.TIED, books=after, difference=total, by_shard=moved)


def _unexplained(books: CashBooks, amount: Money, since_ms: TimeMs, parts: Mapping[int, Money]) -> CashTie:
    return CashTie(
        outcome=CashOutcome.UNEXPLAINED,
        books=books._replace(unexplained=Money(books.unexplained + amount)),
        difference=amount,
        since_ms=since_ms,
        by_shard=parts,
    )


def _anchored(books: CashBooks, read: CashRead) -> CashBooks:
    """Tied at this read, whatever was pending. A shard that is not listed holds nothing by now."""
    anchors = tuple(
        ShardAnchor(
            shard=shard,
            balance=Money(read.balances.get(shard, 0)),
            movement=Money(read.movements.get(shard, 0)),
            reserved=Money(read.reserved.get(shard, 0)),
        )
        for shard in sorted(read.balances.keys() | read.movements.keys())
    )
    return books._replace(
        anchors=anchors,
        fills=read.fills,
        pending=Money(0),
        pending_ms=TimeMs(0),
        pending_fills=0,
    )
