"""The books of one market: position, cost, profit, fees and volume, exact to 1e-6 $ and in ints alone.

Three identities hold after every entry, by construction and not by reconciliation:

    realised = cash + cost in YES             profit at a mark = realised + unrealised - fees
    what the balance moved = cash - a dollar for each NO contract + cost brought in - fees + rewards

`cash` counts a NO contract as a YES contract sold (`core/accounts/basis.py`). Contracts that an entry brought
in, rather than a fill, were paid for outside these books: their cost is in `brought` and moved no cash of
ours.
"""

from typing import NamedTuple

from dora.core.accounts.basis import Basis, cost_in_yes, pledged
from dora.core.accounts.ledger import Position
from dora.core.units import CONTRACT, Count, Money, Price, TimeMs, value_of


class BookedEvent(NamedTuple):
    """One of the latest events of a market, kept so that a late one can take its place among them.

    A fill: signed contracts, YES price. An entry (`states`): the net position from then on, and its cost.
    """

    at_ms: TimeMs
    states: bool
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in an event
    amount: int

    @property
    def place(self) -> tuple[TimeMs, bool]:
        """What sorts it: an entry speaks of every fill of its own millisecond."""
        return self.at_ms, self.states


class MarketLedger(NamedTuple):
    """One market. Counts are 0.01 contract, money 1e-6 $, NO contracts negative."""

    ticker: str
    shard: int
    net: Count = Count(0)
    cash: Money = Money(0)
    """What fills and payouts brought in, fees apart (negative: spent)."""
    cost: Money = Money(0)
    """Of the open contracts, on their own leg."""
    brought: Money = Money(0)
    """Cost of contracts that entries brought in, less that of contracts they took away."""
    fees: Money = Money(0)
    rewards: Money = Money(0)
    """Credited by the exchange for quoting here."""
    fills: int = 0
    traded: Count = Count(0)
    volume: Money = Money(0)
    """Dollars traded, each fill at the price of the leg that it bought."""
    marked: Money = Money(0)
    """Unrealised profit as the profit rows hold it: that of the last day's edge."""
    unexplained: Count = Count(0)
    """Contracts that adjusting entries brought in and no fill has explained since."""
    filled_ms: TimeMs = TimeMs(0)
    """Time of the latest fill."""
    opened_ms: TimeMs = TimeMs(0)
    """When an opening position was taken over: fills up to then are part of it. 0: never."""
    adjusted_ms: TimeMs = TimeMs(0)
    """Date of the latest adjusting entry. 0: none."""
    base_net: Count = Count(0)
    base_cost: Money = Money(0)
    """Position and cost before the events in `recent`."""
    recent: tuple[BookedEvent, ...] = ()
    settled: bool = False
    result: str = ""
    value: Price = Price(0)
    """What one YES contract was worth, where the result names a value."""
    settled_ms: TimeMs = TimeMs(0)
    settled_net: Count = Count(0)
    settled_cost: Money = Money(0)
    """The position that was paid out."""
    paid: Money = Money(0)

    @property
    def basis(self) -> Basis:
        """The open position."""
        return Basis(self.net, self.cost)

    @property
    def position(self) -> Position:
        """What risk goes by, and what versions before these books have kept of a market."""
        return Position(
            ticker=self.ticker,
            shard=self.shard,
            net=self.net,
            cash=self.cash,
            fees=self.fees,
            traded=self.traded,
            settled=self.settled,
        )

    @property
    def realised(self) -> Money:
        """Profit of what is closed, fees apart."""
        return Money(self.cash + cost_in_yes(self.basis))

    @property
    def average_cost(self) -> Money:
        """Of one open contract on its own leg, rounded down to 1e-6 $; for people to read."""
        return Money(self.cost * CONTRACT // abs(self.net)) if self.net else Money(0)

    @property
    def movement(self) -> Money:
        """What these books say the exchange's balance moved since they were opened."""
        return Money(self.cash - pledged(self.net) + self.brought - self.fees + self.rewards)

    def unrealised(self, mark: Price) -> Money:
        """Profit of the open position if a YES contract were worth `mark`; irrelevant when flat."""
        return Money(value_of(mark, self.net) - cost_in_yes(self.basis))

    def profit(self, mark: Price) -> Money:
        """All of it at that mark, fees in, rewards apart."""
        return Money(self.cash + value_of(mark, self.net) - self.fees)
