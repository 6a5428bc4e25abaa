"""Whose profit a fill or a payout is: the strategy that quotes the market, and the session of the order."""

from collections.abc import Iterable, Mapping

from dora.core.accounts.posting import Attribution
from dora.core.exchange.account import Fill
from dora.core.orders.journal import Journal, TrackedOrder
from dora.core.session import SessionMetadata

UNCONFIGURED = "unconfigured"
"""Stands for the strategy of a market that is not configured any more."""


class Earners:
    """Of one cycle. An order from before the session is of one that is not known any more."""

    def __init__(
        self, session: SessionMetadata | None, journal: Journal, strategies: Mapping[str, str]
    ) -> None:
        self._session, self._orders, self._strategies = session, journal.by_order_id(), strategies

    def of_fills(self, fills: Iterable[Fill]) -> dict[str, Attribution]:
        """By order id, for those of the fills' orders that are ours."""
        ids = {fill.order_id for fill in fills} & self._orders.keys()
        return {order_id: self._of_order(self._orders[order_id]) for order_id in ids}

    def of_market(self, ticker: str) -> Attribution:
        """For what no single order earns."""
        return Attribution(self._strategy(ticker), self._session.session_id if self._session else "")

    def _of_order(self, order: TrackedOrder) -> Attribution:
        since_ms = self._session.created_at_ms if self._session else 0
        if max(order.sent_ms, order.write_ms) < since_ms:
            return Attribution(self._strategy(order.slot.ticker), "")
        return self.of_market(order.slot.ticker)

    def _strategy(self, ticker: str) -> str:
        return self._strategies.get(ticker, UNCONFIGURED)
