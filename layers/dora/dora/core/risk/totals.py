"""What the account may lose, spend and rest in all: sums over its markets, kept up to date by `take`."""

from dora.core.reasons import Reason
from dora.core.risk.event_risk import EventRisk
from dora.core.risk.facts import RiskFacts
from dora.core.risk.market_risk import Change, MarketRisk
from dora.core.risk.risk_groups import RiskGroups
from dora.core.risk.worst_cases import worst_cases
from dora.core.units import Count, Money


class Totals:
    """The worst cases of all markets and events so far. Nothing is summed again for a further target."""

    def __init__(self, facts: RiskFacts) -> None:
        self._facts = facts
        self.worst = worst_cases(facts)
        """By ticker."""
        self.event_of: dict[str, EventRisk] = {}
        """By ticker."""
        self._events: dict[str, EventRisk] = {}
        self._shard_of = _shards(facts)
        self.cash_free = {shard: cash - facts.limits.cash_reserve for shard, cash in facts.cash.items()}
        self._open_orders = 0
        for ticker, worst in self.worst.items():
            self._include(ticker, worst)
        self.loss = sum([event.loss for event in self._events.values()])
        """If every event goes the worst way."""
        self._groups = RiskGroups(self.event_of, facts.configs)
        self.contracts_free = facts.contracts_free

    def _include(self, ticker: str, worst: MarketRisk) -> None:
        self.event_of[ticker] = event = self._event(ticker)
        event.add(ticker, worst.yes, worst.no)
        self._spend(ticker, worst.cash)
        self._open_orders += worst.open_orders

    def _event(self, ticker: str) -> EventRisk:
        market = self._facts.markets.get(ticker)
        name = ticker if market is None else market.event_ticker
        found = self._events.get(name)
        if found is None:
            known = self._facts.events.get(name)
            found = self._events[name] = EventRisk(exclusive=known is not None and known.exclusive)
        return found

    def _spend(self, ticker: str, amount: int) -> None:
        shard = self._shard_of.get(ticker)
        if shard in self.cash_free:
            self.cash_free[shard] -= amount

    @property
    def orders_free(self) -> int:
        """Orders that may still be opened; below zero where more are open than may be."""
        return self._facts.limits.max_open_orders - self._open_orders

    @property
    def event_losses(self) -> dict[str, Money]:
        """Worst loss by event ticker."""
        return {name: Money(event.loss) for name, event in sorted(self._events.items())}

    def loss_with(self, ticker: str, change: Change) -> int:
        """What the market's event would lose at worst."""
        worst = self.worst[ticker]
        return self.event_of[ticker].loss_with(ticker, worst.yes + change.yes, worst.no + change.no)

    def broken_loss(self, ticker: str, loss: int) -> Reason | None:
        """The first limit that is broken, and was kept before, if the market's event lost this much."""
        event, limits = self.event_of[ticker], self._facts.limits
        now = event.loss
        if loss > max(limits.max_event_loss, now):
            return Reason.EVENT_CAP
        if self._groups.losses and self._groups.broken(event, loss, limits.max_risk_group_loss):
            return Reason.RISK_GROUP_CAP
        grown = self.loss - now + loss
        return Reason.TOTAL_CAP if grown > max(limits.max_total_loss, self.loss) else None

    def take(self, ticker: str, change: Change, price: int) -> None:
        """Count a target that is admitted at this price."""
        worst, event = self.worst[ticker], self.event_of[ticker]
        worst.take(change, price)
        before = event.loss
        event.update(ticker, worst.yes, worst.no)
        self.loss += event.loss - before
        if self._groups.losses:
            self._groups.grow(event, event.loss - before)
        self._spend(ticker, change.cash)
        self._open_orders += change.orders
        if self.contracts_free is not None:
            self.contracts_free = Count(self.contracts_free - change.contracts)


def _shards(facts: RiskFacts) -> dict[str, int]:
    """Where each market's cash lies; of a market that is not known its orders say so."""
    theirs = {row.ticker: row.shard for row in facts.external}
    ours = {order.slot.ticker: order.shard for order in facts.orders}
    return theirs | ours | {ticker: market.shard for ticker, market in facts.markets.items()}
