"""A strategy of one's own: a fixed distance from fair value, further away while the book is thin."""

from dataclasses import dataclass

from dora.core.config_fields import Checked, contracts, price
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.ladder import NANO, NANO_PER_PRICE
from dora.core.quoting.strategy import StoredMemory
from dora.core.quoting.two_sided import Wanted, two_sided
from dora.core.quoting.watch import Unquoted, watch
from dora.core.units import Count, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthSettings(Checked):
    distance: Price = price("0.0001", "0.5", "0.03")
    thin_below: Count = contracts("0", "1000000", "100")


class WidthMaker:
    settings = WidthSettings

    def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        seen = watch(inputs, memory)
        if isinstance(seen, Unquoted):
            return seen
        own = inputs.config.settings
        assert isinstance(own, WidthSettings)
        book = inputs.book
        thin = book is None or book.bids[0].count + book.asks[0].count < own.thin_below
        fair, far = round(seen.fair.value * NANO), own.distance * NANO_PER_PRICE * (2 if thin else 1)
        targets, dropped = two_sided(inputs, seen.fair, Wanted(fair, fair - far, fair + far))
        decision = Decision(inputs.market.ticker, targets, dropped=dropped, fair_value=seen.fair.value)
        return decision, seen.memory.stored()

    def mark(self, memory: StoredMemory) -> Price | None:
        return None
