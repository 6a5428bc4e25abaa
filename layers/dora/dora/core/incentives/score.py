"""What a liquidity program pays for one look at a book, by its rules. All of it is exact.

    counted     both sides hold the target size; else the look pays nobody
    reference   of each side, best first: the first price at which a fifth of the target is reached
    qualifying  every price up to and with the one at which the running size reaches the target
    score       contracts x discount ^ (ticks behind the reference), at the reference and in front of it x 1
    share       our score / everybody's score, side by side; a side is worth half the pool

A NO bid stands in the YES book as an ask, so an ask's side is read from its best price upward.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from dora.core.exchange.book import Resting, side_of
from dora.core.exchange.market import Book, Level, Side
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.units import ONE_DOLLAR, Count, Money, Price

REFERENCE_PART = 5
"""The reference price is where a fifth of the target stands."""
TICK = Price(ONE_DOLLAR // 100)
"""A tick of a market that is priced in cents."""
ALL_BPS = 10_000
E9 = 10**9
CENT, LEAST_PAID = Money(10_000), Money(1_000_000)


class Terms(NamedTuple):
    """What a program asks for."""

    target: Count
    discount_bps: int


class SideScore(NamedTuple):
    """One side of one look. Scores count hundredths of a contract of full weight, x 1e9."""

    depth: int
    """Hundredths of contracts on it, as deep as the book is known."""
    reference: Price | None
    """The deepest price of full weight; None: the side does not hold a fifth of the target."""
    others_e9: int
    own_e9: int
    share_e9: int
    """Our part of the side's scores, rounded down."""


class Score(NamedTuple):
    """One look."""

    counted: bool
    bid: SideScore
    ask: SideScore

    @property
    def shares_e9(self) -> int:
        """Of both sides together: 2e9 would be the whole pool. Nothing where the look does not count."""
        return self.bid.share_e9 + self.ask.share_e9 if self.counted else 0


def terms_of(program: IncentiveProgram) -> Terms | None:
    """None where the exchange does not say what the program asks for: nothing can be said of it then."""
    target, discount = program.target, program.discount_bps
    if target is None or discount is None or target <= 0 or not 0 <= discount <= ALL_BPS:
        return None
    return Terms(target, discount)


def score(book: Book, own: Iterable[Resting], terms: Terms) -> Score:
    """The look that this book is, our contracts in it. Of an own order only what the book shows counts."""
    mine: dict[tuple[Side, Price], int] = {}
    for side, price, count in own:
        mine[side, price] = mine.get((side, price), 0) + count
    bid, ask = (_side(side, side_of(book, side), mine, terms) for side in (Side.BID, Side.ASK))
    return Score(bid.depth >= terms.target <= ask.depth, bid, ask)


def _side(
    side: Side, levels: Sequence[Level], mine: Mapping[tuple[Side, Price], int], terms: Terms
) -> SideScore:
    running, reference = 0, None
    qualifying: list[tuple[int, int, int]] = []
    for price, count in levels:
        ticks = 0 if reference is None else abs(price - reference) // TICK
        if running < terms.target:
            qualifying.append((ticks, count, min(mine.get((side, price), 0), count)))
        running += count
        if reference is None and running * REFERENCE_PART >= terms.target:
            reference = price
    # In units of the smallest weight, so that no quotient is rounded before the last one.
    deepest = qualifying[-1][0] if qualifying else 0
    total = sum([count * _weight(terms, ticks, deepest) for ticks, count, _ in qualifying])
    own = sum([count * _weight(terms, ticks, deepest) for ticks, _, count in qualifying])
    unit = ALL_BPS**deepest
    return SideScore(
        depth=running,
        reference=reference,
        others_e9=(total - own) * E9 // unit,
        own_e9=own * E9 // unit,
        share_e9=own * E9 // total if total else 0,
    )


@lru_cache(maxsize=4_096)
def _weight(terms: Terms, ticks: int, deepest: int) -> int:
    return int(terms.discount_bps**ticks * ALL_BPS ** (deepest - ticks))


def earned(pool: Money, shares_e9: int, span_ms: int, period_ms: int) -> Money:
    """What such a look adds where it stands for this span of the period: an estimate, for the exchange looks
    once a second and we once a minute."""
    return Money(pool * shares_e9 * span_ms // (2 * E9 * period_ms))


def paid(estimate: int, most: Money | None) -> Money:
    """What is paid out of an estimate: whole cents, from a dollar on, no more than an account may get."""
    capped = estimate if most is None else min(estimate, most)
    return Money(capped // CENT * CENT if capped >= LEAST_PAID else 0)
