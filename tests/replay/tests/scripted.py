"""A strategy that a test tells what to want."""

from collections.abc import Callable

from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.strategy import StoredMemory
from dora.core.units import Count, Price
from tests.replay.baselines import NoSettings

Answer = Callable[[QuoteInputs], Decision]


class Scripted:
    """Answers as it is told, and keeps what it was asked."""

    settings = NoSettings

    def __init__(self) -> None:
        self.answer: Answer = lambda asked: Decision(ticker=asked.market.ticker)
        self.asked: list[QuoteInputs] = []

    def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        """The answer, and how often it was asked."""
        self.asked.append(inputs)
        looks = (memory or {}).get("looks", 0)
        return self.answer(inputs), {"looks": looks + 1 if isinstance(looks, int) else 0}

    def mark(self, memory: StoredMemory) -> Price | None:
        """Nothing is remembered of prices."""
        return None


def bids(cents: int, contracts: int = 10) -> Answer:
    """A bid in every market."""

    def answer(asked: QuoteInputs) -> Decision:
        ticker = asked.market.ticker
        wanted = TargetOrder(
            slot=Slot(ticker, Side.BID),
            price=Price(cents * 100),
            count=Count(contracts * 100),
            edge=Price(500),
        )
        return Decision(ticker=ticker, targets=(wanted,))

    return answer
