"""The obvious version of what `dora.core.risk.market_risk` keeps in running sums.

The worst that positions and open orders can do, exactly: contracts, loss by outcome, and cash tied up.

Everything that may fill is a `PotentialFill`. Nothing is assumed about which of them do: for every outcome
each one fills if that hurts. A slot's live order and its target never both fill in full, because a placement
waits for the confirmed cancel, so a slot counts the worse of the two; an order whose fate is unknown holds
its slot and is added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from dora.core.exchange.market import Side, Slot
from dora.core.units import ONE_DOLLAR, Count, Money, Price, value_of


@dataclass(frozen=True, slots=True)
class PotentialFill:
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


def fill_loss(claim: PotentialFill) -> Loss:
    """What the fill of a whole claim loses by outcome."""
    paid = claim.side.sign * value_of(claim.price, claim.count) + claim.fee
    payout = claim.side.sign * value_of(ONE_DOLLAR, claim.count)
    return Loss(paid - payout, paid)


def held_loss(net: Count, cash: Money) -> Loss:
    """What a position loses by outcome, `cash` being all its flows so far, fees included."""
    return Loss(-cash - value_of(ONE_DOLLAR, net), -cash)


def at_worst(claims: Iterable[PotentialFill]) -> Loss:
    """The loss by outcome when exactly the claims fill that hurt in it."""
    losses = [fill_loss(claim) for claim in claims]
    return Loss(sum(max(loss.yes, 0) for loss in losses), sum(max(loss.no, 0) for loss in losses))


def contracts(claims: Iterable[PotentialFill], side: Side) -> int:
    """All contracts of one side."""
    return sum(claim.count for claim in claims if claim.side is side)


def unit_cash(claim: PotentialFill) -> int:
    """What one contract of a flat account's order holds: a bid its price, an ask the rest to $1."""
    return claim.price if claim.side is Side.BID else ONE_DOLLAR - claim.price


class _SideWorst(NamedTuple):
    """The worst of some claims of one side, summed up once: a market is judged again for every target."""

    loss: Loss
    contracts: int
    cash: int
    """As if there were no position."""
    cheapest: int
    """What the cheapest contract holds, at most $1."""
    orders: int


def _part(claims: Iterable[PotentialFill], side: Side) -> _SideWorst:
    return _together([_alone(claim) for claim in claims if claim.side is side])


def _alone(claim: PotentialFill) -> _SideWorst:
    loss, unit = fill_loss(claim), unit_cash(claim)
    worst = Loss(max(loss.yes, 0), max(loss.no, 0))
    return _SideWorst(worst, claim.count, unit * claim.count + claim.fee, unit, 1)


def _worse(one: _SideWorst, other: _SideWorst) -> _SideWorst:
    """Of two that exclude each other the worse, figure by figure."""
    return _SideWorst(
        Loss(max(one.loss.yes, other.loss.yes), max(one.loss.no, other.loss.no)),
        max(one.contracts, other.contracts),
        max(one.cash, other.cash),
        min(one.cheapest, other.cheapest),
        max(one.orders, other.orders),
    )


def _together(parts: Sequence[_SideWorst]) -> _SideWorst:
    """All of them: each may fill whatever the others do."""
    if len(parts) == 1:
        return parts[0]
    return _SideWorst(
        Loss(sum(part.loss.yes for part in parts), sum(part.loss.no for part in parts)),
        sum(part.contracts for part in parts),
        sum(part.cash for part in parts),
        min((part.cheapest for part in parts), default=ONE_DOLLAR),
        sum(part.orders for part in parts),
    )


