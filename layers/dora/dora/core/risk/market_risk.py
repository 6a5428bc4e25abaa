"""The worst that one market's position and open orders can do, in running sums of plain ints.

Everything that may fill counts, and nothing is assumed about which of it does: for every outcome each order
fills if that hurts. A slot's live orders and its target never both fill in full, because a placement waits
for the confirmed cancel, so a slot counts the worse of the two, figure by figure; an order whose fate is
unknown holds its slot and is added. Money counts 1e-6 $.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dora.core.accounts.ledger import Position
from dora.core.exchange.account import Order
from dora.core.exchange.fees import FeeTerms, maker_fee
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.units import ONE_DOLLAR, Count, Price


class Worst(NamedTuple):
    """What orders of one side do at worst: loss when the market resolves yes, and no; contracts and orders.

    `cash` is what they hold as if there were no position, `unit` what the cheapest contract of them holds.
    """

    yes: int = 0
    no: int = 0
    contracts: int = 0
    cash: int = 0
    unit: int = ONE_DOLLAR
    orders: int = 0


NOTHING = Worst()
BID, ASK = Side.BID, Side.ASK
LIVE, CLOSED = OrderState.LIVE, OrderState.CLOSED


def worst_fill(side: Side, price: Price, count: Count, terms: FeeTerms | None) -> Worst:
    """One order that fills if that hurts, its fee included; a price of $1 or 0 is the worst there is."""
    unit: int
    fee = maker_fee(terms, price, count) if terms is not None and terms.maker_rate_e8 != 0 else 0
    if side is BID:
        paid, unit = price * count + fee, price
        yes = paid - ONE_DOLLAR * count
    else:
        paid, unit = fee - price * count, ONE_DOLLAR - price
        yes = paid + ONE_DOLLAR * count
    return Worst(yes if yes > 0 else 0, paid if paid > 0 else 0, count, unit * count + fee, unit, 1)


def together(one: Worst, other: Worst) -> Worst:
    """Both: each may fill whatever the other does."""
    return Worst(
        one.yes + other.yes,
        one.no + other.no,
        one.contracts + other.contracts,
        one.cash + other.cash,
        min(one.unit, other.unit),
        one.orders + other.orders,
    )


def worse(one: Worst, other: Worst) -> Worst:
    """Of two that exclude each other the worse, figure by figure."""
    return Worst(
        max(one.yes, other.yes),
        max(one.no, other.no),
        max(one.contracts, other.contracts),
        max(one.cash, other.cash),
        min(one.unit, other.unit),
        max(one.orders, other.orders),
    )


class Change(NamedTuple):
    """What a target would make of its market: the slot's part, and how the market's figures grow with it."""

    slot: Slot
    part: Worst
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
        "taken",
        "yes",
    )

    def __init__(self, net: int, yes: int, no: int, drift: int, error: str = "") -> None:
        """`yes` and `no`: what is lost so far by outcome. `drift`: contracts only the exchange counts."""
        self.net, self.drift, self.error = net, drift, error
        self.yes, self.no = yes, no
        if drift:
            self.yes += ONE_DOLLAR * max(-drift, 0)
            self.no += ONE_DOLLAR * max(drift, 0)
        self.bids = self.asks = NOTHING
        self.parts: dict[Slot, Worst] = {}
        self.taken: set[Slot] = set()
        """Slots whose target was admitted."""
        self.best_bid, self.best_ask = 0, ONE_DOLLAR + 1
        """Of the account's own orders and targets; a price beyond the grid where there is none."""
        self.cash = 0

    def add(self, side: Side, price: int, worst: Worst) -> None:
        """An order that may fill whatever we do."""
        self._note_price(side, price)
        self.yes += worst.yes
        self.no += worst.no
        if side is BID:
            self.bids = together(self.bids, worst) if self.bids.orders else worst
        else:
            self.asks = together(self.asks, worst) if self.asks.orders else worst

    def add_live(self, slot: Slot, price: int, worst: Worst) -> None:
        """A live order of a slot."""
        before = self.parts.get(slot)
        self.parts[slot] = worst if before is None else together(before, worst)
        self.add(slot.side, price, worst)

    def _note_price(self, side: Side, price: int) -> None:
        if side is BID:
            self.best_bid = max(self.best_bid, price)
        else:
            self.best_ask = min(self.best_ask, price)

    def settle(self) -> "MarketRisk":
        """Itself, once every order is added: from here on its cash is kept as well."""
        bids, asks = self.bids, self.asks
        self.cash = self._tied_up(BID, bids.cash, bids.unit) + self._tied_up(ASK, asks.cash, asks.unit)
        return self

    def _tied_up(self, side: Side, cash: int, unit: int) -> int:
        """Both sides hold on their own; the cheapest contracts close the position and hold nothing."""
        closable = -self.net if side is BID else self.net
        return max(cash - closable * unit, 0) if closable > 0 else cash

    def most(self, side: Side) -> int:
        """Net contracts, counted in the direction of `side`, if every order of that side fills."""
        sign = side.sign
        total = self.bids if side is BID else self.asks
        return sign * self.net + max(sign * self.drift, 0) + total.contracts

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
        before = self.parts.get(slot, NOTHING)
        part = worse(before, target)
        side = slot.side
        total = self.bids if side is BID else self.asks
        cash, unit = total.cash + part.cash - before.cash, min(total.unit, part.unit)
        return Change(
            slot,
            part,
            part.yes - before.yes,
            part.no - before.no,
            part.contracts - before.contracts,
            self._tied_up(side, cash, unit) - self._tied_up(side, total.cash, total.unit),
            part.orders - before.orders,
        )

    def take(self, change: Change, price: int) -> None:
        """Count a target that is admitted at this price."""
        slot, part = change.slot, change.part
        before = self.parts.get(slot, NOTHING)
        total = self.bids if slot.side is BID else self.asks
        after = Worst(
            total.yes + change.yes,
            total.no + change.no,
            total.contracts + change.contracts,
            total.cash + part.cash - before.cash,
            min(total.unit, part.unit),
            total.orders + change.orders,
        )
        if slot.side is BID:
            self.bids = after
        else:
            self.asks = after
        self.yes += change.yes
        self.no += change.no
        self.cash += change.cash
        self.parts[slot] = part
        self.taken.add(slot)
        self._note_price(slot.side, price)


