"""Cash, collateral and positions of one subaccount, exact to 1e-6 $."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from .book import BID
from .model import VOID, leg_price_e4
from .units import CENT_E6, DOLLAR_E4


class PositionRow(NamedTuple):
    """A position as it stood from `at_ms` on."""

    at_ms: int
    position_e2: int
    cost_e6: int
    realized_e6: int
    fees_e6: int
    traded_e6: int


class CashRow(NamedTuple):
    """One shard's cash as it stood from `at_ms` on."""

    at_ms: int
    cash_e6: int
    reserved_e6: int


Row = TypeVar("Row", PositionRow, CashRow)


@dataclass(slots=True)
class Position:
    """YES and NO net into one signed count; `cost_e6` is the average cost of what is open."""

    position_e2: int = 0
    cost_e6: int = 0
    realized_e6: int = 0
    fees_e6: int = 0
    traded_e6: int = 0
    settled: bool = False
    paid_e2: int = 0
    paid_cost_e6: int = 0
    revenue_e6: int = 0  # for `paid_e2` contracts that had cost `paid_cost_e6`

    def trade(self, side: str, price_e4: int, count_e2: int) -> int:
        """Book a fill and return the change of cash before fees.

        What offsets the position held is paid out at once (a YES and a NO make a dollar); the rest is
        bought on its own leg. The cost of the part closed is its average share, floored to 1e-6 $.
        """
        leg_e4 = leg_price_e4(side, price_e4)
        against_e2 = max(0, -self.position_e2 if side == BID else self.position_e2)
        closing_e2 = min(count_e2, against_e2)
        opening_e6 = (count_e2 - closing_e2) * leg_e4
        released_e6 = self.cost_e6 * closing_e2 // against_e2 if closing_e2 else 0
        proceeds_e6 = closing_e2 * (DOLLAR_E4 - leg_e4)
        self.realized_e6 += proceeds_e6 - released_e6
        self.cost_e6 += opening_e6 - released_e6
        self.traded_e6 += count_e2 * leg_e4
        self.position_e2 += count_e2 if side == BID else -count_e2
        return proceeds_e6 - opening_e6

    def settle(self, result: str, value_e4: int) -> int:
        """Close at the result, or correct an earlier one; returns the change of cash.

        A contract pays its value on its own leg, all of them whole cents; a void one gives its cost back.
        """
        if not self.settled:
            self.paid_e2, self.paid_cost_e6 = self.position_e2, self.cost_e6
            self.realized_e6 -= self.cost_e6
            self.position_e2 = self.cost_e6 = 0
            self.settled = True
        before_e6, self.revenue_e6 = self.revenue_e6, self._revenue_e6(result, value_e4)
        self.realized_e6 += self.revenue_e6 - before_e6
        return self.revenue_e6 - before_e6

    def _revenue_e6(self, result: str, value_e4: int) -> int:
        if result == VOID:
            return self.paid_cost_e6
        leg_e4 = value_e4 if self.paid_e2 > 0 else DOLLAR_E4 - value_e4
        return abs(self.paid_e2) * leg_e4 // CENT_E6 * CENT_E6

    def row(self, at_ms: int) -> PositionRow:
        return PositionRow(
            at_ms, self.position_e2, self.cost_e6, self.realized_e6, self.fees_e6, self.traded_e6
        )


def reserve_e6(position_e2: int, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> int:
    """Cash held for resting (price_e4, count_e2) orders: what they would open beyond the position held.

    Both sides reserve on their own; the best-priced orders close the position first.
    """
    held = 0
    for side, orders, closable_e2 in (("bid", bids, -position_e2), ("ask", asks, position_e2)):
        free_e2 = max(0, closable_e2)
        for price_e4, count_e2 in sorted(orders, reverse=side == BID):
            covered_e2 = min(free_e2, count_e2)
            free_e2 -= covered_e2
            held += (count_e2 - covered_e2) * leg_price_e4(side, price_e4)
    return held


class Account:
    """Money and positions of one subaccount; cash is per shard and does not move by itself."""

    def __init__(self, number: int, cash_e6: dict[int, int], at_ms: int) -> None:
        self.number = number
        self.cash_e6 = dict(cash_e6)
        self.positions: dict[str, Position] = {}
        self.reserved_e6: dict[str, int] = {}
        self.reserved_by_shard_e6 = dict.fromkeys(cash_e6, 0)
        self.flow_e6 = 0  # cash in and out by trading and settling, fees aside
        self.fees_e6 = 0
        self.position_rows: dict[str, list[PositionRow]] = {}
        self.cash_rows: dict[int, list[CashRow]] = {}
        for shard in cash_e6:
            self.stamp_cash(shard, at_ms)

    def position(self, ticker: str) -> Position:
        """The position in that market, made on first use."""
        return self.positions.setdefault(ticker, Position())

    def position_e2(self, ticker: str) -> int:
        position = self.positions.get(ticker)
        return position.position_e2 if position else 0

    def free_e6(self, shard: int) -> int:
        """Cash of the shard that no resting order holds."""
        return self.cash_e6.get(shard, 0) - self.reserved_by_shard_e6.get(shard, 0)

    def move(self, shard: int, amount_e6: int) -> None:
        """Add cash (deposit, transfer, payout); opens the shard when it had none."""
        self.cash_e6[shard] = self.cash_e6.get(shard, 0) + amount_e6
        self.reserved_by_shard_e6.setdefault(shard, 0)

    def reserve(self, shard: int, ticker: str, amount_e6: int) -> None:
        """Hold exactly `amount_e6` for the resting orders of that market."""
        change = amount_e6 - self.reserved_e6.get(ticker, 0)
        self.reserved_e6[ticker] = amount_e6
        self.reserved_by_shard_e6[shard] = self.reserved_by_shard_e6.get(shard, 0) + change

    def stamp_cash(self, shard: int, at_ms: int) -> None:
        row = CashRow(at_ms, self.cash_e6.get(shard, 0), self.reserved_by_shard_e6.get(shard, 0))
        _append(self.cash_rows.setdefault(shard, []), row)

    def stamp_position(self, ticker: str, at_ms: int) -> None:
        _append(self.position_rows.setdefault(ticker, []), self.position(ticker).row(at_ms))


def _append(rows: list[Row], row: Row) -> None:
    """Keep one row per millisecond: the last."""
    if rows and rows[-1].at_ms == row.at_ms:
        rows[-1] = row
    else:
        rows.append(row)


def row_as_of(rows: list[Row], at_ms: int) -> Row | None:
    """The row a read of that time shows."""
    if rows and rows[-1].at_ms <= at_ms:
        return rows[-1]
    index = bisect_right(rows, at_ms, key=lambda row: row.at_ms)
    return rows[index - 1] if index else None