@dataclass(frozen=True, kw_only=True)
class MarketWorst:
    """One market: what is held, what may fill whatever we do, and each slot's live orders and target.

    Without slots, because its answers are asked for again and again and so are kept.
    """

    net: Count = Count(0)
    held: Loss = NOTHING
    unproven: tuple[PotentialFill, ...] = ()
    """Orders of ours whose fate is unknown."""
    external: tuple[PotentialFill, ...] = ()
    """Resting orders of this account that are not ours."""
    drift: tuple[PotentialFill, ...] = ()
    """Contracts that only one side's count of the position holds: taken as fills that may yet show up."""
    live: Mapping[Slot, tuple[PotentialFill, ...]] = field(default_factory=dict)
    """Claims are all of their slot's side."""
    targets: Mapping[Slot, PotentialFill] = field(default_factory=dict)
    error: str = ""
    """Why the worst case could not be computed: what stands here is then no less than it."""

    def measured(self) -> "MarketWorst":
        """Itself, its figures computed now: an odd value raises here, not in the middle of other markets."""
        _ = (self.loss, self.cash, self.open_orders)
        return self

    @cached_property
    def firm(self) -> tuple[PotentialFill, ...]:
        """Orders that may fill whatever we do."""
        return (*self.unproven, *self.external)

    def with_target(self, slot: Slot, claim: PotentialFill) -> "MarketWorst":
        """The market with a target in a slot; what was summed up of everything else is taken over."""
        after = replace(self, targets={**self.targets, slot: claim})
        kept = vars(after)
        kept["_firm"], kept["_live"] = self._firm, self._live
        kept["_slots"] = {**self._slots, slot: after._slot(slot)}
        kept["_totals"] = {**self._totals, slot.side: after._total(slot.side)}
        return after

    def most(self, side: Side) -> int:
        """Net contracts, counted in the direction of `side`, if every order of that side fills."""
        return side.sign * self.net + contracts(self.drift, side) + self._totals[side].contracts

    @cached_property
    def loss(self) -> Loss:
        """Worst loss by outcome over every set of fills."""
        drift, bids, asks = at_worst(self.drift), self._totals[Side.BID].loss, self._totals[Side.ASK].loss
        return self.held.plus(drift).plus(bids).plus(asks)

    @cached_property
    def cash(self) -> Money:
        """Cash tied up at worst; both sides hold on their own, and what closes the position holds nothing.

        The cheapest contracts are taken to be the closing ones: exact for one order a side, else too much.
        """
        return Money(sum(self._side_cash(side) for side in Side))

    def _side_cash(self, side: Side) -> int:
        total, closable = self._totals[side], max(-side.sign * self.net, 0)
        return max(total.cash - closable * total.cheapest, 0)

    @property
    def open_orders(self) -> int:
        """Orders open at worst."""
        return sum(total.orders for total in self._totals.values())

    @property
    def slot_contracts(self) -> int:
        """Contracts that slots may hold at worst, whichever side they are on."""
        return sum(part.contracts for part in self._slots.values())

    def crosses(self, side: Side, price: Price) -> bool:
        """Whether an order at this price would meet one of the account's own on the other side."""
        live = (claim for claims in self.live.values() for claim in claims)
        return any(
            claim.side is not side and side.sign * (price - claim.price) >= 0
            for claim in (*self.firm, *live, *self.targets.values())
        )

    @cached_property
    def _firm(self) -> dict[Side, _SideWorst]:
        return {side: _part(self.firm, side) for side in Side}

    @cached_property
    def _live(self) -> dict[Slot, _SideWorst]:
        return {slot: _part(claims, slot.side) for slot, claims in self.live.items()}

    @cached_property
    def _slots(self) -> dict[Slot, _SideWorst]:
        return {slot: self._slot(slot) for slot in self.live.keys() | self.targets.keys()}

    @cached_property
    def _totals(self) -> dict[Side, _SideWorst]:
        return {side: self._total(side) for side in Side}

    def _slot(self, slot: Slot) -> _SideWorst:
        live, wanted = self._live.get(slot), self.targets.get(slot)
        if wanted is None:
            return live or _part((), slot.side)
        return _alone(wanted) if live is None else _worse(live, _alone(wanted))

    def _total(self, side: Side) -> _SideWorst:
        """Of one side: what may fill whatever we do, and the worse of each slot."""
        slots = [part for slot, part in self._slots.items() if slot.side is side]
        return _together([self._firm[side], *slots])


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
