"""What the account is worth: cash, and open positions at their marks, exact to 1e-6 $."""

from collections.abc import Iterable, Mapping

from dora.core.accounts.ledger import Position
from dora.core.exchange.market import Event, Market
from dora.core.units import ONE_DOLLAR, Money, Price


def equity(
    cash: Mapping[int, Money] | None,
    positions: Iterable[Position],
    marks: Mapping[str, Price],
    markets: Mapping[str, Market],
    events: Mapping[str, Event],
) -> Money | None:
    """None where cash was not read or an open position has no mark.

    Of NO contracts in exclusive outcomes all but the largest count may have had their dollar returned in
    cash already. When that happens is not published, so it is taken off: equity is rather told too low.
    """
    if cash is None:
        return None
    worth: int = sum(cash.values())
    sold: dict[str, list[int]] = {}
    for position in positions:
        net, mark = position.net, marks.get(position.ticker)
        if not net:
            continue
        if mark is None:
            return None
        worth += net * mark if net > 0 else -net * (ONE_DOLLAR - mark)
        market = markets.get(position.ticker)
        event = events.get(market.event_ticker) if market is not None and net < 0 else None
        if event is not None and event.exclusive:
            sold.setdefault(event.event_ticker, []).append(-net)
    returned = sum(sum(counts) - max(counts) for counts in sold.values())
    return Money(worth - returned * ONE_DOLLAR)
