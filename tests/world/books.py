"""What the exchange says our books must be, recounted from its own fills (I9).

A fill may reach the exchange while a cycle runs, after that cycle read the fills. So the bot's books are
right when they stand as the exchange's did at one single moment between two given ones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


def accounts_after(fills: Iterable[Fill]) -> dict[str, Account]:
    """Every market's account after these fills, by ticker."""
    accounts: dict[str, Account] = {}
    for fill in fills:
        accounts.setdefault(fill.trade.ticker, Account()).fill(fill)
    return accounts


def disagreements(
    booked: Mapping[str, BookedPosition], accounts: Mapping[str, Account], results: Mapping[str, str]
) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Markets whose booked figures are not the exchange's: ticker -> (booked, exchange's).

    `results` names the settled markets; one that the bot has not settled yet is compared as it was before.
    """
    found = {}
    for ticker in sorted(booked.keys() | accounts.keys()):
        account, position = accounts.get(ticker, Account()), booked.get(ticker)
        if position is not None and position.settled and ticker in results:
            account = account.settled(results[ticker])
        ours = Account().figures() if position is None else figures_of(position)
        if ours != account.figures():
            found[ticker] = (ours, account.figures())
    return found


def best_match(
    booked: Mapping[str, BookedPosition],
    fills: list[Fill],
    settlements: Iterable[Settlement],
    since_ms: int,
) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """The disagreements at the moment, from `since_ms` to now, at which there are fewest."""
    results = {settlement.market.ticker: settlement.result for settlement in settlements}
    surely = sum(1 for fill in fills if fill.at_ms <= since_ms)
    candidates = (
        disagreements(booked, accounts_after(fills[:count]), results)
        for count in range(len(fills), surely - 1, -1)
    )
    return min(candidates, key=len)
