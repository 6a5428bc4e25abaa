"""Payouts into the books: each market's latest, in one transaction with its record and its profit row."""

from collections.abc import Iterable

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import post_settlement
from dora.core.accounts.settlement import latest_payouts, payout_difference
from dora.core.exchange.account import Settlement
from dora.core.exchange.listed import UnreadableRow
from dora.core.orders.ownership import SETTLEMENTS
from dora.core.ports import Facts, Ports
from dora.core.units import Money, format_count, format_money, format_price
from dora.flow.shared.bookkeeping import Bookkeeper
from dora.flow.shared.earners import Earners


def book_settlements(
    ports: Ports, books: Bookkeeper, listed: Iterable[Settlement], earners: Earners
) -> list[UnreadableRow]:
    """Book what is new or amended; returns what is refused of our markets, as rows that are not understood.

    Safe to repeat: what is booked changes nothing.
    """
    ours = [row for row in listed if row.ticker in books.ledgers]
    latest, refused = latest_payouts(ours)
    for ticker, row in latest.items():
        before = books.ledgers[ticker]
        posting = post_settlement(before, row, earners.of_market(ticker), ports.clock.now_ms())
        if posting.ledger != before:
            books.post([posting], settlement=row)
            _tell(ports.facts, before, posting.ledger, row)
    return [
        UnreadableRow(list_name=SETTLEMENTS, problem=str(why), ticker=ticker)
        for ticker, why in refused.items()
    ]


def _tell(facts: Facts, before: MarketLedger, after: MarketLedger, row: Settlement) -> None:
    """`payout_difference_dollars`: what the exchange paid beyond what the books say it owed."""
    facts.emit(
        "SETTLEMENT_AMENDED" if before.settled else "MARKET_SETTLED",
        market=row.ticker,
        result=after.result,
        value=format_price(row.value),
        size=format_count(after.settled_net),
        payout_dollars=format_money(after.paid),
        payout_difference_dollars=format_money(payout_difference(after, row)),
        pnl_dollars=format_money(Money(after.realised - after.fees)),
    )
