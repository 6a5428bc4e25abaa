"""Which events rest because fills went against us: counted of one inventory as the bot counts its own."""

from collections.abc import Mapping, Sequence

from dora.core.accounts.markouts import PendingMarkout, mid_price, take_marks, with_fills
from dora.core.accounts.posting import Attribution
from dora.core.exchange.book import without
from dora.core.exchange.market import Book, Market
from dora.core.quoting.cool_off import Strikes, read_strikes, struck
from dora.core.units import TimeMs
from tests.replay.desk import Desk, ledger_fill

OURS = Attribution(strategy="replayed", session_id="")


class Cooling:
    """Asked once a cycle; what it finds holds from the next cycle on, as in the bot."""

    def __init__(self, markets: Mapping[str, Market]) -> None:
        self._markets = markets
        self._waiting: Sequence[PendingMarkout] = ()
        self._strikes: Strikes = {}
        self._judged = 0

    def after(self, books: Mapping[str, Book], desk: Desk, now_ms: TimeMs) -> Mapping[str, object]:
        """The strikes up to now, for memory. `books` as the bot read them, its own orders in them."""
        fills = [ledger_fill(filled) for filled in desk.fills[self._judged :]]
        self._judged = len(desk.fills)
        if fills:
            self._waiting = with_fills(self._waiting, fills, {fill.order_id: OURS for fill in fills})
        if self._waiting:
            mids = {
                ticker: mid
                for ticker in {own.ticker for own in self._waiting} & books.keys()
                if (mid := mid_price(without(books[ticker], desk.resting(ticker), 1))) is not None
            }
            self._waiting, rows = take_marks(self._waiting, mids, now_ms)
            self._strikes = read_strikes(struck(self._strikes, rows, self._markets, now_ms))
        return {event: list(times) for event, times in self._strikes.items()}
