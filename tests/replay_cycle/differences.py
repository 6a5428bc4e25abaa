"""Two decisions of one cycle, fact by fact: what is not the same in them, in which market."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from dora.core.cycle_record import Decided
from dora.core.exchange.market import Slot
from dora.core.orders.journal import TrackedOrder
from dora.core.quoting.decision import Decision

MODEL_STEP = 1e-9
"""Model values are settled to so many dollars; another machine's last digit may be another."""
SLACK = 1.5
WHOLE_PLAN = ""
"""In place of a market, for what is of the plan as a whole."""

Key = tuple[str, str]
"""A market, and what of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of one market as it was archived and as it was decided again; None: it is not there."""

    market: str
    fact: str
    archived: object
    again: object

    @property
    def tolerable(self) -> bool:
        """Whether it is only the last digit of a model value."""
        return (
            isinstance(self.archived, float)
            and isinstance(self.again, float)
            and abs(self.archived - self.again) <= MODEL_STEP * SLACK
        )


def differences(
    archived: Decided, again: Decided, orders: Mapping[str, TrackedOrder]
) -> tuple[Difference, ...]:
    """By market. `orders`: the journal that both name their kept orders by."""
    known = list(orders.values())
    before, after = dict(_facts(archived, known)), dict(_facts(again, known))
    _drop_redundant(before, after)
    found = tuple(
        Difference(market, fact, before.get((market, fact)), after.get((market, fact)))
        for market, fact in sorted(before.keys() | after.keys())
        if before.get((market, fact)) != after.get((market, fact))
    )
    unnamed = archived != again and not found
    return (Difference(WHOLE_PLAN, "something that has no name here", archived, again),) if unnamed else found


def _drop_redundant(before: dict[Key, object], after: dict[Key, object]) -> None:
    """A sequence of other members is told by their markets."""
    for key in [key for key in before if key[0] == WHOLE_PLAN]:
        if Counter(cast(tuple[object, ...], before[key])) != Counter(cast(tuple[object, ...], after[key])):
            del before[key], after[key]


def _facts(decided: Decided, known: list[TrackedOrder]) -> Iterator[tuple[Key, object]]:
    for decision in decided.decisions:
        yield from (((decision.ticker, fact), value) for fact, value in _of_decision(decision))
    yield from (((market, "failed"), why) for market, why in decided.failed.items())
    yield from _of_plan(decided, known)
    yield from _sequences(decided)


def _of_decision(decision: Decision) -> Iterator[tuple[str, object]]:
    names = ("skip", "error", "fair_value", "fair_value_source", "reservation_price", "half_spread")
    names += ("bid_improvement", "ask_improvement")
    names += ("reward_value", "reward_cost", "reward_rate", "reward_floor")
    yield from ((name, getattr(decision, name)) for name in names)
    for target in decision.targets:
        place = f"target {target.slot.side} {target.slot.level}"
        yield from ((f"{place} {name}", getattr(target, name)) for name in ("price", "count", "edge"))
    yield from ((f"dropped {slot.side} {slot.level}", why) for slot, why in decision.dropped)
    yield from ((f"cut {slot.side} {slot.level}", (why, count)) for slot, why, count in decision.cut)


def _of_plan(decided: Decided, known: list[TrackedOrder]) -> Iterator[tuple[Key, object]]:
    for order in (known[place] for place in decided.kept):
        yield (order.slot.ticker, f"keep {order.client_order_id}"), True
    for cut in decided.decreases:
        yield (cut.ticker, f"decrease {cut.client_order_id}"), cut
    for longer in decided.extends:
        yield (longer.ticker, f"extend {longer.client_order_id}"), longer
    for gone in decided.cancels:
        name = gone.client_order_id
        yield (gone.ticker, f"cancel {name}"), (gone, decided.why.get(name))
    for place in decided.places:
        yield (place.slot.ticker, f"place {_in(place.slot)}"), (place.price, place.count)
    for slot, why in decided.withheld:
        yield (slot.ticker, f"withhold {_in(slot)}"), why


def _sequences(decided: Decided) -> Iterator[tuple[Key, object]]:
    """What goes first when tokens or time run short."""
    yield (WHOLE_PLAN, "sequence of markets"), tuple(decision.ticker for decision in decided.decisions)
    yield (WHOLE_PLAN, "sequence of kept orders"), decided.kept
    yield (WHOLE_PLAN, "sequence of decreases"), tuple(own.client_order_id for own in decided.decreases)
    yield (WHOLE_PLAN, "sequence of extensions"), tuple(own.client_order_id for own in decided.extends)
    yield (WHOLE_PLAN, "sequence of cancels"), tuple(own.client_order_id for own in decided.cancels)
    yield (WHOLE_PLAN, "sequence of placements"), tuple(own.slot for own in decided.places)
    yield (WHOLE_PLAN, "sequence of what is withheld"), tuple(slot for slot, _ in decided.withheld)


def _in(slot: Slot) -> str:
    return f"{slot.side} {slot.level}"
