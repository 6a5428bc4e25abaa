"""I5: once nothing goes wrong any more, what rests is what was last decided, and no write is unresolved.

Judged by what the engine holds, right after a cycle. What a bot that does everything right may still lack:
a slot whose order traded since the tick, as many slots as the cycle says it refused to fill (a cap) or was
refused by the exchange (a price that crossed meanwhile), and a create that was never answered, until the
second cycle after its hold: the first of them probes its id, the next one reads what came of that. Nothing
excuses an order that is not wanted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from dora.core.config import MarketConfig
from dora.core.fallbacks import UNCONFIGURED
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.reconciliation import ORPHAN_LEVEL
from dora.core.orders.slot_plan import slot_key
from dora.core.reasons import Reason
from dora.core.units import CONTRACT
from dora.flow.cycle.inputs import SAID
from tests.simulator.model import Order
from tests.soak.faulty_bot import MemoryDisruption
from tests.soak.witness import Slot, Witness
from tests.world.bot import Answer
from tests.world.promises import read_as_the_bot_does
from tests.world.world import MINUTE_MS, World

_TARGET = re.compile(r"(bid|ask)(\d+)@(\d+)x(\d+)")
HOLD_MS = UNCONFIGURED.unknown_create_hold_s * 1000
_NO_EXCUSE = (f"slots_{Reason.SLOT_UNRESOLVED}", f"slots_{Reason.CANCEL_UNCONFIRMED}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One decided quote."""

    price_e4: int
    count_e2: int


class Settlement:
    """Compares one world's orders with its bot's decisions. `checked` counts the slots compared."""

    def __init__(self, world: World, faults: MemoryDisruption, witness: Witness) -> None:
        self._world, self._faults, self._witness = world, faults, witness
        items = world.setup.items.items()
        self._configs = {ticker: read_as_the_bot_does(ticker, item) for ticker, item in items}
        self.checked = 0

    def unsettled(self, tick_ms: int, answer: Answer) -> list[str]:
        """What is not as it should be after this cycle, in words."""
        found = self._unresolved(tick_ms)
        if answer["status"] != "completed":
            return [*found, f"the cycle is {answer['status']}: {answer.get('reason')}"]
        wanted, live = self._wanted(), self._live()
        self.checked += len(wanted.keys() | live.keys())
        found += [f"{_text(slot)}: rests and is not wanted" for slot in sorted(live.keys() - wanted.keys())]
        traded = self._traded(tick_ms)
        missing = sorted(wanted.keys() - live.keys() - traded - self._held(tick_ms))
        if len(missing) > self._excused(answer):
            found += [f"{_text(slot)}: wanted and nothing rests" for slot in missing]
        for slot in sorted(wanted.keys() & live.keys() - traded):
            found += self._differs(slot, wanted[slot], live[slot])
        return found

    def _unresolved(self, tick_ms: int) -> list[str]:
        stored = self._faults.stored
        orders = stored.state.journal.orders.values()
        unproven = [order for order in orders if order.open and not _may_stand(order, tick_ms)]
        found = [f"{slot_key(order.slot)}: {order.state}" for order in unproven]
        return found + [f"plan {name} is not finished" for name in stored.plans]

    def _held(self, tick_ms: int) -> set[Slot]:
        """Slots that may not be filled again yet: nobody can know what became of their create."""
        orders = self._faults.stored.state.journal.orders.values()
        held = (o.slot for o in orders if o.state is OrderState.PENDING_NEW and _may_stand(o, tick_ms))
        return {(slot.ticker, str(slot.side), slot.level) for slot in held}

    def _wanted(self) -> dict[Slot, Wanted]:
        """The decisions that the bot keeps, to see whether they change."""
        said: Mapping[str, str] = self._faults.stored.state.memory.get(SAID, {})
        return {
            (ticker, side, int(level)): Wanted(int(price), int(count))
            for ticker, text in said.items()
            for side, level, price, count in _TARGET.findall(text)
        }

    def _live(self) -> dict[Slot, list[Order]]:
        found: dict[Slot, list[Order]] = {}
        for order in self._world.member.resting.values():
            found.setdefault(self._slot(order), []).append(order)
        return found

    def _traded(self, tick_ms: int) -> set[Slot]:
        """Slots with a fill since the cycle began."""
        fills = takewhile(lambda fill: fill.at_ms >= tick_ms, reversed(self._world.member.fills))
        return {self._slot(fill.order) for fill in fills}

    def _slot(self, order: Order) -> Slot:
        level = self._witness.level_of(order.client_order_id)
        return order.market.ticker, order.side, ORPHAN_LEVEL if level is None else level

    def _excused(self, answer: Answer) -> int:
        record = self._faults.stored.summaries[str(answer["cycle_id"])]
        refused = [n for name, n in record.items() if name.startswith("slots_") and name not in _NO_EXCUSE]
        return int(answer["failed"]) + sum(int(str(number)) for number in refused)

    def _differs(self, slot: Slot, wanted: Wanted, live: list[Order]) -> list[str]:
        config = self._configs[slot[0]]
        held = [(order.price_e4, order.remaining_e2) for order in live]
        if len(held) == 1 and _answers(wanted, held[0][0], held[0][1], config):
            return []
        return [f"{_text(slot)}: {wanted} decided, {held} rest"]


def _may_stand(order: TrackedOrder, tick_ms: int) -> bool:
    """Live, or a create of which the cycle before this tick could not yet probe the id."""
    if order.state is OrderState.PENDING_NEW and order.order_id is None:
        return tick_ms - MINUTE_MS <= order.sent_ms + HOLD_MS
    return order.state is OrderState.LIVE


def _answers(wanted: Wanted, price_e4: int, remaining_e2: int, config: MarketConfig) -> bool:
    """At the price decided (the soak allows no tolerance), and not so small that it must be refilled."""
    least_e2 = max(wanted.count_e2 * config.refill_below // 100, min(CONTRACT, wanted.count_e2))
    return price_e4 == wanted.price_e4 and least_e2 <= remaining_e2 <= wanted.count_e2


def _text(slot: Slot) -> str:
    return " ".join(map(str, slot))
