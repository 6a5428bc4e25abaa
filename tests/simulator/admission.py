"""Reasons to refuse a new order, in the sequence in which the exchange looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .book import OPPOSITE, reaches
from .market import INACTIVE, TRADABLE
from .model import FOK, GTC, IOC, Order, OrderTicket
from .venue import held_e6
from .wire import Refusal

if TYPE_CHECKING:
    from .account import Account
    from .groups import Groups
    from .market import Market
    from .member import Member
    from .venue import Venue

POST_ONLY_CROSS = 400, "invalid_order", "post only cross"
_CLIENT_ID = re.compile(r"[A-Za-z0-9_:-]*")


class Admission:
    """Raises the Refusal an order deserves, or lets it pass."""

    def __init__(self, venue: Venue, groups: Groups) -> None:
        self._venue = venue
        self._groups = groups

    def check(self, member: Member, ticket: OrderTicket) -> None:
        self.client_id(member, ticket.client_order_id)
        self.open_for_orders(ticket.market)
        self._form(ticket)
        self.price(ticket.market, ticket.price_e4)
        if ticket.group_id:
            self._groups.admit(member, ticket.group_id, ticket.market.shard)
        account = self.account(member, ticket.subaccount)
        self.funds(member, account, ticket.market, (ticket.side, ticket.price_e4, ticket.count_e2))
        self._post_only(ticket)
        self._fill_or_kill(member, ticket)

    def client_id(self, member: Member, client_order_id: str) -> None:
        """The only dedupe key there is."""
        knobs = self._venue.knobs
        if len(client_order_id) > knobs.client_id_max_length or not _CLIENT_ID.fullmatch(client_order_id):
            raise Refusal(400, "invalid_parameters", "client_order_id")
        if not client_order_id or client_order_id not in member.client_ids:
            return
        earlier = member.client_ids[client_order_id]
        done = earlier is None or earlier.status != "resting"
        if knobs.client_id_scope == "ever" or not done:
            raise Refusal(409, "order_already_exists")

    def open_for_orders(self, market: Market) -> None:
        """Exchange up, market active, trading on."""
        self.open_for_cancels(market)
        self._venue.require_trading(market.shard)
        if market.status == INACTIVE:
            raise self._venue.trading_paused()

    def open_for_cancels(self, market: Market) -> None:
        """A closed market refuses even cancels."""
        self._venue.require_exchange(market.shard)
        if market.status not in TRADABLE:
            raise Refusal(self._venue.knobs.closed_market_http, self._venue.knobs.closed_market_code)

    def expiration(self, expiration_s: int | None) -> None:
        if expiration_s is not None and expiration_s * 1000 <= self._venue.now_ms():
            raise Refusal(400, "invalid_order", "Expiration timestamp must be in the future")

    def price(self, market: Market, price_e4: int) -> None:
        if not market.on_grid(price_e4):
            raise Refusal(400, "invalid_price")

    def account(self, member: Member, subaccount: int) -> Account:
        found = member.accounts.get(subaccount)
        if found is None:
            raise Refusal(404, "user_not_found")
        return found

    def funds(
        self,
        member: Member,
        account: Account,
        market: Market,
        extra: tuple[str, int, int],
        without: Order | None = None,
    ) -> None:
        """The market's shard must hold the cash for `extra` (side, price, count); other shards do not help.

        `without` is the order that `extra` would take the place of.
        """
        wanted_e6 = held_e6(member, account, market.ticker, extra, without)
        needed_e6 = wanted_e6 - account.reserved_e6.get(market.ticker, 0)
        if needed_e6 > account.free_e6(market.shard):
            if not account.cash_e6.get(market.shard):
                raise Refusal(404, self._venue.knobs.unfunded_shard_code)
            raise Refusal(400, self._venue.knobs.short_balance_code)

    def _form(self, ticket: OrderTicket) -> None:
        if ticket.count_e2 <= 0:
            raise Refusal(400, "invalid_order_size")
        if ticket.expiration_s is not None and ticket.time_in_force != GTC:
            raise Refusal(400, "invalid_order", "cannot specify both immediate_or_cancel and an expiration")
        if ticket.reduce_only and ticket.time_in_force == GTC:
            raise Refusal(400, "invalid_order", "reduce_only can only be used with IoC or FoK orders")
        if ticket.post_only and ticket.time_in_force in (IOC, FOK):
            raise Refusal(400, "invalid_order", "post only orders must rest")
        self.expiration(ticket.expiration_s)

    def _post_only(self, ticket: OrderTicket) -> None:
        """Refused before there is an order; by other knobs the engine makes and cancels one."""
        knobs = self._venue.knobs
        if crosses(ticket) and not (knobs.post_only_cross_rests or knobs.post_only_cross_leaves_row):
            raise Refusal(*POST_ONLY_CROSS)

    def _fill_or_kill(self, member: Member, ticket: OrderTicket) -> None:
        """All or nothing; against the owner's own order it behaves like immediate-or-cancel instead."""
        if ticket.time_in_force != FOK:
            return
        found_e2 = 0
        for order in ticket.market.book.halves[OPPOSITE[ticket.side]].orders():
            if not reaches(ticket.side, ticket.price_e4, order.price_e4) or found_e2 >= ticket.count_e2:
                break
            if order.member is member:
                return
            found_e2 += order.remaining_e2
        if found_e2 < ticket.count_e2:
            if ticket.client_order_id:
                member.client_ids[ticket.client_order_id] = None  # a killed order spends its id
            raise Refusal(409, "fill_or_kill_insufficient_resting_volume")


def crosses(ticket: OrderTicket) -> bool:
    """Whether an order that must rest would trade."""
    return ticket.post_only and ticket.market.book.crosses(ticket.side, ticket.price_e4)
