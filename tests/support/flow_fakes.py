"""For the tests of the order flow: a marketplace with nothing but price-time priority, small recordings."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from tests.simulator.clock import VirtualClock
from tests.simulator.flow import RecordedFlow
from tests.simulator.model import MarketSpec
from tests.simulator.shapes import BookShape, PricedLevels
from tests.simulator.tape import MINUTE_MS, Print, Quote, Recording

START_MS = 1_738_605_600_000
"""A whole minute: 2025-02-03T18:00:00Z."""

T1 = "KXA-1-T1"
END_MS = START_MS + 10 * MINUTE_MS
SIDES = ("bid", "ask")

TWO_TICKS_WIDE = BookShape(2, ((0, 5_000), (1, 9_000), (3, 20_000)), ((0, 4_000), (2, 8_000)))


PRINTS = "ticker,created_time,yes_price_dollars,count,taker_side\n"
QUOTES = "ts,ticker,yes_bid_dollars,yes_bid_size,yes_ask_dollars,yes_ask_size,last_price_dollars,volume\n"
TWO_PRINTS = PRINTS + (
    "KXA-1-T1,2025-02-03T18:00:00.5Z,0.4300,12.00,yes\n"
    "KXA-1-T2,2025-02-03T18:00:01.016209Z,0.0520,0.07,no\n"
)  # fmt: skip


@dataclass
class Resting:
    """An order in the fake book; `member` orders are those of the bot under test."""

    side: str
    price_e4: int
    count_e2: int
    member: bool
    filled_e2: int = 0

    @property
    def left_e2(self) -> int:
        return self.count_e2 - self.filled_e2


class FakeMarketplace:
    """One list of resting orders for each market, in order of arrival; keeps a digest of all it was told."""

    def __init__(self) -> None:
        self.orders: dict[str, list[Resting]] = {}
        self.digest = hashlib.sha256()
        self.calls = 0
        self.books_set = 0

    def rest_member(self, ticker: str, side: str, price_e4: int, count_e2: int) -> Resting:
        order = Resting(side, price_e4, count_e2, member=True)
        self.orders.setdefault(ticker, []).append(order)
        return order

    def set_background_book(self, ticker: str, bids: PricedLevels, asks: PricedLevels) -> None:
        assert not bids or not asks or bids[0][0] < asks[0][0], "the background would trade with itself"
        self._note("book", ticker, bids, asks)
        self.books_set += 1
        self.orders[ticker] = [order for order in self.orders.get(ticker, []) if order.member]
        for side, levels in (("bid", bids), ("ask", asks)):
            for price_e4, count_e2 in levels:
                filled_e2 = self._match(ticker, side, price_e4, count_e2)
                self.orders[ticker].append(
                    Resting(side, price_e4, count_e2, member=False, filled_e2=filled_e2)
                )

    def background_take(self, ticker: str, side: str, limit_e4: int, count_e2: int) -> int:
        filled_e2 = self._match(ticker, side, limit_e4, count_e2)
        self._note("take", ticker, side, limit_e4, count_e2, filled_e2)
        return filled_e2

    def levels(self, ticker: str, side: str) -> PricedLevels:
        """The background's levels, best first."""
        resting = [o for o in self.orders.get(ticker, []) if o.side == side and o.left_e2 and not o.member]
        return sorted(((o.price_e4, o.left_e2) for o in resting), reverse=side == "bid")

    def _match(self, ticker: str, side: str, limit_e4: int, count_e2: int) -> int:
        left_e2, sign = count_e2, 1 if side == "bid" else -1
        contra = [
            o for o in self.orders.get(ticker, []) if o.side != side and (limit_e4 - o.price_e4) * sign >= 0
        ]
        for order in sorted(contra, key=lambda o: o.price_e4 * sign):
            traded_e2 = min(left_e2, order.left_e2)
            order.filled_e2 += traded_e2
            left_e2 -= traded_e2
        return count_e2 - left_e2

    def _note(self, *what: object) -> None:
        self.calls += 1
        self.digest.update(repr(what).encode())


def market(ticker: str = "KXA-1-T1", close_ms: int = START_MS + 3_600_000, **more: object) -> MarketSpec:
    fields = {"event_ticker": "KXA-1", "series_ticker": "KXA", "open_ms": START_MS - 3_600_000}
    return MarketSpec(ticker=ticker, close_ms=close_ms, **(fields | more))


def recording(
    markets: list[MarketSpec],
    prints: list[Print] | None = None,
    quotes: list[Quote] | None = None,
    shapes: tuple[BookShape, ...] = (TWO_TICKS_WIDE,),
) -> Recording:
    listed = {each.ticker: each for each in markets}
    return Recording("hand-made", listed, tuple(prints or ()), tuple(quotes or ()), shapes)


def write_gzip(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def bought(at_ms: int, price_e4: int, count_e2: int = 1_000, ticker: str = T1) -> Print:
    return Print(START_MS + at_ms, ticker, price_e4, count_e2, True)


def sold(at_ms: int, price_e4: int, count_e2: int = 1_000, ticker: str = T1) -> Print:
    return Print(START_MS + at_ms, ticker, price_e4, count_e2, False)


def play(
    rec: Recording, venue: FakeMarketplace, seed: int = 0, end_ms: int = END_MS
) -> tuple[RecordedFlow, VirtualClock]:
    clock = VirtualClock(START_MS)
    return RecordedFlow(rec, venue, clock, START_MS, end_ms, list(rec.markets), seed), clock


def best(levels: PricedLevels) -> int | None:
    return levels[0][0] if levels else None