def market_risk(
    position: Position | None,
    ours: Sequence[TrackedOrder],
    theirs: Iterable[Order],
    terms: FeeTerms | None,
    drift: int,
) -> MarketRisk:
    """The worst case of one market before any target; fills that are certain but not booked yet are held.

    Raises whatever an odd value raises.
    """
    net = yes = no = 0
    if position is not None and not position.settled:
        net, no = position.net, position.fees - position.cash
        yes = no - ONE_DOLLAR * net
    for order in ours:
        if order.count - order.reduced - order.remaining - order.booked > 0:
            net, yes, no = _with_fill(net, yes, no, order, terms)
    risk = MarketRisk(net, yes, no, drift)
    for order in ours:
        state, slot, price, count = order.state, order.slot, order.price, order.remaining
        if state is CLOSED or not count:
            continue
        worst = worst_fill(slot.side, price, count, terms)
        if state is LIVE:
            risk.add_live(slot, price, worst)
        else:
            risk.add(slot.side, price, worst)
    for row in theirs:
        risk.add(row.side, row.price, worst_fill(row.side, row.price, row.remaining, terms))
    return risk.settle()


def _with_fill(
    net: int, yes: int, no: int, order: TrackedOrder, terms: FeeTerms | None
) -> tuple[int, int, int]:
    """Net and losses after the fills of an order that are certain but not booked yet."""
    sign, count = order.slot.side.sign, order.unbooked
    fee = maker_fee(terms, order.price, count) if terms is not None else 0
    paid = sign * order.price * count + fee
    return net + sign * count, yes + paid - sign * ONE_DOLLAR * count, no + paid


def face_value(
    position: Position | None, ours: Sequence[TrackedOrder], theirs: Iterable[Order], drift: int, error: str
) -> MarketRisk:
    """As if every contract held or resting lost its whole dollar, and all that was ever paid with it.

    For a market whose worst case could not be computed: no less than it, fees apart.
    """
    held = sum(ONE_DOLLAR * order.unbooked for order in ours)
    if position is not None and not position.settled:
        held += ONE_DOLLAR * abs(position.net) + abs(position.cash) + abs(position.fees)
    risk = MarketRisk(0, held, held, drift, error)
    for order in ours:
        if order.open and order.remaining:
            _add_at_face(risk, order.slot.side, order.remaining)
    for row in theirs:
        _add_at_face(risk, row.side, row.remaining)
    return risk.settle()


def _add_at_face(risk: MarketRisk, side: Side, count: Count) -> None:
    """Contracts at the worst price there is. Their fee is not known; it is all that is left out."""
    price = ONE_DOLLAR if side is BID else Price(0)
    risk.add(side, price, worst_fill(side, price, count, None))
