"""Others' books at each time the bot read them, and what they make of its orders and fills."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.simulator.book import ASK, BID, reaches
from tests.simulator.exchange import Exchange
from tests.simulator.model import Fill, Order
from tests.simulator.wire import Request

BOOKS = "/markets/orderbooks"
MINUTE_MS = 60_000
PAUSE_MS = 30_000
"""A cycle asks nothing for longer than that only once it is over."""
TOO_LATE_MS = 90_000
"""A look at a book this much after a mark was due marks nothing any more."""
Levels = list[tuple[int, int]]


@dataclass(frozen=True)
class Look:
    """One read of all books; levels are pairs of 1e-4 $ and 0.01 contract, best first."""

    at_ms: int
    books: dict[tuple[str, str], Levels]
    """By ticker and side."""
    resting: dict[str, set[tuple[str, int]]]
    """Side, and time of birth, of the bot's own orders that rest, by ticker."""
    ids: frozenset[str]
    """Of those orders."""

    def mid_e4(self, ticker: str) -> int:
        """Half way between others' best prices."""
        return (self.books[ticker, BID][0][0] + self.books[ticker, ASK][0][0]) // 2


class BookWatch:
    """What the exchange holds, as of each read of its books."""

    def __init__(self, exchange: Exchange) -> None:
        self._venue, self._member = exchange.venue, exchange.invariants.watched
        self._answered, self.looks = list[int](), list[Look]()

    def answered(self) -> None:
        """A request of the bot has its answer."""
        self._answered.append(self._venue.now_ms())

    def asked(self, request: Request) -> None:
        """Keep what is there now, where a request is for the books."""
        if request.path.endswith(BOOKS):
            self.looks.append(self._look())

    def _look(self) -> Look:
        assert self._member is not None
        resting: dict[str, set[tuple[str, int]]] = {}
        for own in self._member.resting.values():
            resting.setdefault(own.market.ticker, set()).add((own.side, own.created_ms))
        others = {
            (ticker, side): [
                (price, own.background_e2) for price, own in half.best_first() if own.background_e2
            ]
            for ticker, market in self._venue.markets.items()
            for side, half in market.book.halves.items()
        }
        return Look(self._venue.now_ms(), others, resting, frozenset(self._member.resting))

    def minutes(self, ticker: str, sides: int, until_ms: int) -> int:
        """Between two cycles, with orders on so many sides that rested all the while."""
        spent_ms = 0
        for look in self.looks:
            before = (at_ms for at_ms in self._answered if at_ms < look.at_ms - PAUSE_MS)
            from_ms = max(before, default=look.at_ms)
            stood = {side for side, born_ms in look.resting.get(ticker, ()) if born_ms <= from_ms}
            if len(stood) >= sides and look.at_ms < until_ms:
                spent_ms += look.at_ms - from_ms
        return spent_ms // MINUTE_MS

    def quotes(self, ticker: str, until_ms: int) -> list[Order]:
        """Orders that rested at a look or traded: one that did neither asked whether its id was taken."""
        assert self._member is not None
        stood = {own for look in self.looks for own in look.ids}
        return [
            own
            for own in self._member.orders
            if own.market.ticker == ticker
            and own.created_ms < until_ms
            and (own.id in stood or own.filled_e2)
        ]

    def ahead_e2(self, order: Order) -> int:
        """Contracts of others at its price or a better one, when its price was made."""
        look = [own for own in self.looks if own.at_ms <= order.created_ms][-1]
        levels = look.books[order.market.ticker, order.side]
        return sum(count for price, count in levels if reaches(order.side, price, order.price_e4))

    def gains(self, fills: list[Fill], minutes: int) -> Iterator[tuple[int, int]]:
        """Contracts of each fill that could be marked after so many minutes, and what it had gained then."""
        for fill in fills:
            due_ms = fill.at_ms + minutes * MINUTE_MS
            look = next((own for own in self.looks if own.at_ms >= due_ms), None)
            if look is not None and look.at_ms - due_ms <= TOO_LATE_MS:
                sign, count = (1 if fill.order.side == BID else -1), fill.trade.count_e2
                yield count, sign * count * (look.mid_e4(fill.trade.ticker) - fill.trade.price_e4)
