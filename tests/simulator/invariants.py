"""Rules a client must never break, judged after every event on the market side it touched.

I1 live orders and contracts per (market, side), and per level of it where the driver can tell the level;
I2 position if every live order fills; I3 allowed order groups only; I8 tokens within budget; I9 reported
books equal the exchange's; I10 nothing lives after the client said it was closed. Judged on subaccount 0 of
the watched (first) member.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .book import ASK, BID
from .expectations import Expectations

if TYPE_CHECKING:
    from .account import Account
    from .market import Market
    from .member import Member
    from .model import Order


class Ledger(NamedTuple):
    """Totals of one account. Cash flow is trading and settling with fees aside; profit and loss is what
    is locked in, at average cost floored to 1e-6 $ per partial close."""

    positions_e2: dict[str, int]
    cash_flow_e6: int | None
    fees_e6: int | None
    pnl_e6: int | None


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule broken once; a lasting breach is one breach."""

    invariant: str
    at_ms: int
    text: str


class Invariants:
    """Collects breaches; `expectations` says what to hold the member to."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.expectations = Expectations()
        self.broken: list[Breach] = []
        self.watched: Member | None = None
        self._open: set[tuple[str, str]] = set()  # breaches that last
        self._worst_e2: dict[str, dict[str, int]] = defaultdict(dict)  # event -> ticker -> worst position

    def after_change(self, member: Member, account: Account, market: Market, side: str, now_ms: int) -> None:
        """Judge one (market, side) of the watched member."""
        if member is not self.watched or account.number != 0:
            return
        mine = self._judged(member.live[market.ticker, side].values())
        self._side(market.ticker, side, mine, now_ms)
        self._levels(market.ticker, side, mine, now_ms)
        self._caps(member, account, market, now_ms)
        self._groups(mine, now_ms)
        self._closed(mine, now_ms)

    def after_bill(self, member: Member, short: str | None, now_ms: int) -> None:
        """I8: `short` names the bucket that the member's own spending emptied, if any."""
        if member is self.watched and not self.expectations.tolerate_429:
            self._judge("I8", short or "", short is not None, now_ms, f"bucket {short} overdrawn")
            self._open.discard(("I8", short or ""))  # every overdraft is its own breach

    def declare_closed(self) -> None:
        """I10: nothing of the member lives now or until `declare_open`."""
        self.expectations.closed = True
        if self.watched is not None:
            self._closed(self._judged(self.watched.resting.values()), self._now_ms())

    def declare_open(self) -> None:
        """End of `declare_closed`."""
        self.expectations.closed = False

    def report_ledger(
        self,
        positions_e2: dict[str, int],
        *,
        cash_flow_e6: int | None = None,
        fees_e6: int | None = None,
        pnl_e6: int | None = None,
    ) -> None:
        """I9: the client's books, compared exactly with `ledger_of`; a total left None is not compared."""
        if self.watched is None:
            return
        reported = Ledger(
            {t: count for t, count in positions_e2.items() if count}, cash_flow_e6, fees_e6, pnl_e6
        )
        actual = ledger_of(self.watched.accounts[0])
        for name, value, truth in zip(Ledger._fields, reported, actual, strict=True):
            wrong = value is not None and value != truth
            self._judge("I9", name, wrong, self._now_ms(), f"{name}: client {value}, exchange {truth}")

    def _judged(self, orders: Iterable[Order]) -> list[Order]:
        prefix = self.expectations.prefix
        return [o for o in orders if o.account.number == 0 and o.client_order_id.startswith(prefix)]

    def _side(self, ticker: str, side: str, mine: list[Order], now_ms: int) -> None:
        where = f"{ticker} {side}"
        self._orders(where, mine, self.expectations.order_limit(ticker, side), now_ms)
        self._contracts(where, mine, self.expectations.contract_limit_e2(ticker, side), now_ms)

    def _levels(self, ticker: str, side: str, mine: list[Order], now_ms: int) -> None:
        """One order a level, and none at a level that is not declared."""
        level_of, limits = self.expectations.level_of, self.expectations.level_contracts_e2.get(ticker)
        if level_of is None or limits is None:
            return
        levels = [level_of(order.client_order_id) for order in mine]
        for level, most_e2 in enumerate(limits):
            here = [order for order, own in zip(mine, levels, strict=True) if own == level]
            self._orders(f"{ticker} {side} {level}", here, 1, now_ms)
            self._contracts(f"{ticker} {side} {level}", here, most_e2, now_ms)
        astray = [o for o, own in zip(mine, levels, strict=True) if own not in range(len(limits))]
        self._orders(f"{ticker} {side} at no level", astray, 0, now_ms)

    def _orders(self, where: str, mine: list[Order], most: int | None, now_ms: int) -> None:
        if most is not None:
            text = f"{where}: {len(mine)} live orders, at most {most}"
            self._judge("I1", where, len(mine) > most, now_ms, text)

    def _contracts(self, where: str, mine: list[Order], most_e2: int | None, now_ms: int) -> None:
        if most_e2 is not None:
            live_e2 = sum(order.remaining_e2 for order in mine)
            text = f"{where}: {live_e2} live (0.01 contract), at most {most_e2}"
            self._judge("I1", f"{where} contracts", live_e2 > most_e2, now_ms, text)

    def _caps(self, member: Member, account: Account, market: Market, now_ms: int) -> None:
        ticker, event = market.ticker, market.spec.event_ticker
        cap_e2, event_cap_e2 = (
            self.expectations.market_limit_e2(ticker),
            self.expectations.event_limit_e2(event),
        )
        if cap_e2 is None and event_cap_e2 is None:
            return
        worst_e2 = worst_position_e2(member, account, ticker)
        self._worst_e2[event][ticker] = worst_e2
        if cap_e2 is not None:
            text = f"{ticker}: {worst_e2} (0.01 contract) if all fills, cap {cap_e2}"
            self._judge("I2", ticker, worst_e2 > cap_e2, now_ms, text)
        if event_cap_e2 is not None:
            total_e2 = sum(self._worst_e2[event].values())
            text = f"{event}: {total_e2} (0.01 contract) if all fills, cap {event_cap_e2}"
            self._judge("I2", event, total_e2 > event_cap_e2, now_ms, text)

    def _groups(self, mine: list[Order], now_ms: int) -> None:
        if self.expectations.group_per_event:
            self._groups_of_events(mine, now_ms)
        allowed = self.expectations.groups
        if allowed is None or self.expectations.group_per_event:
            return
        for order in mine:
            wrong = order.group_id not in allowed
            self._judge("I3", order.id, wrong, now_ms, f"order {order.id} lives in group '{order.group_id}'")

    def _groups_of_events(self, mine: list[Order], now_ms: int) -> None:
        for order in mine:
            group = order.member.groups.get(order.group_id)
            others = {} if group is None else group.orders
            event = order.market.spec.event_ticker
            wrong = group is None or any(o.market.spec.event_ticker != event for o in others.values())
            text = f"order {order.id} of {event} lives in group '{order.group_id}'"
            self._judge("I3", order.id, wrong, now_ms, text)

    def _closed(self, mine: list[Order], now_ms: int) -> None:
        if self.expectations.closed:
            for order in mine:
                self._judge(
                    "I10", order.id, True, now_ms, f"order {order.id} lives after the close was declared"
                )

    def _judge(self, invariant: str, subject: str, wrong: bool, now_ms: int, text: str) -> None:
        key = (invariant, subject)
        if not wrong:
            self._open.discard(key)
        elif key not in self._open:
            self._open.add(key)
            self.broken.append(Breach(invariant, now_ms, text))


def worst_position_e2(member: Member, account: Account, ticker: str) -> int:
    """Largest absolute position if every live order of one side fills."""
    position_e2 = account.position_e2(ticker)
    bids, asks = (
        sum(o.remaining_e2 for o in member.live[ticker, side].values() if o.account is account)
        for side in (BID, ASK)
    )
    return max(abs(position_e2 + bids), abs(position_e2 - asks))


def ledger_of(account: Account) -> Ledger:
    """The exchange's own books; settled and flat markets hold no position."""
    open_e2 = {
        ticker: position.position_e2 for ticker, position in account.positions.items() if position.position_e2
    }
    pnl_e6 = sum(position.realized_e6 for position in account.positions.values())
    return Ledger(open_e2, account.flow_e6, account.fees_e6, pnl_e6)
