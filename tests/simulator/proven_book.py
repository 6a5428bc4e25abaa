"""The background book of one market: what recorded prints and quotes prove of it, dressed in depth."""

from __future__ import annotations

import random
from typing import Literal, Protocol

from .price_grid import PriceLadder
from .shapes import PricedLevels, ShapeSource, scaled_to, with_best
from .tape import Print, Quote, QuoteSide

Side = Literal["bid", "ask"]
Levels = dict[Side, PricedLevels]

SIDES: tuple[Side, Side] = ("bid", "ask")

MAX_ROUNDS = 40
"""A print that members stood in the way of asks again, for twice as much: enough for any size they hold."""

EXHAUSTED_ONE_IN = 4
"""How often a print leaves nothing at its price, so that the book re-forms one tick further on."""


class Marketplace(Protocol):
    """What the order flow needs of the exchange."""

    def set_background_book(self, ticker: str, bids: PricedLevels, asks: PricedLevels) -> None: ...
    def background_take(self, ticker: str, side: str, limit_e4: int, count_e2: int) -> int: ...


class ProvenBook:
    """Moves the background of one market.

    A print moves it at once only as far as it proves it wrong: whoever was taken at 0.40 stood there, nobody
    offered less, nobody bid as much. Everything else follows when the book re-forms, some seconds later.
    """

    def __init__(self, exchange: Marketplace, ticker: str, ladder: PriceLadder, shapes: ShapeSource) -> None:
        self._exchange, self._ticker, self._ladder, self._shapes = exchange, ticker, ladder, shapes
        self._levels: Levels = {"bid": [], "ask": []}
        self._quoted: Levels | None = None
        self._last: Print | None = None
        self._astray: Levels | None = None
        """The book to return to, while one side stands a tick from it."""

    def seed(self, known: Print) -> None:
        """Stand as a known print found the market: its side at its price, the other a spread away."""
        touched, level_e4 = _touched_by(known), self._level_of(known)
        if level_e4 is not None:
            self._stand(touched, level_e4, self._spread_from(touched, level_e4))

    def follow(self, quote: Quote) -> None:
        """Take the recorded best prices and sizes, with some depth behind them."""
        self._quoted = {"bid": self._dressed("bid", quote.bid), "ask": self._dressed("ask", quote.ask)}
        self._set(self._quoted)

    def trade(self, printed: Print) -> int:
        """Let the taker of a recorded print trade; returns what was filled, in 0.01 contract.

        Member orders at a better price, or earlier at the same price, are filled first by the engine.
        """
        self._last = printed
        touched, level_e4 = _touched_by(printed), self._level_of(printed)
        if level_e4 is None:
            return self._take(printed, printed.count_e2)
        if self._best(touched) != level_e4:
            self._prove(touched, level_e4, printed.count_e2)
        filled_e2 = self._take(printed, printed.count_e2)
        for doublings in range(MAX_ROUNDS):
            missing_e2 = printed.count_e2 - filled_e2
            if missing_e2 == 0:
                break
            self._prove(touched, level_e4, missing_e2 << doublings)
            filled_e2 += self._take(printed, missing_e2)
        return filled_e2

    def reform(self, rng: random.Random) -> None:
        """Re-form around the last print, or to the last quote where quotes were recorded."""
        if self._quoted is not None:
            self._set(self._quoted)
            return
        redrawn = self._shapes.refresh()
        level_e4 = self._level_of(self._last) if self._last else None
        if self._last is None or level_e4 is None:
            return
        touched = _touched_by(self._last)
        if rng.randrange(EXHAUSTED_ONE_IN) == 0:
            level_e4 = self._ladder.moved(level_e4, _outward(touched)) or level_e4
        self._stand(touched, level_e4, self._other_best(touched, level_e4, redrawn))

    def stir(self, rng: random.Random) -> None:
        """Between prints a maker leaves the best price of a side, or betters it; the next time it comes back.

        Recorded quotes speak for themselves and are never stirred.
        """
        if self._quoted is not None or not all(self._levels.values()):
            return
        if self._astray is not None:
            self._set(self._astray)
            return
        home, side = self._levels, rng.choice(SIDES)
        best_e4, facing_e4 = self._levels[side][0][0], self._levels[_opposite(side)][0][0]
        moved_e4 = self._ladder.moved(best_e4, rng.choice((1, -1)))
        if moved_e4 is not None and not _is_behind(_opposite(side), moved_e4, facing_e4):
            moved: Levels = {"bid": home["bid"], "ask": home["ask"]}
            moved[side] = self._fresh(side, moved_e4)
            self._set(moved)
            self._astray = home

    def _level_of(self, printed: Print) -> int | None:
        """The allowed price that was taken: the print's own, or the nearest its taker accepts."""
        if printed.buys_yes:
            return self._ladder.at_or_below(printed.price_e4)
        return self._ladder.at_or_above(printed.price_e4)

    def _take(self, printed: Print, count_e2: int) -> int:
        side: Side = "bid" if printed.buys_yes else "ask"
        return self._exchange.background_take(self._ticker, side, printed.price_e4, count_e2)

    def _prove(self, touched: Side, level_e4: int, at_least_e2: int) -> None:
        """Make the book one in which this level is the best of its side, with at least so much there."""
        kept = [level for level in self._levels[touched] if _is_behind(touched, level[0], level_e4)]
        if not kept or kept[0][0] != level_e4:
            fresh = self._fresh(touched, level_e4)
            kept = [fresh[0], *(kept or fresh[1:])]
        other = _opposite(touched)
        beyond = [level for level in self._levels[other] if not _is_behind(touched, level[0], level_e4)]
        proven: Levels = {"bid": beyond, "ask": beyond}
        proven[touched] = with_best(kept, max(kept[0][1], at_least_e2))
        self._set(proven)

    def _other_best(self, touched: Side, level_e4: int, redrawn: bool) -> int | None:
        """Where the other side stands: within the shape's spread, and as near as it was proven to be."""
        by_spread = self._spread_from(touched, level_e4)
        standing = self._best(_opposite(touched))
        if redrawn or standing is None or by_spread is None:
            return by_spread
        return max(standing, by_spread) if touched == "ask" else min(standing, by_spread)

    def _spread_from(self, side: Side, best_e4: int) -> int | None:
        return self._ladder.moved(best_e4, -_outward(side) * self._shapes.shape.spread_ticks)

    def _stand(self, side: Side, best_e4: int, other_best_e4: int | None) -> None:
        other = _opposite(side)
        facing = [] if other_best_e4 is None else self._fresh(other, other_best_e4)
        standing: Levels = {"bid": facing, "ask": facing}
        standing[side] = self._fresh(side, best_e4)
        self._set(standing)

    def _dressed(self, side: Side, quoted: QuoteSide | None) -> PricedLevels:
        if quoted is None:
            return []
        best_e4 = (self._ladder.at_or_below if side == "bid" else self._ladder.at_or_above)(quoted.price_e4)
        if best_e4 is None:
            return []
        return with_best(scaled_to(self._fresh(side, best_e4), quoted.whole_side_e2), quoted.best_e2)

    def _fresh(self, side: Side, best_e4: int) -> PricedLevels:
        return (self._shapes.bids if side == "bid" else self._shapes.asks)(self._ladder, best_e4)

    def _best(self, side: Side) -> int | None:
        return self._levels[side][0][0] if self._levels[side] else None

    def _set(self, levels: Levels) -> None:
        self._levels, self._astray = levels, None
        self._exchange.set_background_book(self._ticker, levels["bid"], levels["ask"])


def _touched_by(printed: Print) -> Side:
    return "ask" if printed.buys_yes else "bid"


def _opposite(side: Side) -> Side:
    return "bid" if side == "ask" else "ask"


def _outward(side: Side) -> int:
    """The direction in which prices of this side get worse for a taker."""
    return 1 if side == "ask" else -1


def _is_behind(side: Side, price_e4: int, best_e4: int) -> bool:
    """Whether a price stands at or behind a best price of this side."""
    return price_e4 >= best_e4 if side == "ask" else price_e4 <= best_e4
