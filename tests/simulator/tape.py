"""What a recording holds once read: prints, quotes, markets, book shapes. Plain ints.

Prices are 1e-4 $ of the YES contract, counts 0.01 contract, times Unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .model import MarketSpec
from .shapes import BookShape

MINUTE_MS = 60_000


class RecordingError(Exception):
    """A recording cannot be replayed: what is wrong, where, and what to do about it."""

    def __init__(self, where: str, what: str, fix: str) -> None:
        super().__init__(f"{where}: {what}. {fix}.")
        self.where, self.what, self.fix = where, what, fix


@dataclass(frozen=True, slots=True)
class Print:
    """One public trade. `buys_yes`: the taker bought YES (took the ask); else the taker hit the bid."""

    at_ms: int
    ticker: str
    price_e4: int
    count_e2: int
    buys_yes: bool


@dataclass(frozen=True, slots=True)
class QuoteSide:
    """One side of a recorded quote. The two sizes are None where the recording has no such column."""

    price_e4: int
    best_e2: int | None = None
    whole_side_e2: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask from this moment on; None: nobody quotes that side."""

    at_ms: int
    ticker: str
    bid: QuoteSide | None
    ask: QuoteSide | None


def is_open(market: MarketSpec, at_ms: int) -> bool:
    """Whether the market's hours hold this moment."""
    return market.open_ms <= at_ms < market.close_ms


@dataclass(frozen=True)
class Recording:
    """A stretch of exchange history, recorded or synthetic. Prints and quotes are each in time order.

    A market's `result` is None where the recording does not know how it settled.
    """

    name: str
    markets: Mapping[str, MarketSpec]
    prints: tuple[Print, ...]
    quotes: tuple[Quote, ...]
    shapes: tuple[BookShape, ...]

    @property
    def first_ms(self) -> int:
        """The time of the first row. ValueError: there are no rows."""
        return min(rows[0].at_ms for rows in (self.prints, self.quotes) if rows)

    @property
    def last_ms(self) -> int:
        """The time of the last row. ValueError: there are no rows."""
        return max(rows[-1].at_ms for rows in (self.prints, self.quotes) if rows)
