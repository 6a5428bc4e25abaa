"""The worst that positions and open orders can do, exactly: contracts, loss by outcome, and cash tied up.

Everything that may fill is a `Claim`. Nothing is assumed about which claims fill: for every outcome each
claim fills if that hurts. A slot's live order and its target never both fill in full, because a placement
waits for the confirmed cancel, so a slot counts the worse of the two; an order whose fate is unknown holds
its slot and is added.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from dora.core.model import Side, Slot
from dora.core.units import ONE, Count, Money, Price, value_of


@dataclass(frozen=True, slots=True)
class Claim:
    """Contracts that may fill at a price, and the fee of filling them all."""

    side: Side
    price: Price
    count: Count
    fee: Money = Money(0)


class Loss(NamedTuple):
    """Dollars lost (negative: won) when the market resolves yes, and when it resolves no."""

    yes: int
    no: int

    def plus(self, other: "Loss") -> "Loss":
        """Both together."""
        return Loss(self.yes + other.yes, self.no + other.no)


NOTHING = Loss(0, 0)


def fill_loss(claim: Claim) -> Loss:
    """What the fill of a whole claim loses by outcome."""
    paid = claim.side.sign * value_of(claim.price, claim.count) + claim.fee
    payout = claim.side.sign * value_of(ONE, claim.count)
    return Loss(paid - payout, paid)


def held_loss(net: Count, cash: Money) -> Loss:
    """What a position loses by outcome, `cash` being all its flows so far, fees included."""
    return Loss(-cash - value_of(ONE, net), -cash)


def at_worst(claims: Iterable[Claim]) -> Loss:
    """The loss by outcome when exactly the claims fill that hurt in it."""
    losses = [fill_loss(claim) for claim in claims]
    return Loss(sum(max(loss.yes, 0) for loss in losses), sum(max(loss.no, 0) for loss in losses))


def contracts(claims: Iterable[Claim], side: Side) -> int:
    """All contracts of one side."""
    return sum(claim.count for claim in claims if claim.side is side)


def unit_cash(claim: Claim) -> int:
    """What one contract of a flat account's order holds: a bid its price, an ask the rest to $1."""
    return claim.price if claim.side is Side.BID else ONE - claim.price


def flat_cash(claims: Iterable[Claim], side: Side) -> int:
    """What the orders of one side would hold if there were no position."""
    return sum(unit_cash(claim) * claim.count + claim.fee for claim in claims if claim.side is side)


@dataclass(frozen=True, kw_only=True)
class MarketWorst:
    """One market: what is held, what may fill whatever we do, and each slot's live orders and target.

    Without slots, because its answers are asked for again and again and so are kept.
    """

    net: Count = Count(0)
    held: Loss = NOTHING
    unproven: tuple[Claim, ...] = ()
    """Orders of ours whose fate is unknown."""
    foreign: tuple[Claim, ...] = ()
    """Resting orders of this account that are not ours."""
    drift: tuple[Claim, ...] = ()
    """Contracts that only one side's count of the position holds: taken as fills that may yet show up."""
    live: Mapping[Slot, tuple[Claim, ...]] = field(default_factory=dict)
    targets: Mapping[Slot, Claim] = field(default_factory=dict)

    @cached_property
    def firm(self) -> tuple[Claim, ...]:
        """Orders that may fill whatever we do."""
        return (*self.unproven, *self.foreign)

    def resting(self) -> "MarketWorst":
        """Only what is known to rest now: what the exchange already holds cash for."""
        return replace(self, unproven=(), targets={})

    def with_target(self, slot: Slot, claim: Claim) -> "MarketWorst":
        """The market with a target in a slot."""
        return replace(self, targets={**self.targets, slot: claim})

    def most(self, side: Side) -> int:
        """Net contracts, counted in the direction of `side`, if every order of that side fills."""
        slots = sum(
            max(contracts(live, side), contracts(wanted, side)) for live, wanted in self._alternatives
        )
        return side.sign * self.net + contracts((*self.firm, *self.drift), side) + slots

    @cached_property
    def loss(self) -> Loss:
        """Worst loss by outcome over every set of fills."""
        total = self.held.plus(at_worst((*self.firm, *self.drift)))
        for live, wanted in self._alternatives:
            ours, theirs = at_worst(live), at_worst(wanted)
            total = total.plus(Loss(max(ours.yes, theirs.yes), max(ours.no, theirs.no)))
        return total

    @cached_property
    def cash(self) -> Money:
        """Cash tied up at worst; both sides hold on their own, and what closes the position holds nothing.

        The cheapest contracts are taken to be the closing ones: exact for one order a side, else too much.
        """
        return Money(sum(self._side_cash(side) for side in Side))

    def _side_cash(self, side: Side) -> int:
        pairs = self._alternatives
        flat = flat_cash(self.firm, side)
        flat += sum(max(flat_cash(live, side), flat_cash(wanted, side)) for live, wanted in pairs)
        every = (*self.firm, *(claim for pair in pairs for claims in pair for claim in claims))
        units = [unit_cash(claim) for claim in every if claim.side is side]
        closable = max(-side.sign * self.net, 0)
        return max(flat - closable * min(units), 0) if units else 0

    @cached_property
    def open_orders(self) -> int:
        """Orders open at worst."""
        return len(self.firm) + sum(max(len(live), len(wanted)) for live, wanted in self._alternatives)

    def crosses(self, side: Side, price: Price) -> bool:
        """Whether an order at this price would meet one of the account's own on the other side."""
        slots = (claim for pair in self._alternatives for claims in pair for claim in claims)
        return any(
            side.sign * (price - claim.price) >= 0 for claim in (*self.firm, *slots) if claim.side is not side
        )

    @cached_property
    def _alternatives(self) -> list[tuple[tuple[Claim, ...], tuple[Claim, ...]]]:
        return [
            (self.live.get(slot, ()), (self.targets[slot],) if slot in self.targets else ())
            for slot in self.live.keys() | self.targets.keys()
        ]


def event_loss(losses: Iterable[Loss], *, exclusive: bool) -> Money:
    """Worst loss of one event, never below zero: a sure win here pays for no risk elsewhere.

    Exclusive: at most one of its markets resolves yes, perhaps one we do not hold. Otherwise each market
    takes its own worse outcome.
    """
    rows = list(losses)
    if not exclusive:
        return Money(max(sum(max(row) for row in rows), 0))
    best_winner = max((row.yes - row.no for row in rows), default=0)
    return Money(max(sum(row.no for row in rows) + max(best_winner, 0), 0))
