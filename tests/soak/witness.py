"""What is seen of a day on the exchange itself: every event, intent and quote."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import takewhile

from dora.core.exchange.market import Slot as OrderSlot
from dora.flow.cycle.inputs import SAID
from tests.simulator.groups import Group
from tests.simulator.invariants import Breach
from tests.simulator.model import Event, Fill
from tests.soak.faulty_bot import MemoryDisruption
from tests.world.memory_cloud import Partition
from tests.world.world import MINUTE_MS, World

NEW_ORDER = "order"
LOOKED_AFTER_MS = MINUTE_MS // 2
"""How long after each tick the quotes are counted."""
LONGEST_HOLD_MS = 5 * MINUTE_MS
"""A slot that is frozen for longer than this is no longer excused: a bot that freezes for ever must fail."""
LONGEST_REST_MS = 5 * MINUTE_MS
"""An event whose order group a match tripped is quoted again by then, and no longer excused."""

Slot = tuple[str, str, int]
"""Market, side and level."""


@dataclass(slots=True)
class Sample:
    """The slots in which one order of ours stands, and those that the bot has to leave alone.

    `skips`: why markets are not quoted at all, by the last decisions. `resting`: markets whose event has an
    order group of its own, which a match tripped a few minutes ago.
    """

    at_ms: int
    quoted: frozenset[Slot]
    frozen: frozenset[Slot]
    skips: Mapping[str, str] = field(default_factory=dict)
    resting: frozenset[str] = frozenset()


@dataclass
class Seen:
    """What a day leaves behind."""

    samples: list[Sample] = field(default_factory=list)
    events: int = 0
    intents: int = 0
    digest: str = ""


class Witness:
    """Looks on from outside; looking changes nothing."""

    def __init__(self, world: World, faults: MemoryDisruption, until_ms: int) -> None:
        self._world, self._faults, self._until_ms = world, faults, until_ms
        self._levels: dict[str, int] = {}
        expectations = world.exchange.invariants.expectations
        expectations.level_of = self.level_of
        self._prefix = expectations.prefix
        self._digest = sha256()
        self.seen = Seen()
        world.exchange.observers.append(self._hear)
        world.clock.at(world.next_tick_ms() + LOOKED_AFTER_MS, self._look)

    def finished(self) -> Seen:
        """All of it, with a digest of every event: equal for equal runs."""
        self.seen.digest = self._digest.hexdigest()
        return self.seen

    def level_of(self, client_order_id: str) -> int | None:
        """The level that the order was meant for, by its durable intent; None if there never was one."""
        if client_order_id not in self._levels:
            slot = _intended(self._faults.stored, client_order_id)
            if slot is None:
                return None
            self._levels[client_order_id] = slot.level
        return self._levels[client_order_id]

    def _hear(self, event: Event) -> None:
        self.seen.events += 1
        self._digest.update(repr(event).encode())
        if event.kind == NEW_ORDER and event.client_order_id.startswith(self._prefix):
            self._check_intent(event)

    def _check_intent(self, event: Event) -> None:
        """I4: what reaches the exchange was durable before."""
        self.seen.intents += 1
        if self.level_of(event.client_order_id) is None:
            text = f"order {event.order_id} of {event.ticker} {event.side} has no durable intent"
            self._world.exchange.invariants.broken.append(Breach("I4", event.at_ms, text))

    def _look(self) -> None:
        now_ms = self._world.clock.now_ms()
        stored = self._faults.stored.state
        said: Mapping[str, str] = stored.memory.get(SAID, {})
        skips = {ticker: own for ticker, own in said.items() if own and "@" not in own}
        resting = self._resting(now_ms)
        self.seen.samples.append(Sample(now_ms, self._quoted(), frozen(self._faults, now_ms), skips, resting))
        if now_ms + MINUTE_MS < self._until_ms:
            self._world.clock.at(now_ms + MINUTE_MS, self._look)

    def _resting(self, now_ms: int) -> frozenset[str]:
        """No group that the bot itself triggered counts: only one that a fill tripped."""
        if not self._world.exchange.invariants.expectations.group_per_event:
            return frozenset()
        groups, fills = self._world.member.groups, reversed(self._world.member.fills)
        young = takewhile(lambda fill: fill.at_ms > now_ms - LONGEST_REST_MS, fills)
        tripped = {fill.order.market.spec.event_ticker for fill in young if _trips(groups, fill)}
        markets = self._world.exchange.venue.markets.values() if tripped else ()
        return frozenset(market.ticker for market in markets if market.spec.event_ticker in tripped)

    def _quoted(self) -> frozenset[Slot]:
        standing = Counter(
            (order.market.ticker, order.side, self.level_of(order.client_order_id))
            for order in self._world.member.resting.values()
            if order.booked and order.client_order_id.startswith(self._prefix)
        )
        return frozenset(
            (t, s, level) for (t, s, level), n in standing.items() if n == 1 and level is not None
        )


def _intended(stored: Partition, client_order_id: str) -> OrderSlot | None:
    order = stored.state.journal.orders.get(client_order_id)
    if order is not None:
        return order.slot
    planned = (place for plan in stored.plans.values() for place in plan.places)
    return next((place.slot for place in planned if place.client_order_id == client_order_id), None)


def frozen(faults: MemoryDisruption, now_ms: int) -> frozenset[Slot]:
    """Slots with a write of which nobody knows what became, and not for too long."""
    stored = faults.stored
    since_ms = now_ms - LONGEST_HOLD_MS
    unanswered = {
        _key(order.slot)
        for order in stored.state.journal.orders.values()
        if order.open and str(order.state) != "live" and order.sent_ms > since_ms
    }
    planned = {
        _key(place.slot)
        for plan in stored.plans.values()
        if plan.until_ms > since_ms
        for place in plan.places
    }
    return frozenset(unanswered | planned)


def _trips(groups: Mapping[str, Group], fill: Fill) -> bool:
    """Whether the group of its order tripped at the time of that fill."""
    group = groups.get(fill.order.group_id)
    return group is not None and any(row.tripped and row.at_ms == fill.at_ms for row in group.rows)


def _key(slot: OrderSlot) -> Slot:
    return slot.ticker, str(slot.side), slot.level
