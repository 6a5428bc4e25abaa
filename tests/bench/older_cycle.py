"""The older plan in an account of some size, fed with answers as an exchange gave them then, and timed."""

import json
import random
import time
import uuid
from datetime import timedelta

from tests.bench.older_plan import NOW, Order, Params, Position, compute, diff, parse_book, parse_trades

TRADES, BOOK_LEVELS = 50, 32


class OlderPlan:
    """That system in an account of some size, with answers as an exchange gave them, and nothing else."""

    def __init__(self, markets: int, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._mids = {f"KXBENCH-26MAR{number:04d}": self._chance.randint(42, 58) for number in range(markets)}
        self._trades = {ticker: self._trades_text(ticker, mid) for ticker, mid in self._mids.items()}
        self._params = {ticker: Params() for ticker in self._mids}
        self._live: list[Order] = []
        self.placed = self.cancelled = 0

    def cycle_cpu_ms(self, share: float) -> float:
        """This share of the markets (0 to 1) moves by a few cents; then compute and diff, in CPU ms."""
        for ticker in self._chance.sample(list(self._mids), round(share * len(self._mids))):
            self._mids[ticker] += 3 if self._mids[ticker] < 50 else -3
            self._trades[ticker] = self._trades_text(ticker, self._mids[ticker])
        books = {ticker: _book_text(mid) for ticker, mid in self._mids.items()}
        began = time.process_time_ns()
        own: dict[str, list[Order]] = {}
        for order in self._live:
            own.setdefault(order.ticker, []).append(order)
        wanted: list[Order] = []
        for ticker, params in self._params.items():
            book = parse_book(books[ticker], own.get(ticker, []))
            wanted += compute(ticker, book, parse_trades(self._trades[ticker]), Position(), params).targets
        cancels, places = diff(wanted, self._live)
        took = time.process_time_ns() - began
        gone = {id(order) for order in cancels}
        self._live = [order for order in self._live if id(order) not in gone] + places
        self.cancelled, self.placed = len(cancels), len(places)
        return took / 1e6

    def _trades_text(self, ticker: str, mid: int) -> str:
        """Fifty trades of about a day around the mid, as the exchange wrote them then."""
        rows = []
        for number in range(TRADES):
            at = NOW - timedelta(minutes=30 * number + self._chance.random() * 10)
            price = mid + self._chance.randint(-1, 1)
            rows.append(
                {
                    "trade_id": str(uuid.UUID(int=self._chance.getrandbits(128))),
                    "ticker": ticker,
                    "count": self._chance.randint(1, 200),
                    "created_time": at.isoformat().replace("+00:00", "Z"),
                    "yes_price": price,
                    "no_price": 100 - price,
                    "yes_price_dollars": f"{price / 100:.4f}",
                    "no_price_dollars": f"{1 - price / 100:.4f}",
                    "taker_side": self._chance.choice(("yes", "no")),
                }
            )
        return json.dumps({"cursor": "", "trades": rows})


def _book_text(mid: int) -> str:
    levels = range(BOOK_LEVELS)
    yes = [[mid - 4 - level, 100 + level] for level in levels if mid - 4 - level > 0]
    no = [[100 - mid - 4 - level, 100 + level] for level in levels if 100 - mid - 4 - level > 0]
    return json.dumps({"orderbook": {"yes": yes[::-1], "no": no[::-1]}})
