"""Positions booked by a version that keeps no costs, taken into the books of today."""

from collections.abc import Mapping

from dora.core.accounts.basis import pledged
from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import EXTERNAL, Posting
from dora.core.accounts.profit_rows import RowKey, row_between
from dora.core.accounts.settlement import result_of
from dora.core.calendar import exchange_day
from dora.core.exchange.account import ExchangePosition, Settlement
from dora.core.units import Count, Money, Price, TimeMs


def carry_over(
    position: Position,
    cost: Money,
    at_ms: TimeMs,
    settlement: Settlement | None = None,
    before: MarketLedger | None = None,
) -> Posting:
    """The market's books from now on, and one row of that day with all that they did not hold before.

    `cost`: of the open contracts on their own leg; 0 when flat. Cash, fees and the profit at any mark are the
    position's; what it does not tell (fills, dollars traded) stays as it was. `before`: older books.
    `settlement`: of a settled market, by its record, so that a late fill is paid as the others were; what it
    paid for is not told, so an amendment of it corrects nothing. Raises ValueError where it is missing.
    """
    if position.settled and settlement is None:
        raise ValueError(f"{position.ticker} is settled, and nothing says how")
    start = before or MarketLedger(ticker=position.ticker, shard=position.shard)
    ledger = start._replace(
        net=position.net,
        cash=position.cash,
        cost=cost,
        fees=position.fees,
        traded=position.traded,
        base_net=position.net,
        base_cost=cost,
        recent=(),
        settled=position.settled,
        result=result_of(settlement).value if settlement else "",
        value=settlement.value if settlement else Price(0),
        settled_ms=settlement.settled_ms if settlement else TimeMs(0),
        settled_net=Count(0),
        settled_cost=Money(0),
        paid=Money(0),
    )
    key = RowKey(exchange_day(at_ms), position.ticker, *EXTERNAL)
    return Posting(ledger, row_between(start, ledger, key))


def cost_of(position: Position, held: Mapping[str, ExchangePosition]) -> Money:
    """What the open contracts cost: by the exchange's row of them, else as if none had been closed before."""
    row = held.get(position.ticker)
    if row is not None and row.net == position.net and row.cost is not None:
        return row.cost
    return Money(max(pledged(position.net) - position.cash, 0)) if position.net else Money(0)
