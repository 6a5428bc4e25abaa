"""What the exchange says our books must be, recounted from its own fills (I9).

A fill may reach the exchange while a cycle runs, after that cycle read the fills. So the bot's books are
right when they stand, market by market, as the exchange's did at some moment between two given ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from tests.simulator.model import Fill, Settlement

DOLLAR_E4 = 10_000


class BookedPosition(Protocol):
    """What the product's ledger keeps of one market."""

    @property
    def net(self) -> int: ...
    @property
    def cash(self) -> int: ...
    @property
    def fees(self) -> int: ...
    @property
    def traded(self) -> int: ...
    @property
    def settled(self) -> bool: ...


@dataclass(slots=True)
class Account:
    """One market, counted from the exchange's rows: 0.01 contract and 1e-6 $."""

    net_e2: int = 0
    cash_e6: int = 0
    fees_e6: int = 0
    traded_e2: int = 0

    def fill(self, fill: Fill) -> None:
        signed_e2 = fill.trade.count_e2 if fill.order.side == "bid" else -fill.trade.count_e2
        self.net_e2 += signed_e2
        self.cash_e6 -= signed_e2 * fill.trade.price_e4
        self.fees_e6 += fill.fee_e6
        self.traded_e2 += fill.trade.count_e2

    def settled(self, result: str) -> "Account":
        paid_e6 = self.net_e2 * DOLLAR_E4 if result == "yes" else 0
        return Account(0, self.cash_e6 + paid_e6, self.fees_e6, self.traded_e2)

    def figures(self) -> dict[str, int]:
        return {"net": self.net_e2, "cash": self.cash_e6, "fees": self.fees_e6, "traded": self.traded_e2}


def figures_of(position: BookedPosition) -> dict[str, int]:
    """The same four figures as the bot booked them."""
    return {"net": position.net, "cash": position.cash, "fees": position.fees, "traded": position.traded}


def best_match(
    booked: Mapping[str, BookedPosition],
    fills: Iterable[Fill],
    settlements: Iterable[Settlement],
    since_ms: int,
) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Markets whose booked figures are the exchange's at no moment from `since_ms` to now.

    By ticker: booked, and the exchange's of now. The moment may be another one in each market: shards are
    read as they were at different times. A market that the bot has not settled yet is compared as it was
    before.
    """
    results = {settlement.market.ticker: settlement.result for settlement in settlements}
    accounts, moments = _accounts(fills, since_ms)
    found = {}
    for ticker in sorted(booked.keys() | accounts.keys()):
        position, account = booked.get(ticker), accounts.get(ticker, Account())
        ours = Account().figures() if position is None else figures_of(position)
        result = results.get(ticker) if position is not None and position.settled else None
        possible = [_figures(own, result) for own in (account, *moments.get(ticker, ()))]
        if ours not in possible:
            found[ticker] = (ours, possible[0])
    return found


def _accounts(fills: Iterable[Fill], since_ms: int) -> tuple[dict[str, Account], dict[str, list[Account]]]:
    """Each market's account now, and as it stood before each of its fills later than `since_ms`."""
    accounts: defaultdict[str, Account] = defaultdict(Account)
    moments: defaultdict[str, list[Account]] = defaultdict(list)
    for fill in fills:
        account = accounts[fill.trade.ticker]
        if fill.at_ms > since_ms:
            moments[fill.trade.ticker].append(replace(account))
        account.fill(fill)
    return accounts, moments


def _figures(account: Account, result: str | None) -> dict[str, int]:
    return (account if result is None else account.settled(result)).figures()
