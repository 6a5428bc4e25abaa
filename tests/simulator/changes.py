"""The three things that happen to an order once it exists: it rests, it fills, it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fees import rounding_fee_e6, trade_fee_e6
from .model import CANCELED, EXECUTED, Event, Fill, Order, Resting, Trade, leg_price_e4

if TYPE_CHECKING:
    from .groups import Groups
    from .market import Market
    from .venue import Venue

TRADE_ID = 0x0F11


class Changes:
    """Mutations of the book, of orders and of accounts, always together."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.groups: Groups  # set by the exchange: groups need changes and changes need groups

    def rest(self, order: Order) -> None:
        """Join the book."""
        order.market.book.halves[order.side].add(order)
        order.market.member_orders[order.id] = order
        order.market.revision += 1
        order.booked = True
        order.member.rest(order)
        if order.group_id:
            order.member.groups[order.group_id].orders[order.id] = order

    def cancel(self, order: Order, reason: str) -> int:
        """End an order that is live or was never booked; returns what remained of it."""
        remaining_e2 = order.remaining_e2
        self.unbook(order)
        self._leave(order)
        self._venue.emit_order("cancel", order, code=reason, count_e2=remaining_e2)
        order.remaining_e2 = 0
        order.status = CANCELED
        self.settle_state(order)
        return remaining_e2

    def unbook(self, order: Order) -> None:
        """Out of the book, though its state stays as it is."""
        if order.booked:
            order.market.book.halves[order.side].remove(order)
            order.market.revision += 1
            order.booked = False

    def settle_state(self, order: Order) -> None:
        """Record the new state for readers and judge the market side it touched."""
        order.member.changed(order, self._venue.now_ms())
        self._venue.touched(order.member, order.account, order.market, order.side)

    def trade(self, market: Market, maker: Resting, taker: Resting) -> int:
        """Match the two at the maker's price for as much as both have; returns the count."""
        count_e2 = min(maker.remaining_e2, taker.remaining_e2)
        price_e4 = maker.price_e4
        market.book.halves[maker.side].shrink(maker, count_e2)
        taker.remaining_e2 -= count_e2
        print_ = self.printed(market, price_e4, count_e2, taker.side)
        for order, is_taker in ((maker, False), (taker, True)):
            if isinstance(order, Order):
                self._fill(order, print_, is_taker)
            elif not is_taker and order.remaining_e2 == 0:
                self._venue.background.pop(order.id, None)
        return count_e2

    def printed(self, market: Market, price_e4: int, count_e2: int, taker_side: str) -> Trade:
        """A public trade, listed."""
        venue = self._venue
        trade_id, seq = venue.new_id(TRADE_ID), len(venue.trades)
        print_ = Trade(trade_id, seq, market.ticker, venue.now_ms(), price_e4, count_e2, taker_side)
        venue.trades.append(print_)
        market.record(print_)
        market.revision += 1
        if venue.observers:
            venue.emit(
                Event(
                    print_.at_ms,
                    "trade",
                    market.ticker,
                    side=taker_side,
                    price_e4=price_e4,
                    count_e2=count_e2,
                )
            )
        return print_

    def _fill(self, order: Order, print_: Trade, is_taker: bool) -> None:
        fee_e6 = self._book_money(order, print_, is_taker)
        order.filled_e2 += print_.count_e2
        self._list_fill(order, print_, is_taker, fee_e6)
        if order.group_id:
            self.groups.matched(order, print_.at_ms, print_.count_e2)
        if order.remaining_e2 == 0:
            order.status = EXECUTED
            order.booked = False
            self._leave(order)
        self.settle_state(order)

    def _book_money(self, order: Order, print_: Trade, is_taker: bool) -> int:
        """Move cash and position; returns the fee, rounding included."""
        account, market = order.account, order.market
        position = account.position(market.ticker)
        flow_e6 = position.trade(order.side, print_.price_e4, print_.count_e2)
        fee_e6 = trade_fee_e6(
            fee_type=market.fee_type,
            multiplier_e4=market.fee_multiplier_e4,
            price_e4=print_.price_e4,
            count_e2=print_.count_e2,
            is_taker=is_taker,
        )
        fee_e6 += rounding_fee_e6(flow_e6 - fee_e6, self._venue.knobs.balance_rounding_e6)
        position.fees_e6 += fee_e6
        account.flow_e6 += flow_e6
        account.fees_e6 += fee_e6
        account.move(market.shard, flow_e6 - fee_e6)
        account.stamp_position(market.ticker, print_.at_ms)
        return fee_e6

    def _list_fill(self, order: Order, print_: Trade, is_taker: bool, fee_e6: int) -> None:
        venue, member = self._venue, order.member
        cost_e6 = print_.count_e2 * leg_price_e4(order.side, print_.price_e4)
        if is_taker:
            order.taker_cost_e6 += cost_e6
            order.taker_fees_e6 += fee_e6
        else:
            order.maker_cost_e6 += cost_e6
            order.maker_fees_e6 += fee_e6
        fill = Fill(len(member.fills), print_, order, is_taker, fee_e6, venue.plant.strikes("skip-fill"))
        member.fills.append(fill)
        member.fills_by_ticker[print_.ticker].append(fill)
        venue.stats.fills += 1
        venue.emit_order(
            "fill",
            order,
            price_e4=print_.price_e4,
            count_e2=print_.count_e2,
            is_taker=is_taker,
            fee_e6=fee_e6,
        )

    def _leave(self, order: Order) -> None:
        order.member.unrest(order)
        order.market.member_orders.pop(order.id, None)
        if order.group_id:
            order.member.groups[order.group_id].orders.pop(order.id, None)
