"""Best prices of a market of which only the prints were recorded.

The last taker who sold found a bid at his price, the last one who bought an ask. Each is believed for half an
hour; a newer print that contradicts it (a seller above the ask, a buyer below the bid) ends it. No sizes.
"""

from collections.abc import Iterable, Iterator

from tests.simulator.tape import MINUTE_MS, Print, Quote, QuoteSide

BELIEVED_MS = 30 * MINUTE_MS


class _Side:
    """What is believed of one side: a price, and until when."""

    def __init__(self) -> None:
        self.price_e4: int | None = None
        self.until_ms = 0

    def learn(self, trade: Print) -> None:
        self.price_e4, self.until_ms = trade.price_e4, trade.at_ms + BELIEVED_MS

    def ended_by(self, at_ms: int) -> bool:
        return self.price_e4 is not None and self.until_ms <= at_ms

    def shown(self) -> QuoteSide | None:
        return None if self.price_e4 is None else QuoteSide(self.price_e4)


def printed_quotes(ticker: str, prints: Iterable[Print]) -> tuple[Quote, ...]:
    """The best prices that prints of one market, in time order, let one believe in."""
    return tuple(_quotes(ticker, prints))


def _quotes(ticker: str, prints: Iterable[Print]) -> Iterator[Quote]:
    bid, ask = _Side(), _Side()
    for trade in prints:
        yield from _expired(ticker, bid, ask, trade.at_ms)
        if trade.buys_yes:
            ask.learn(trade)
            if bid.price_e4 is not None and bid.price_e4 >= trade.price_e4:
                bid.price_e4 = None
        else:
            bid.learn(trade)
            if ask.price_e4 is not None and ask.price_e4 <= trade.price_e4:
                ask.price_e4 = None
        yield Quote(trade.at_ms, ticker, bid.shown(), ask.shown())
    yield from _expired(ticker, bid, ask, max(bid.until_ms, ask.until_ms))


def _expired(ticker: str, bid: _Side, ask: _Side, at_ms: int) -> Iterator[Quote]:
    """What is no longer believed by then, one side at a time."""
    for side in sorted((bid, ask), key=lambda side: side.until_ms):
        if side.ended_by(at_ms):
            side.price_e4 = None
            yield Quote(side.until_ms, ticker, bid.shown(), ask.shown())
