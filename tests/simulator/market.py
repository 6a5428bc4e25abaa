"""A market in motion: status, grid, book and prints."""

from bisect import bisect_right

from .book import ASK, BID, Book
from .model import MarketSpec, Order, PriceRanges, Trade
from .units import DOLLAR_E4

ACTIVE, INACTIVE, CLOSED = "active", "inactive", "closed"
INITIALIZED, DETERMINED, AMENDED, FINALIZED = "initialized", "determined", "amended", "finalized"
TRADABLE = (ACTIVE, INACTIVE)
STATUSES = (INITIALIZED, INACTIVE, ACTIVE, CLOSED, DETERMINED, "disputed", AMENDED, FINALIZED)

# The word a list filter takes, and the statuses it stands for in answers.
STATUS_FILTERS = {
    "unopened": (INITIALIZED,),
    "open": (ACTIVE,),
    "paused": (INACTIVE,),
    "closed": (CLOSED, DETERMINED, "disputed", AMENDED),
    "settled": (FINALIZED,),
}

DAY_MS = 86_400_000


Top = tuple[int, int | None, int | None]
"""(time, best bid, best ask) in ms and 1e-4 $; None: nobody is there."""


class Market:
    """State of one market; `revision` grows with every change a reader could see."""

    def __init__(self, spec: MarketSpec, at_ms: int) -> None:
        self.spec = spec
        self.ticker = spec.ticker
        self.shard = spec.shard
        self.status = INITIALIZED if spec.status == ACTIVE and at_ms < spec.open_ms else spec.status
        self.close_ms = spec.close_ms
        self.price_ranges: PriceRanges = spec.price_ranges
        self.fee_type = spec.fee_type
        self.fee_multiplier_e4 = spec.fee_multiplier_e4
        self.result = ""
        self.value_e4 = 0  # of a YES contract, once there is a result
        self.settled_ms: int | None = None
        self.tops: list[Top] = []
        self.updated_ms = at_ms  # non-trading changes only
        self.revision = 0
        self.book = Book()
        self.member_orders: dict[str, Order] = {}
        self.trades: list[Trade] = []
        self._volumes_e2: list[int] = []  # running total after each trade

    def on_grid(self, price_e4: int) -> bool:
        """May an order name this price?"""
        if not 0 < price_e4 < DOLLAR_E4:
            return False
        return any(
            start <= price_e4 <= end and (price_e4 - start) % step == 0
            for start, end, step in self.price_ranges
        )

    def note_top(self, now_ms: int) -> None:
        """Remember the best prices where the rest of the market has just changed them, for candles."""
        top = (now_ms, self.best_e4(BID), self.best_e4(ASK))
        if self.tops and self.tops[-1][0] == now_ms:
            self.tops[-1] = top
        elif not self.tops or self.tops[-1][1:] != top[1:]:
            self.tops.append(top)

    def best_e4(self, side: str) -> int | None:
        return self.book.halves[side].best_e4()

    def best_size_e2(self, side: str) -> int:
        best = self.best_e4(side)
        return 0 if best is None else self.book.halves[side].levels[best].total_e2

    def mid_e4(self) -> int:
        """Middle of the touch, the last price, or half a dollar: whatever there is."""
        bid, ask = self.best_e4(BID), self.best_e4(ASK)
        if bid is not None and ask is not None:
            return (bid + ask) // 2
        return self.trades[-1].price_e4 if self.trades else DOLLAR_E4 // 2

    def record(self, trade: Trade) -> None:
        self.trades.append(trade)
        self._volumes_e2.append(self.volume_e2() + trade.count_e2)

    def volume_e2(self) -> int:
        return self._volumes_e2[-1] if self._volumes_e2 else 0

    def day_volume_e2(self, now_ms: int) -> int:
        """Contracts traded in the last 24 hours."""
        first = bisect_right(self.trades, now_ms - DAY_MS, key=lambda trade: trade.at_ms)
        return self.volume_e2() - (self._volumes_e2[first - 1] if first else 0)

    def touch(self, at_ms: int) -> None:
        """A non-trading change: status, times, grid, fees."""
        self.updated_ms = at_ms
        self.revision += 1
