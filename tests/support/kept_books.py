"""Books kept of a simulated account, from rows as the exchange writes them: late, doubled, out of order."""

from collections.abc import Sequence

from dora.core.accounts.cash_tie import CashBooks, CashOutcome, CashRead, CashTie, movements, tie_cash
from dora.core.accounts.drift import DriftWatch, HeldPosition, PositionSnapshot, review_drift
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import Attribution, Posting, post_entry, post_fills, post_settlement
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.settlement import latest_payouts
from dora.core.exchange.account import Fill, Settlement
from dora.core.units import Money, Price, TimeMs, parse_money
from dora.edge.kalshi.wire import JsonObject
from dora.edge.kalshi.wire_orders import parse_fill, parse_position
from tests.simulator import model
from tests.simulator.render import fill_row, position_row
from tests.support.simulator_desk import Desk

OURS = Attribution("reservation", "s1")
MINUTE_MS = 60_000


class KeptBooks:
    """What a cycle would keep. It reads nothing by itself: the test says which rows arrive, and when."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.ledgers: dict[str, MarketLedger] = {}
        self.rows: list[ProfitRow] = []
        self.cash = CashBooks()
        self._booked: set[str] = set()
        self._watches: dict[str, DriftWatch] = {}
        self._compared = False

    def fills(self, listed: Sequence[model.Fill]) -> None:
        """A list of fills arrives; those of even number are of orders of ours."""
        fills = [_parsed(fill) for fill in listed]
        by_order_id = {fill.order.id: OURS for fill in listed if fill.seq % 2 == 0}
        posted = post_fills(self.ledgers, fills, self._booked, by_order_id)
        self._booked |= {fill.fill_id for fill in posted.fills}
        self.ledgers |= posted.ledgers
        self.rows += posted.rows

    def settlements(self, listed: Sequence[model.Settlement]) -> None:
        """A list of payouts arrives."""
        latest, refused = latest_payouts([_payout(row) for row in listed])
        assert refused == {}
        for row in latest.values():
            self._post(post_settlement(self._ledger(row.ticker, row.shard), row, OURS, self._now_ms()))

    def positions(self) -> int:
        """Two complete lists of positions arrive, a minute apart; how many entries they lead to."""
        entries = 0
        for _ in range(2):
            self._desk.clock.advance_ms(MINUTE_MS)
            review = review_drift(self.ledgers, self._snapshot(), self._watches, first=not self._compared)
            self._compared, self._watches = True, dict(review.watches)
            entries += len(review.entries)
            for entry in review.entries:
                self._post(post_entry(self._ledger(entry.ticker, entry.shard), entry))
        return entries

    def balance(self) -> CashTie:
        """The balance arrives."""
        moved, fills = movements(self.ledgers.values())
        balances = {shard: Money(cash) for shard, cash in self._desk.account.cash_e6.items()}
        read = CashRead(
            at_ms=self._now_ms(), known_ms=self._now_ms(), balances=balances, movements=moved, fills=fills
        )
        tie = tie_cash(self.cash, read)
        self.cash = tie.books
        return tie

    def balance_confirmed(self) -> CashTie:
        """The balance arrives for more than an hour, until nothing is pending."""
        for _ in range(4):
            tie = self.balance()
            if tie.outcome is CashOutcome.TIED:
                break
            self._desk.clock.advance_ms(31 * MINUTE_MS)
        return tie

    def _ledger(self, ticker: str, shard: int) -> MarketLedger:
        return self.ledgers.get(ticker) or MarketLedger(ticker=ticker, shard=shard)

    def _post(self, posting: Posting) -> None:
        self.ledgers[posting.ledger.ticker] = posting.ledger
        self.rows.append(posting.row)

    def _snapshot(self) -> PositionSnapshot:
        """Unsettled markets in which something is held, as the list of positions shows them."""
        markets = self._desk.exchange.venue.markets
        rows = self._desk.account.position_rows
        over = frozenset(ticker for ticker, market in markets.items() if market.result)
        held = {
            ticker: _held(
                JsonObject("positions", position_row(markets[ticker], versions[-1])), versions[-1].at_ms
            )
            for ticker, versions in rows.items()
            if versions[-1].position_e2 and ticker not in over
        }
        return PositionSnapshot(self._now_ms(), held, over)

    def _now_ms(self) -> TimeMs:
        return TimeMs(self._desk.clock.now_ms())


def _parsed(fill: model.Fill) -> Fill:
    return parse_fill(JsonObject("fills", fill_row(fill, legacy=False)))


def _payout(row: model.Settlement) -> Settlement:
    return Settlement(
        ticker=row.market.ticker,
        shard=row.market.shard,
        value=Price(row.value_e4),
        revenue=Money(row.revenue_e6),
        fee=Money(row.fees_e6),
        settled_ms=TimeMs(row.at_ms),
        result=row.result,
    )


def _held(row: JsonObject, at_ms: int) -> HeldPosition:
    position = parse_position(row)
    return HeldPosition(
        ticker=position.ticker,
        shard=position.shard,
        net=position.net,
        cost=row.field("market_exposure_dollars", parse_money),
        updated_ms=TimeMs(at_ms),
    )
