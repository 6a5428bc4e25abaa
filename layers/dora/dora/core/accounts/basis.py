"""What the open contracts of one market cost, by average cost, in whole millionths of a dollar.

YES and NO contracts net to one signed count, and the exchange pays a pair of them out as a dollar at once. A
fill therefore first closes what stands against it and then opens the rest on its own leg: a bid buys YES at
its price, an ask buys NO at a dollar less its price.

Rounding: contracts that are closed take their share of the cost along, rounded down to 1e-6 $. What is
rounded off stays with the contracts that are left, and the last of them takes all of it, so no part of a
cost is ever lost: whatever was realised, less what is still open at cost, is the cash that moved.
"""

from typing import NamedTuple

from dora.core.units import ONE_DOLLAR, Count, Money, Price


class Basis(NamedTuple):
    """Net YES contracts (below zero: NO), and what they cost on their own leg; never below zero."""

    net: Count
    cost: Money


FLAT = Basis(Count(0), Money(0))


def after_trade(before: Basis, signed: Count, price: Price) -> Basis:
    """The basis after a fill of `signed` contracts (below zero: an ask) at a YES price."""
    net, cost = before
    against = abs(net) if net * signed < 0 else 0
    closed = min(against, abs(signed))
    released = cost * closed // against if closed else 0
    opened = (abs(signed) - closed) * (price if signed > 0 else ONE_DOLLAR - price)
    return Basis(Count(net + signed), Money(cost - released + opened))


def cost_in_yes(basis: Basis) -> Money:
    """The cost with NO contracts counted as YES contracts sold: their price is what the sale brought in."""
    return Money(basis.cost - pledged(basis.net))


def pledged(net: Count) -> Money:
    """The dollars that NO contracts hold beyond what selling YES brought in: one for each of them."""
    return Money(ONE_DOLLAR * max(-net, 0))
