"""What holds for one order by itself: how large it is, what it costs, and how far its price may go.

A collar holds on the side that can hurt: a bid above what the market is worth, an ask below it. Further out
on the other side a quote is merely patient.
"""

from collections.abc import Mapping

from dora.core.config_risk import RiskLimits
from dora.core.exchange.market import Side
from dora.core.reasons import Reason
from dora.core.units import ONE_DOLLAR, Count, Price

BID = Side.BID


class OrderLimits:
    """The limits of one cycle. `fair`: fair value by ticker, where it is known."""

    __slots__ = ("_collar", "_cost", "_fair", "_size", "_trade_collar")

    def __init__(self, limits: RiskLimits, fair: Mapping[str, Price]) -> None:
        self._size, self._cost = limits.max_order_size, limits.max_order_cost
        self._collar, self._trade_collar = limits.price_collar, limits.trade_collar
        self._fair = fair

    def off_price(self, ticker: str, side: Side, price: Price, traded: Price | None) -> Reason | None:
        """Why an order of any size is refused at this price. `traded`: of the market's last trade."""
        fair = self._fair.get(ticker)
        if side is BID:
            if fair is not None and price - fair > self._collar:
                return Reason.PRICE_COLLAR
            return Reason.TRADE_COLLAR if traded is not None and price - traded > self._trade_collar else None
        if fair is not None and fair - price > self._collar:
            return Reason.PRICE_COLLAR
        return Reason.TRADE_COLLAR if traded is not None and traded - price > self._trade_collar else None

    def too_large(self, side: Side, price: Price, count: Count) -> Reason | None:
        """Why so many contracts are too many for one order."""
        if count > self._size:
            return Reason.ORDER_SIZE
        unit = price if side is BID else ONE_DOLLAR - price
        return Reason.ORDER_COST if unit * count > self._cost else None
