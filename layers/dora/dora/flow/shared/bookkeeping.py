"""The books of one cycle: what is worked out of them is stored before anything goes by it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dora.core.accounts.carry_over import carry_over, cost_of
from dora.core.accounts.cash_tie import CashBooks, UnexplainedCash
from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import Attribution, Posting, post_fills
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.retirement import readmit, retire, totals_of
from dora.core.accounts.rewards import Reward, explained, post_rewards
from dora.core.accounts.row_sums import added
from dora.core.accounts.settlement import latest_payouts
from dora.core.accounts.stored_books import (
    MARKETS_PER_TRANSACTION,
    BookChange,
    Booking,
    fitting,
    outdated,
)
from dora.core.errors import StateConflict
from dora.core.exchange.account import ExchangePosition, Fill, Settlement
from dora.core.orders.batches import split
from dora.core.ports import Ports
from dora.core.units import Count, format_count, format_money


class Bookkeeper:
    """Books and positions under one lease, as they are stored."""

    def __init__(
        self,
        ports: Ports,
        fence: int,
        ledgers: Mapping[str, MarketLedger],
        positions: Mapping[str, Position],
    ) -> None:
        self._ports, self._fence = ports, fence
        self.ledgers: dict[str, MarketLedger] = dict(ledgers)
        self.positions: dict[str, Position] = dict(positions)

    def ledger(self, ticker: str, shard: int) -> MarketLedger:
        """The books of a market, empty where there are none."""
        return self.ledgers.get(ticker) or MarketLedger(ticker=ticker, shard=shard)

    def post(self, postings: Sequence[Posting], settlement: Settlement | None = None) -> None:
        """Store what some events came to, at most one a market, and a payout's record with its own."""
        after = {posting.ledger.ticker: posting.ledger for posting in postings}
        self._book(after, (posting.row for posting in postings), settlement=settlement)

    def take_over(self, held: Iterable[ExchangePosition]) -> None:
        """Markets that were booked by a version without these books, visibly. Safe to repeat."""
        left = outdated(self.positions, self.ledgers)
        if not left:
            return
        by_ticker = {row.ticker: row for row in held}
        settled = any(position.settled for position in left)
        payouts = latest_payouts(self._ports.state.payouts())[0] if settled else {}
        for part in split(left, MARKETS_PER_TRANSACTION):
            carried = [self._carried(own, by_ticker, payouts.get(own.ticker)) for own in part]
            self.post(carried)
            for posting in carried:
                self._tell_carried(posting.ledger)

    def _carried(
        self, position: Position, held: Mapping[str, ExchangePosition], paid: Settlement | None
    ) -> Posting:
        """Without a record of its payout a settled market is open again, and flat: its row settles it."""
        now_ms, before = self._ports.clock.now_ms(), self.ledgers.get(position.ticker)
        if position.settled and paid is None:
            position = position._replace(net=Count(0), settled=False)
        return carry_over(
            position, cost_of(position, held), now_ms, paid if position.settled else None, before
        )

    def _tell_carried(self, ledger: MarketLedger) -> None:
        self._ports.facts.emit(
            "BOOKS_CARRIED_OVER",
            market=ledger.ticker,
            size=format_count(ledger.net),
            cost_dollars=format_money(ledger.cost),
            cash_dollars=format_money(ledger.cash),
            fees_dollars=format_money(ledger.fees),
        )

    def book_fills(self, fills: Sequence[Fill], by_order_id: Mapping[str, Attribution]) -> None:
        """Each part is booked or not: where all of it is marked, an earlier try of ours lost its answer."""
        ordered = sorted(fills, key=lambda fill: (fill.at_ms, fill.fill_id))
        for part in fitting(ordered, by_order_id):
            posted = post_fills(self.ledgers, part, (), by_order_id)
            if not self._book(posted.ledgers, posted.rows, fills=posted.fills) and self.unbooked(part):
                raise StateConflict("some of these fills were booked by somebody else under our own fence")

    def book_rewards(
        self,
        rewards: Sequence[Reward],
        earners: Mapping[str, Attribution],
        cash: CashBooks,
        found: UnexplainedCash | None,
    ) -> CashBooks:
        """Rewards that are not booked yet, and the cash books then; `earners`: by ticker.

        At most REWARDS_PER_TRANSACTION. They are booked or not, as fills are.
        """
        posted = post_rewards(self.ledgers, rewards, earners)
        cash = explained(cash, rewards)
        sums, named = tuple(added(posted.rows).values()), tuple(rewards)
        booking = self._over(posted.ledgers, rows=sums, rewards=named, cash=cash, found=found)
        if not self._store(booking) and self.unrewarded(rewards):
            raise StateConflict("some of these rewards were booked by somebody else under our own fence")
        return cash

    def unrewarded(self, rewards: Sequence[Reward]) -> list[Reward]:
        """Those that the store does not know."""
        booked = self._ports.state.rewarded([reward.name for reward in rewards])
        return [reward for reward in rewards if reward.name not in booked]

    def retire(self, leaving: Sequence[MarketLedger]) -> None:
        """Markets that are over leave the state, each as it stands there."""
        self._move(leaving, retire, leaving=tuple(leaving))

    def readmit(self, returning: Sequence[MarketLedger]) -> None:
        """Markets that have left come back, each as its record holds it."""
        for part in split(returning, MARKETS_PER_TRANSACTION // 2):
            self._move(part, readmit, returning=tuple(part))

    def _move(
        self,
        moved: Sequence[MarketLedger],
        counted: Callable[[MarketLedger, MarketLedger], MarketLedger],
        **how: tuple[MarketLedger, ...],
    ) -> None:
        totals = {own.shard: totals_of(self.ledgers, own.shard) for own in moved}
        for own in moved:
            totals[own.shard] = counted(totals[own.shard], own)
        self._store(self._over({own.ticker: own for own in totals.values()}, **how))

    def unbooked(self, fills: Sequence[Fill]) -> list[Fill]:
        """Those that the store does not know."""
        booked = self._ports.state.booked([fill.fill_id for fill in fills])
        return [fill for fill in fills if fill.fill_id not in booked]

    def _book(
        self,
        after: Mapping[str, MarketLedger],
        rows: Iterable[ProfitRow],
        *,
        fills: tuple[Fill, ...] = (),
        settlement: Settlement | None = None,
    ) -> bool:
        sums = tuple(added(rows).values())
        return self._store(self._over(after, rows=sums, fills=fills, settlement=settlement))

    def _over(self, after: Mapping[str, MarketLedger], **others: Any) -> Booking:
        """These books over what is stored."""
        changes = tuple(
            BookChange(own, self.ledgers.get(ticker), self.positions.get(ticker))
            for ticker, own in after.items()
        )
        return Booking(changes=changes, **others)

    def _store(self, booking: Booking) -> bool:
        booked = self._ports.state.book(self._fence, booking)
        self.ledgers |= booking.ledgers
        self.positions |= booking.positions
        for ticker in booking.gone:
            del self.ledgers[ticker], self.positions[ticker]
        return booked
