"""Payouts into the books of one market: once, corrected where the exchange amends them, late fills included.

    open ──payout──> settled ──another result, not older──> settled (corrected)
                        └──a late fill──> as if it had come before the payout

The payout of the net position, by result:

    yes, no    a dollar for each contract of the leg that won
    scalar     the value of each contract on its own leg; the sum is cut to whole cents, as the exchange does
    void       what the contracts cost: positions are given back at cost

Any other result is refused by name. A settled market keeps the position that was paid, so an amended result
is booked as the difference between the two payouts, however long ago the first one was.
"""

from collections.abc import Iterable
from enum import StrEnum

from dora.core.accounts.basis import Basis, pledged
from dora.core.accounts.booking import book_fill
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.calendar import format_time
from dora.core.errors import SettlementRefused
from dora.core.exchange.account import Fill, Settlement
from dora.core.exchange.fees import CENT
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs, complement, format_price, value_of


class Result(StrEnum):
    """The exchange's words for how a market ended."""

    YES = "yes"
    NO = "no"
    SCALAR = "scalar"
    VOID = "void"


def result_of(settlement: Settlement) -> Result:
    """The result that a settlement names, checked against its value. Raises SettlementRefused."""
    value = settlement.value
    by_value = {ONE_DOLLAR: Result.YES, Price(0): Result.NO}.get(value, Result.SCALAR)
    if settlement.result not in ("", *Result):
        raise SettlementRefused(f"{settlement.ticker}: no rule for the result {settlement.result!r}")
    result = Result(settlement.result or by_value)
    if not 0 <= value <= ONE_DOLLAR or (result in (Result.YES, Result.NO) and result is not by_value):
        raise SettlementRefused(f"{settlement.ticker}: {result} at ${format_price(value)}")
    return result


def payout(basis: Basis, result: Result, value: Price) -> Money:
    """What the exchange pays for a position, never below zero."""
    if result is Result.VOID:
        return basis.cost
    leg = value if basis.net > 0 else complement(value)
    paid = value_of(leg, Count(abs(basis.net)))
    return Money(paid - paid % CENT)


def latest_payouts(
    settlements: Iterable[Settlement],
) -> tuple[dict[str, Settlement], dict[str, SettlementRefused]]:
    """By ticker, the latest payout of each market, and why it is refused where it cannot be told.

    An amendment may be listed beside what it amends. Two rows of one time that contradict each other are
    refused: taking them in turns would correct for ever.
    """
    latest: dict[str, Settlement] = {}
    refused: dict[str, SettlementRefused] = {}
    for row in sorted(settlements, key=lambda row: row.settled_ms):
        try:
            rule = result_of(row), row.value
            before = latest.get(row.ticker)
            if before and before.settled_ms == row.settled_ms and rule != (result_of(before), before.value):
                raise SettlementRefused(f"{row.ticker}: two results at {format_time(row.settled_ms)}")
        except SettlementRefused as error:
            refused[row.ticker] = error
        else:
            latest[row.ticker] = row
    return {ticker: row for ticker, row in latest.items() if ticker not in refused}, refused


def settle(ledger: MarketLedger, settlement: Settlement) -> MarketLedger:
    """The books after a payout or its amendment. Safe to repeat: what is booked already changes nothing.

    A row older than the booked one, or equal to it, changes nothing. Raises SettlementRefused.
    """
    result = result_of(settlement)
    if ledger.settled:
        same = (result, settlement.value) == (ledger.result, ledger.value)
        if same or settlement.settled_ms < ledger.settled_ms:
            return ledger
        ledger = _reopened(ledger)
    return _paid_out(ledger, result, settlement.value, settlement.settled_ms)


def book_late_fill(ledger: MarketLedger, fill: Fill) -> MarketLedger:
    """A fill of a market that is settled in our books: paid out with the rest, as if it had come in time."""
    before = book_fill(_reopened(ledger), fill)
    return _paid_out(before, Result(ledger.result), ledger.value, ledger.settled_ms)


def payout_difference(ledger: MarketLedger, settlement: Settlement) -> Money:
    """What the exchange paid beyond what a settled market's books say: not zero means unlike positions."""
    return Money(settlement.revenue - ledger.paid)


def _paid_out(ledger: MarketLedger, result: Result, value: Price, settled_ms: TimeMs) -> MarketLedger:
    paid = payout(ledger.basis, result, value)
    return ledger._replace(
        net=Count(0),
        cost=Money(0),
        cash=Money(ledger.cash + paid - pledged(ledger.net)),
        settled=True,
        result=result.value,
        value=value,
        settled_ms=settled_ms,
        settled_net=ledger.net,
        settled_cost=ledger.cost,
        paid=paid,
    )


def _reopened(ledger: MarketLedger) -> MarketLedger:
    """As it stood before the payout."""
    return ledger._replace(
        net=ledger.settled_net,
        cost=ledger.settled_cost,
        cash=Money(ledger.cash - ledger.paid + pledged(ledger.settled_net)),
        settled=False,
    )
