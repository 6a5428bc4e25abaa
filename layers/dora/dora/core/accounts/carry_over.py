"""Positions as they were booked before costs were kept, taken into the books of today."""

from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import EXTERNAL, Posting
from dora.core.accounts.profit_rows import RowKey, row_between
from dora.core.accounts.settlement import result_of
from dora.core.calendar import exchange_day
from dora.core.exchange.account import Settlement
from dora.core.units import Money, Price, TimeMs


def carry_over(
    position: Position, cost: Money, at_ms: TimeMs, settlement: Settlement | None = None
) -> Posting:
    """The market's books from now on, and one row of that day with all it had earned and paid before.

    `cost`: of the open contracts on their own leg, by the exchange's row; 0 when flat. Cash, fees and the
    profit at any mark stay as they were; what the position does not tell (fills, dollars traded) begins at 0.
    `settlement`: of a settled market, by its record, so that a late fill is paid as the others were; what it
    paid for is not told, so an amendment of it corrects nothing. Raises ValueError where it is missing.
    """
    if position.settled and settlement is None:
        raise ValueError(f"{position.ticker} is settled, and nothing says how")
    ledger = MarketLedger(
        ticker=position.ticker,
        shard=position.shard,
        net=position.net,
        cash=position.cash,
        cost=cost,
        fees=position.fees,
        traded=position.traded,
        base_net=position.net,
        base_cost=cost,
        settled=position.settled,
        result=result_of(settlement).value if settlement else "",
        value=settlement.value if settlement else Price(0),
        settled_ms=settlement.settled_ms if settlement else TimeMs(0),
    )
    key = RowKey(exchange_day(at_ms), position.ticker, *EXTERNAL)
    return Posting(
        ledger, row_between(MarketLedger(ticker=position.ticker, shard=position.shard), ledger, key)
    )
