"""The matching engine: placing, amending, decreasing and cancelling members' orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from .admission import POST_ONLY_CROSS, Admission, crosses
from .book import OPPOSITE, reaches
from .market import TRADABLE
from .model import GTC, RESTING, Order, OrderTicket, Resting
from .wire import Refusal, not_found

if TYPE_CHECKING:
    from .changes import Changes
    from .groups import Groups
    from .market import Market
    from .member import Member
    from .venue import Venue

ORDER_ID = 0xE5D8


@dataclass(frozen=True, slots=True)
class Amendment:
    """A decoded amend request; `expiration_s` None keeps the expiry, 0 clears it."""

    ticker: str
    side: str
    price_e4: int
    count_e2: int
    client_order_id: str = ""
    new_client_order_id: str = ""
    expiration_s: int | None = None


class Engine:
    """Price-time matching. Every public method raises Refusal and changes nothing when it does, but for a
    post-only order that crosses: by default it leaves a canceled order."""

    def __init__(self, venue: Venue, changes: Changes, groups: Groups) -> None:
        self._venue = venue
        self._changes = changes
        self._groups = groups
        self.admission = Admission(venue, groups)

    def place(self, member: Member, ticket: OrderTicket) -> Order:
        """Match what crosses, then rest or cancel the remainder. The answer is in the order's state."""
        try:
            ticket = self._cap_reduce_only(member, ticket)
            self.admission.check(member, ticket)
        except Refusal:
            if self._venue.knobs.refused_spends_client_id and ticket.client_order_id:
                member.client_ids.setdefault(ticket.client_order_id, None)
            raise
        order = self.new_order(member, ticket)
        crossing = crosses(ticket)
        if crossing and not self._venue.knobs.post_only_cross_rests:
            self._changes.cancel(order, "post only cross")
            raise Refusal(*POST_ONLY_CROSS)
        self._venue.stats.orders += ticket.time_in_force == GTC
        self._venue.emit_order("order", order)
        if crossing:
            self._changes.cancel(order, "post only cross")
        else:
            self._execute(order, rests=ticket.time_in_force == GTC)
        if self._venue.now_ms() < member.cancel_all_until_ms and order.status == RESTING:
            self._changes.cancel(order, "cancel all")
        return order

    def cancel(self, member: Member, order_id: str, shard: int, ticker: str = "") -> tuple[Order, int]:
        """Cancel a resting order of that shard; returns it and what remained of it."""
        order = self.resting(member, order_id, shard, ticker)
        return order, self._changes.cancel(order, "member")

    def cancel_all(self, member: Member, subaccount: int | None) -> None:
        """Cancel every resting order on every shard that takes cancels."""
        now_ms = self._venue.now_ms()
        member.cancel_all_until_ms = now_ms + self._venue.knobs.cancel_all_echo_ms
        for order in list(member.resting.values()):
            wanted = subaccount in (None, order.account.number)
            if wanted and order.booked and self._takes_cancels(order.market):
                self._changes.cancel(order, "cancel all")

    def decrease(self, member: Member, order: Order, *, by_e2: int | None, to_e2: int | None) -> None:
        """Take contracts off in place; at zero the order is canceled."""
        if not self._venue.knobs.decrease_works_in_pause:
            self.admission.open_for_orders(order.market)
        target_e2 = order.remaining_e2 - by_e2 if by_e2 is not None else to_e2
        if target_e2 is None or target_e2 > order.remaining_e2 or (by_e2 is not None and by_e2 <= 0):
            raise Refusal(400, "invalid_parameters")
        if target_e2 <= 0:
            self._changes.cancel(order, "decrease")
            return
        self._shrink(order, target_e2)
        self._changes.settle_state(order)
        self._venue.emit_order("amend", order, code="decrease")

    def amend(self, member: Member, order: Order, amendment: Amendment) -> int:
        """Change price, size or expiry; returns the contracts filled by the change.

        Queue place survives a size decrease and an expiry-only change, nothing else.
        """
        self._check_amendment(member, order, amendment)
        filled_before_e2 = order.filled_e2
        self._rename(order, amendment)
        remaining_e2 = amendment.count_e2 - order.filled_e2
        keeps_place = amendment.price_e4 == order.price_e4 and remaining_e2 <= order.remaining_e2
        order.initial_e2 = amendment.count_e2
        if keeps_place:
            self._shrink(order, remaining_e2)
            self._changes.settle_state(order)
        else:
            self._requeue(order, amendment.price_e4, remaining_e2)
        self._venue.emit_order("amend", order, code="amend")
        return order.filled_e2 - filled_before_e2

    def resting(self, member: Member, order_id: str, shard: int, ticker: str = "") -> Order:
        """The resting order a write names: 404 when gone, unknown or on another shard."""
        order = member.by_id.get(order_id)
        if order is None or order.market.shard != shard:
            self._venue.require_exchange(shard if shard in self._venue.shards else 0)
            raise not_found()
        self.admission.open_for_cancels(order.market)
        if not order.booked:
            raise not_found()
        if ticker and ticker != order.market.ticker:
            raise Refusal(400, "order_ticker_mismatch")
        return order

    def new_order(self, member: Member, ticket: OrderTicket) -> Order:
        """Enter an order in the member's books without matching it."""
        now_ms = self._venue.now_ms()
        order = Order(
            id=self._venue.new_id(ORDER_ID),
            seq=len(member.orders),
            member=member,
            account=member.accounts[ticket.subaccount],
            market=ticket.market,
            client_order_id=ticket.client_order_id,
            side=ticket.side,
            price_e4=ticket.price_e4,
            initial_e2=ticket.count_e2,
            remaining_e2=ticket.count_e2,
            created_ms=now_ms,
            stp=ticket.stp,
            post_only=ticket.post_only,
            cancel_on_pause=ticket.cancel_on_pause,
            group_id=ticket.group_id,
            expiration_s=ticket.expiration_s,
        )
        member.adopt(order)
        self._watch_expiry(order)
        return order

    def rest(self, order: Order) -> None:
        """Rest an order as it is."""
        self._changes.rest(order)
        self._changes.settle_state(order)

    def sweep(self, market: Market, taker: Resting, limit_e4: int, stp: str = "") -> bool:
        """Trade against the book up to the limit. False: stopped at the taker's own order."""
        contra = market.book.contra(taker.side)
        while taker.remaining_e2:
            maker = contra.head()
            if maker is None or not reaches(taker.side, limit_e4, maker.price_e4):
                break
            if isinstance(maker, Order) and maker.member is taker.member:
                resting_decides = self._venue.knobs.self_trade_mode_of == "resting"
                if (maker.stp if resting_decides else stp) != "maker":
                    return False
                self._changes.cancel(maker, "self trade")
                continue
            self._changes.trade(market, maker, taker)
        return True

    def _execute(self, order: Order, *, rests: bool) -> None:
        clear = self.sweep(order.market, order, order.price_e4, order.stp)
        if order.remaining_e2 and clear and rests:
            self.rest(order)
        elif order.remaining_e2:
            self._changes.cancel(order, "unfilled" if clear else "self trade")
        self._groups.judge()

    def _cap_reduce_only(self, member: Member, ticket: OrderTicket) -> OrderTicket:
        if not ticket.reduce_only or ticket.time_in_force == GTC:
            return ticket
        position_e2 = self.admission.account(member, ticket.subaccount).position_e2(ticket.market.ticker)
        reducible_e2 = max(0, -position_e2 if ticket.side == "bid" else position_e2)
        return replace(ticket, count_e2=min(ticket.count_e2, reducible_e2))

    def _check_amendment(self, member: Member, order: Order, amendment: Amendment) -> None:
        self.admission.open_for_orders(order.market)
        if amendment.ticker != order.market.ticker:
            raise Refusal(400, "order_ticker_mismatch")
        if amendment.side != order.side:
            raise Refusal(400, "order_side_mismatch")
        if amendment.client_order_id and amendment.client_order_id != order.client_order_id:
            raise Refusal(400, "order_id_and_client_order_id_mismatch")
        if amendment.count_e2 <= order.filled_e2:
            raise Refusal(400, "invalid_order_size")
        if amendment.new_client_order_id and amendment.new_client_order_id != order.client_order_id:
            self.admission.client_id(member, amendment.new_client_order_id)
        self.admission.expiration(amendment.expiration_s or None)
        if amendment.price_e4 != order.price_e4:
            self.admission.price(order.market, amendment.price_e4)
        self._check_amended_market(member, order, amendment)

    def _check_amended_market(self, member: Member, order: Order, amendment: Amendment) -> None:
        """The amended order must be payable, must not meet its owner's orders, and may be post-only."""
        contra = order.market.book.halves[OPPOSITE[order.side]]
        for other in contra.orders():
            if not reaches(order.side, amendment.price_e4, other.price_e4):
                break
            if other.member is member:
                raise Refusal(400, "invalid_order", "replace would cross own order")
            if order.post_only and self._venue.knobs.amend_post_only_cross == "refused":
                raise Refusal(*POST_ONLY_CROSS)
        wanted_e2 = amendment.count_e2 - order.filled_e2
        extra = (order.side, amendment.price_e4, wanted_e2)
        self.admission.funds(member, order.account, order.market, extra, without=order)

    def _rename(self, order: Order, amendment: Amendment) -> None:
        if amendment.new_client_order_id:
            order.client_order_id = amendment.new_client_order_id
            order.member.client_ids[amendment.new_client_order_id] = order
        if amendment.expiration_s is not None:
            order.expiration_s = amendment.expiration_s or None
            self._watch_expiry(order)

    def _shrink(self, order: Order, remaining_e2: int) -> None:
        order.market.book.halves[order.side].shrink(order, order.remaining_e2 - remaining_e2)
        order.market.revision += 1

    def _requeue(self, order: Order, price_e4: int, remaining_e2: int) -> None:
        """To the back of the queue at the new price, trading on the way unless it is post-only."""
        self._changes.unbook(order)
        order.price_e4, order.remaining_e2 = price_e4, remaining_e2
        if order.post_only and order.market.book.crosses(order.side, price_e4):
            self._changes.cancel(order, "post only cross")
        else:
            self._execute(order, rests=True)

    def _takes_cancels(self, market: Market) -> bool:
        return self._venue.shards[market.shard].exchange_active and market.status in TRADABLE

    def _watch_expiry(self, order: Order) -> None:
        if order.expiration_s is not None:
            self._venue.later(order.expiration_s * 1000, partial(self._expire, order, order.expiration_s))

    def _expire(self, order: Order, expiration_s: int) -> None:
        if order.status == RESTING and order.expiration_s == expiration_s:
            self._changes.cancel(order, "expired")
