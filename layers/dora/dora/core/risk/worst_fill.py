"""The worst that single orders can do, and how that of several adds up. Money counts 1e-6 $."""

from functools import partial
from typing import NamedTuple

from dora.core.exchange.fees import FeeTerms, maker_fee
from dora.core.exchange.market import Side
from dora.core.units import ONE_DOLLAR, Count, Price

BID = Side.BID


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
made = partial(tuple.__new__, Worst)
"""`Worst` of a tuple in its order, without a call in between: a third less time for each order."""


def worst_fill(side: Side, price: Price, count: Count, terms: FeeTerms | None) -> Worst:
    """One order that fills if that hurts, its fee included; a price of $1 or 0 is the worst there is."""
    fee = maker_fee(terms, price, count) if terms is not None and terms.maker_rate_e8 != 0 else 0
    unit: int = price if side is BID else ONE_DOLLAR - price
    cash = unit * count + fee
    wrong = cash if cash > 0 else 0
    """Lost when the market resolves against the order."""
    won = (ONE_DOLLAR - unit) * count
    right = fee - won if fee > won else 0
    """Lost even when it resolves for it: what the fee is beyond what is won."""
    yes, no = (right, wrong) if side is BID else (wrong, right)
    return made((yes, no, count, cash, unit, 1))


def together(one: Worst, other: Worst) -> Worst:
    """Both: each may fill whatever the other does."""
    yes, no, contracts, cash, unit, orders = one
    return made(
        (
            yes + other.yes,
            no + other.no,
            contracts + other.contracts,
            cash + other.cash,
            unit if unit < other.unit else other.unit,
            orders + other.orders,
        )
    )


def worse(one: Worst, other: Worst) -> Worst:
    """Of two that exclude each other the worse, figure by figure."""
    if one is NOTHING:  # No figure of an order is below zero, and no contract holds more than $1.
        return other
    return Worst(
        max(one.yes, other.yes),
        max(one.no, other.no),
        max(one.contracts, other.contracts),
        max(one.cash, other.cash),
        min(one.unit, other.unit),
        max(one.orders, other.orders),
    )
