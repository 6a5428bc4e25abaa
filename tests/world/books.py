"""What the exchange says our books must be, recounted from its own fills (I9).

A fill may reach the exchange while a cycle runs, after that cycle read the fills. So the bot's books are
right when they stand, market by market, as the exchange's did at some moment between two given ones. Where
a list lacked rows that nobody could miss, they are right with any of the fills since then.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from tests.simulator.model import VOID, Fill, Settlement
from tests.simulator.units import CENT_E6

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
        """Count a fill in."""
        signed_e2 = fill.trade.count_e2 if fill.order.side == "bid" else -fill.trade.count_e2
        self.net_e2 += signed_e2
        self.cash_e6 -= signed_e2 * fill.trade.price_e4
        self.fees_e6 += fill.fee_e6
        self.traded_e2 += fill.trade.count_e2

    def with_fill(self, fill: Fill) -> "Account":
        """As it is after this fill."""
        after = Account(self.net_e2, self.cash_e6, self.fees_e6, self.traded_e2)
        after.fill(fill)
        return after

    def settled(self, paid: Settlement) -> "Account":
        """Paid out. A NO contract was sold as YES, so it owes a dollar; its cost is the exchange's to say."""
        leg_e4 = paid.value_e4 if self.net_e2 > 0 else DOLLAR_E4 - paid.value_e4
        payout_e6 = abs(self.net_e2) * leg_e4 // CENT_E6 * CENT_E6
        brought_e6 = paid.revenue_e6 if paid.result == VOID else payout_e6
        owed_e6 = DOLLAR_E4 * max(-self.net_e2, 0)
        return Account(0, self.cash_e6 + brought_e6 - owed_e6, self.fees_e6, self.traded_e2)

    def figures(self) -> dict[str, int]:
        return {"net": self.net_e2, "cash": self.cash_e6, "fees": self.fees_e6, "traded": self.traded_e2}


def figures_of(position: BookedPosition) -> dict[str, int]:
    """The same four figures as the bot booked them."""
    return {"net": position.net, "cash": position.cash, "fees": position.fees, "traded": position.traded}


Possible = Mapping[str, Sequence[Account]]
"""By ticker, what the exchange's account was at the moments that may have been read, that of now first."""


class Recount:
    """The fills of one member's first subaccount, counted on from where the last look left off."""

    def __init__(self, fills: Sequence[Fill]) -> None:
        """`fills` in order of time; the list may grow."""
        self._fills, self._counted, self._until_ms = fills, 0, 0
        self._accounts: defaultdict[str, Account] = defaultdict(Account)

    def since(self, since_ms: int, *, torn: bool = False) -> Possible:
        """Every account as it may have been read at `since_ms` or later; `torn`: any fills since may lack."""
        self._count_to(since_ms)
        possible = {ticker: [account] for ticker, account in self._accounts.items()}
        for fill in islice(self._fills, self._counted, None):
            if fill.order.account.number == 0:
                before = possible.setdefault(fill.trade.ticker, [Account()])
                after = [account.with_fill(fill) for account in (before if torn else before[:1])]
                possible[fill.trade.ticker] = [*after, *(one for one in before if one not in after)]
        return possible

    def _count_to(self, since_ms: int) -> None:
        if since_ms < self._until_ms:
            self._counted = 0
            self._accounts.clear()
        self._until_ms = since_ms
        for fill in islice(self._fills, self._counted, None):
            if fill.at_ms > since_ms:
                break
            self._counted += 1
            if fill.order.account.number == 0:
                ticker = fill.trade.ticker
                self._accounts[ticker] = self._accounts[ticker].with_fill(fill)


def best_match(
    booked: Mapping[str, BookedPosition], possible: Possible, settlements: Iterable[Settlement]
) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Markets whose booked figures are none of the possible ones.

    By ticker: booked, and the exchange's of now. The moment may be another one in each market:
    shards are read as they were at different times. A market that the bot has not settled yet is compared as
    it was before.
    """
    latest = {settlement.market.ticker: settlement for settlement in settlements}
    found = {}
    for ticker in sorted(booked.keys() | possible.keys()):
        position = booked.get(ticker)
        ours = Account().figures() if position is None else figures_of(position)
        paid = latest.get(ticker) if position is not None and position.settled else None
        theirs = [_figures(account, paid) for account in possible.get(ticker, (Account(),))]
        if ours not in theirs:
            found[ticker] = (ours, theirs[0])
    return found


def _figures(account: Account, paid: Settlement | None) -> dict[str, int]:
    return (account if paid is None else account.settled(paid)).figures()
