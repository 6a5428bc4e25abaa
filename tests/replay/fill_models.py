"""When an order of ours would have filled: three answers to what best prices alone cannot say.

    pess   Behind all that is displayed at its price, always; without sizes, behind everything. It fills when
           the market trades through.
    infer  Behind what was displayed when it came. 10 % of the size that falls at the touch was trades, in
           whole contracts, the rest was cancelled; where prints were recorded, they are the trades. Only
           where sizes are.
    opt    First in line, and all that falls at the touch was trades; without sizes, all of it when the touch
           falls back.

In all three the market trades through an order when the other side's best price meets or passes it, for
whoever stands there would have met our order first (it then fills whole), or when a print passes it (it then
fills by the print's count). A fall at the touch reaches an order that is at the touch or inside it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dora.core.exchange.market import Side
from dora.core.units import CONTRACT, Count, Price
from tests.replay.tape import Change
from tests.simulator.tape import Print, Quote, QuoteSide

ENDLESS = Count(10**12)
"""More contracts than any market has: a queue of unknown length."""
ALL_PERCENT = 100


@dataclass(slots=True)
class Rest:
    """An order that rests, and the contracts that are served before it."""

    side: Side
    price: Price
    remaining: Count
    ahead: Count
    waiting: int = 0
    """Of falls at the touch, percents of 0.01 contract that do not make a whole contract yet."""

    def take(self, count: int) -> Count:
        """Contracts of it that so many traded at its price fill; those ahead are served first."""
        passed = min(self.ahead, count)
        self.ahead = Count(self.ahead - passed)
        return self.fill(count - passed)

    def fill(self, count: int) -> Count:
        """Contracts of it that so many fill, whoever stands ahead."""
        filled = Count(min(self.remaining, count))
        self.remaining = Count(self.remaining - filled)
        return filled


@dataclass(frozen=True)
class FillModel:
    """`share_percent` of what falls at the touch was trades. `queue`: (ahead before, displayed) -> ahead."""

    name: str
    share_percent: int
    queue: Callable[[Count, Count], Count]
    needs_sizes: bool = False

    def joins(self, rest: Rest, quote: Quote | None) -> None:
        """An order comes to rest in this market."""
        rest.ahead = self.queue(ENDLESS, displayed(rest, quote))

    def changed(self, rest: Rest, change: Change, printed: bool) -> Count:
        """Contracts filled by a change of the best prices. `printed`: the market's prints were recorded."""
        if meets(rest, change.after):
            return rest.fill(rest.remaining)
        share = 0 if printed and self.needs_sizes else self.share_percent
        filled = rest.take(_whole_contracts(rest, fallen(rest, change) * share)) if share else Count(0)
        rest.ahead = self.queue(rest.ahead, displayed(rest, change.after))
        return filled

    def traded(self, rest: Rest, trade: Print) -> Count:
        """Contracts filled by a print."""
        beyond = rest.side.sign * (rest.price - trade.price_e4)
        if beyond > 0:
            return rest.fill(trade.count_e2)
        hits = trade.buys_yes is (rest.side is Side.ASK)
        return rest.take(trade.count_e2) if beyond == 0 and hits else Count(0)


def _behind_all(_ahead: Count, shown: Count) -> Count:
    return shown


def _behind_earlier(ahead: Count, shown: Count) -> Count:
    return min(ahead, shown)


def _first(_ahead: Count, _shown: Count) -> Count:
    return Count(0)


PESSIMISTIC = FillModel("pess", 0, _behind_all)
INFERRED = FillModel("infer", 10, _behind_earlier, needs_sizes=True)
OPTIMISTIC = FillModel("opt", ALL_PERCENT, _first)
MODELS = (PESSIMISTIC, INFERRED, OPTIMISTIC)


def displayed(rest: Rest, quote: Quote | None) -> Count:
    """What others show at the order's price: nothing inside the touch; behind it nobody has recorded it."""
    touch = _touch(quote, rest.side)
    inside = touch is None or rest.side.sign * (rest.price - touch.price_e4) > 0
    if inside:
        return Count(0)
    if touch is None or touch.price_e4 != rest.price or touch.best_e2 is None:
        return ENDLESS
    return Count(touch.best_e2)


def meets(rest: Rest, quote: Quote) -> bool:
    """Whether the other side's best price meets or passes the order's."""
    other = quote.ask if rest.side is Side.BID else quote.bid
    return other is not None and rest.side.sign * (rest.price - other.price_e4) >= 0


def fallen(rest: Rest, change: Change) -> int:
    """Contracts that left the touch on the order's side, where the order is at it or inside it."""
    before, after = _touch(change.before, rest.side), _touch(change.after, rest.side)
    if before is None or rest.side.sign * (rest.price - before.price_e4) < 0:
        return 0
    moved = -1 if after is None else rest.side.sign * (after.price_e4 - before.price_e4)
    if moved < 0:
        return ENDLESS if before.best_e2 is None else before.best_e2
    if moved > 0 or after is None or before.best_e2 is None or after.best_e2 is None:
        return 0
    return max(before.best_e2 - after.best_e2, 0)


def _whole_contracts(rest: Rest, percents: int) -> int:
    """Contracts, in 0.01, that this makes with what was waiting; people trade whole ones."""
    whole, rest.waiting = divmod(rest.waiting + percents, ALL_PERCENT * CONTRACT)
    return whole * CONTRACT


def _touch(quote: Quote | None, side: Side) -> QuoteSide | None:
    if quote is None:
        return None
    return quote.bid if side is Side.BID else quote.ask
