"""Paper trading: the local exchange shows a live book; a model says when an order of ours would have filled.

The models are the replay's (`tests/replay/fill_models.py`): what they rest on is only the best prices, their
sizes and the public trades, each as often as it is read. A fill is carried out by the local exchange at the
order's own price, so fees, groups, positions and cash come out as in every other run.
"""

from collections.abc import Sequence

from dora.core.exchange.market import Book, Side
from dora.core.units import Count, Price
from tests.replay.fill_models import FillModel, Rest
from tests.replay.tape import Change
from tests.simulator.exchange import Exchange
from tests.simulator.member import Member
from tests.simulator.model import Order
from tests.simulator.tape import Print, Quote, QuoteSide

Ladder = list[tuple[int, int]]
TAKER = {"bid": "ask", "ask": "bid"}


class Paper:
    """One account on paper. Books and prints are given in the order of time."""

    def __init__(self, exchange: Exchange, member: Member, model: FillModel) -> None:
        self._exchange, self._member, self._model = exchange, member, model
        self._rests: dict[str, Rest] = {}
        self._books: dict[str, Book] = {}

    def show(self, book: Book, at_ms: int) -> None:
        """A market's book as others see it, from this moment on."""
        before, after = self._books.get(book.ticker), quote_of(book, at_ms)
        change = Change(at_ms, quote_of(before, at_ms) if before else None, after)
        for order, rest in self._ours(book.ticker, change.before):
            self._fill(order, self._model.changed(rest, change, printed=True))
        self._books[book.ticker] = book
        self._stand(book)

    def printed(self, trade: Print) -> None:
        """A public trade between others."""
        book = self._books.get(trade.ticker)
        quote = quote_of(book, trade.at_ms) if book else None
        for order, rest in self._ours(trade.ticker, quote):
            self._fill(order, self._model.traded(rest, trade))
        taker = "bid" if trade.buys_yes else "ask"
        self._exchange.background_print(trade.ticker, taker, trade.price_e4, trade.count_e2)

    def _ours(self, ticker: str, quote: Quote | None) -> list[tuple[Order, Rest]]:
        """Our orders there, best first, each with its place in the queue."""
        orders = [own for own in self._member.resting.values() if own.market.ticker == ticker]
        orders.sort(key=lambda own: (own.side, -own.price_e4 if own.side == "bid" else own.price_e4, own.seq))
        return [(own, self._rest(own, quote)) for own in orders]

    def _rest(self, order: Order, quote: Quote | None) -> Rest:
        """An order that came since the last look joins the queue as it stands now."""
        rest = self._rests.get(order.id)
        if rest is None:
            rest = Rest(Side(order.side), Price(order.price_e4), Count(0), Count(0))
            self._model.joins(rest, quote)
            self._rests[order.id] = rest
        rest.remaining = Count(order.remaining_e2)
        return rest

    def _fill(self, order: Order, count: int) -> None:
        """So many contracts of it at its own price: others who stand before it step aside for that moment."""
        if not count:
            return
        ticker, book = order.market.ticker, self._books.get(order.market.ticker)
        bids, asks = ladders(book) if book else ([], [])
        if order.side == "bid":
            bids, asks = [own for own in bids if own[0] < order.price_e4], []
        else:
            bids, asks = [], [own for own in asks if own[0] > order.price_e4]
        self._exchange.set_background_book(ticker, bids, asks)
        self._exchange.background_take(ticker, TAKER[order.side], order.price_e4, count)
        if order.id not in self._member.resting:
            self._rests.pop(order.id, None)
        if book is not None:
            self._stand(book)

    def _stand(self, book: Book) -> None:
        """The local exchange shows it; what stands across an order of ours is not shown to it again."""
        bids, asks = ladders(book)
        ours = [own for own in self._member.resting.values() if own.market.ticker == book.ticker]
        lowest_ask = min((own.price_e4 for own in ours if own.side == "ask"), default=None)
        highest_bid = max((own.price_e4 for own in ours if own.side == "bid"), default=None)
        free_bids = [own for own in bids if lowest_ask is None or own[0] < lowest_ask]
        free_asks = [own for own in asks if highest_bid is None or own[0] > highest_bid]
        self._exchange.set_background_book(book.ticker, free_bids, free_asks)


def ladders(book: Book) -> tuple[Ladder, Ladder]:
    """Bids and asks in the simulator's units, which are the product's."""
    bids = [(int(level.price), int(level.count)) for level in book.bids]
    return bids, [(int(level.price), int(level.count)) for level in book.asks]


def quote_of(book: Book, at_ms: int) -> Quote:
    """Its best prices and their sizes."""
    bid, ask = (_side(levels) for levels in ladders(book))
    return Quote(at_ms, book.ticker, bid, ask)


def _side(levels: Sequence[tuple[int, int]]) -> QuoteSide | None:
    return QuoteSide(levels[0][0], levels[0][1]) if levels else None
