"""The program's rules read word by word, to compare the fast scorer with: bids of both legs, in fractions."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from dora.core.exchange.book import Resting
from dora.core.exchange.market import Book, Side


class Bid(NamedTuple):
    """One price of one leg: whole cents of that leg, 0.01 contracts of everybody, and of us."""

    cents: Fraction
    count: int
    own: int


def shares(book: Book, own: Iterable[Resting], target: int, discount_bps: int) -> tuple[Fraction, Fraction]:
    """Our share of the YES and of the NO bids in one snapshot; nothing where it counts for nobody."""
    yes, no = _yes_bids(book, tuple(own)), _no_bids(book, tuple(own))
    if sum(bid.count for bid in yes) < target or sum(bid.count for bid in no) < target:
        return Fraction(0), Fraction(0)
    return _share(yes, target, discount_bps), _share(no, target, discount_bps)


def reference(bids: list[Bid], target: int) -> Fraction | None:
    """The first level at which the running size reaches a fifth of the target."""
    running = 0
    for bid in bids:
        running += bid.count
        if Fraction(running) >= Fraction(target, 5):
            return bid.cents
    return None


def _share(bids: list[Bid], target: int, discount_bps: int) -> Fraction:
    price = reference(bids, target)
    assert price is not None
    ours = everybody = Fraction(0)
    running = 0
    for bid in bids:
        if running >= target:
            break
        ticks = int(price - bid.cents) if bid.cents < price else 0
        weight = Fraction(discount_bps, 10_000) ** ticks
        ours, everybody = ours + bid.own * weight, everybody + bid.count * weight
        running += bid.count
    return ours / everybody if everybody else Fraction(0)


def _yes_bids(book: Book, own: tuple[Resting, ...]) -> list[Bid]:
    bids = [Bid(Fraction(p, 100), n, _own(own, Side.BID, p, n)) for p, n in book.bids]
    return sorted(bids, key=lambda bid: bid.cents, reverse=True)


def _no_bids(book: Book, own: tuple[Resting, ...]) -> list[Bid]:
    """An ask for YES at p is a bid for NO at $1 - p."""
    bids = [Bid(Fraction(10_000 - p, 100), n, _own(own, Side.ASK, p, n)) for p, n in book.asks]
    return sorted(bids, key=lambda bid: bid.cents, reverse=True)


def _own(own: tuple[Resting, ...], side: Side, price: int, shown: int) -> int:
    return min(sum(count for at, where, count in own if (at, where) == (side, price)), shown)
