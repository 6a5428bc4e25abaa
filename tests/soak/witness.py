"""What is seen of a day on the exchange itself: every event, intent and quote."""

from dataclasses import dataclass, field
from hashlib import sha256

from tests.simulator.invariants import Breach
from tests.simulator.model import Event
from tests.soak.faulty_bot import MemoryDisruption
from tests.world.world import MINUTE_MS, World

SIDES = ("bid", "ask")
NEW_ORDER = "order"
LOOKED_AFTER_MS = MINUTE_MS // 2
"""How long after each tick the quotes are counted."""
LONGEST_HOLD_MS = 5 * MINUTE_MS
"""A slot that is frozen for longer than this is no longer excused: a bot that freezes for ever must fail."""

Slot = tuple[str, str]


@dataclass(slots=True)
class Sample:
    """The slots in which one order of ours stands, and those that the bot has to leave alone."""

    at_ms: int
    quoted: frozenset[Slot]
    frozen: frozenset[Slot]


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
        self._slots = [(market.ticker, side) for market in world.setup.markets for side in SIDES]
        self._prefix = world.exchange.invariants.expectations.prefix
        self._digest = sha256()
        self.seen = Seen()
        world.exchange.observers.append(self._hear)
        world.clock.at(world.next_tick_ms() + LOOKED_AFTER_MS, self._look)

    def finished(self) -> Seen:
        """All of it, with a digest of every event: equal for equal runs."""
        self.seen.digest = self._digest.hexdigest()
        return self.seen

    def _hear(self, event: Event) -> None:
        self.seen.events += 1
        self._digest.update(repr(event).encode())
        if event.kind == NEW_ORDER and event.client_order_id.startswith(self._prefix):
            self._check_intent(event)

    def _check_intent(self, event: Event) -> None:
        """I4: what reaches the exchange was durable before."""
        self.seen.intents += 1
        stored, client_id = self._faults.stored, event.client_order_id
        planned = (place.client_order_id for plan in stored.plans.values() for place in plan.places)
        if client_id not in stored.state.journal.orders and client_id not in planned:
            text = f"order {event.order_id} of {event.ticker} {event.side} has no durable intent"
            self._world.exchange.invariants.broken.append(Breach("I4", event.at_ms, text))

    def _look(self) -> None:
        now_ms = self._world.clock.now_ms()
        quoted = frozenset(slot for slot in self._slots if len(self._world.resting(*slot)) == 1)
        self.seen.samples.append(Sample(now_ms, quoted, frozen(self._faults, now_ms)))
        if now_ms + MINUTE_MS < self._until_ms:
            self._world.clock.at(now_ms + MINUTE_MS, self._look)


def frozen(faults: MemoryDisruption, now_ms: int) -> frozenset[Slot]:
    """Slots with a write of which nobody knows what became, and not for too long."""
    stored = faults.stored
    since_ms = now_ms - LONGEST_HOLD_MS
    unanswered = {
        (order.slot.ticker, str(order.slot.side))
        for order in stored.state.journal.orders.values()
        if order.open and str(order.state) != "live" and order.sent_ms > since_ms
    }
    planned = {
        (place.slot.ticker, str(place.slot.side))
        for plan in stored.plans.values()
        if plan.until_ms > since_ms
        for place in plan.places
    }
    return frozenset(unanswered | planned)
