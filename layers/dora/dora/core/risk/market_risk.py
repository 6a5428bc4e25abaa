"""The worst that one market's position and open orders can do, in running sums of plain ints.

Everything that may fill counts, and nothing is assumed about which of it does: for every outcome each order
fills if that hurts. A slot's live orders and its target never both fill in full, because a placement waits
for the confirmed cancel, so a slot counts the worse of the two, figure by figure; an order whose fate is
unknown holds its slot and is added. Money counts 1e-6 $.
"""

from typing import NamedTuple

from dora.core.exchange.market import Side, Slot
from dora.core.risk.worst_fill import NOTHING, Worst, made, together, worse
from dora.core.units import ONE_DOLLAR

BID, ASK = Side.BID, Side.ASK


class Change(NamedTuple):
    """What a target would make of its market: the slot's part, and how the market's figures grow with it."""

    slot: Slot
    part: Worst
    total: Worst
    """Of the side."""
    yes: int
    no: int
    contracts: int
    cash: int
    orders: int


class MarketRisk:
    """One market. `bids` and `asks` sum up every order of a side; `parts` holds each slot's share of them.

    Its figures are kept up to date by `take`; nothing is summed again for a further target.
    """

    __slots__ = (
        "asks",
        "best_ask",
        "best_bid",
        "bids",
        "cash",
        "drift",
        "error",
        "net",
        "no",
        "parts",
        "yes",
    )

    def __init__(self, drift: int, parts: dict[Slot, Worst], error: str = "") -> None:
        """Flat and without orders. `drift`: contracts only the exchange counts.

        All markets may share their `parts`: a thousand dicts less to make.
        """
        self.drift, self.parts, self.error = drift, parts, error
        self.net = self.yes = self.no = 0
        """Contracts held, and what is lost by outcome."""
        if drift:
            self.yes += ONE_DOLLAR * max(-drift, 0)
            self.no += ONE_DOLLAR * max(drift, 0)
        self.bids = self.asks = NOTHING
        self.best_bid, self.best_ask = 0, ONE_DOLLAR + 1
        """Of the account's own orders and targets; a price beyond the grid where there is none."""
        self.cash = 0

    def hold(self, net: int, paid: int) -> None:
        """Contracts held, and what was paid for them, fees included."""
        self.net += net
        self.yes += paid - ONE_DOLLAR * net
        self.no += paid

    def add(self, side: Side, price: int, worst: Worst) -> None:
        """An order that may fill whatever we do."""
        self.yes += worst.yes
        self.no += worst.no
        if side is BID:
            self.best_bid = max(self.best_bid, price)
            self.bids = worst if self.bids is NOTHING else together(self.bids, worst)
        else:
            self.best_ask = min(self.best_ask, price)
            self.asks = worst if self.asks is NOTHING else together(self.asks, worst)

    def add_live(self, slot: Slot, price: int, worst: Worst) -> None:
        """A live order of a slot."""
        before = self.parts.get(slot)
        self.parts[slot] = worst if before is None else together(before, worst)
        self.add(slot.side, price, worst)

    def settle(self) -> None:
        """Once every order is added: from here on its cash is kept as well."""
        if self.net:
            self.cash = self._tied_up(BID, self.bids) + self._tied_up(ASK, self.asks)
        else:
            self.cash = self.bids.cash + self.asks.cash

    def _tied_up(self, side: Side, total: Worst) -> int:
        """Both sides hold on their own; the cheapest contracts close the position and hold nothing."""
        closable = -self.net if side is BID else self.net
        return max(total.cash - closable * total.unit, 0) if closable > 0 else total.cash

    def most(self, side: Side) -> int:
        """Net contracts, counted in the direction of `side`, if every order of that side fills."""
        if side is BID:
            return self.net + max(self.drift, 0) + self.bids.contracts
        return -self.net + max(-self.drift, 0) + self.asks.contracts

    @property
    def open_orders(self) -> int:
        """Orders open at worst."""
        return self.bids.orders + self.asks.orders

    def rests(self, slot: Slot, price: int, count: int) -> bool:
        """Whether an order exactly like this is its slot's only live one: no figure grows by wanting it."""
        part = self.parts.get(slot)
        if part is None or part.contracts != count or part.orders != 1:
            return False
        return part.unit == (price if slot.side is BID else ONE_DOLLAR - price)

    def crosses(self, side: Side, price: int) -> bool:
        """Whether an order at this price would meet one of the account's own on the other side."""
        return price >= self.best_ask if side is BID else price <= self.best_bid

    def change(self, slot: Slot, target: Worst) -> Change:
        """What the market becomes with this target, which is not taken yet."""
        before, side = self.parts.get(slot, NOTHING), slot.side
        part = worse(before, target)
        total = self.bids if side is BID else self.asks
        yes, no, contracts = part.yes - before.yes, part.no - before.no, part.contracts - before.contracts
        cash, orders = part.cash - before.cash, part.orders - before.orders
        after = made(
            (
                total.yes + yes,
                total.no + no,
                total.contracts + contracts,
                total.cash + cash,
                min(total.unit, part.unit),
                total.orders + orders,
            )
        )
        if self.net:
            cash = self._tied_up(side, after) - self._tied_up(side, total)
        return Change(slot, part, after, yes, no, contracts, cash, orders)

    def take(self, change: Change, price: int) -> None:
        """Count a target that is admitted at this price."""
        if change.slot.side is BID:
            self.bids, self.best_bid = change.total, max(self.best_bid, price)
        else:
            self.asks, self.best_ask = change.total, min(self.best_ask, price)
        self.yes += change.yes
        self.no += change.no
        self.cash += change.cash
        self.parts[change.slot] = change.part
