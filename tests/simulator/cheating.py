"""Planted faults that meddle with an order just accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .model import OrderTicket

if TYPE_CHECKING:
    from .changes import Changes
    from .engine import Engine
    from .member import Member
    from .model import Order
    from .venue import Venue


class Cheat:
    """Acts on the plant's orders; without planted modes it does nothing."""

    def __init__(self, venue: Venue, engine: Engine, changes: Changes) -> None:
        self._venue = venue
        self._engine = engine
        self._changes = changes

    def after_rest(self, member: Member, order: Order, ticket: OrderTicket) -> None:
        """An order has come to rest."""
        if self._venue.plant.strikes("double-order"):
            self._engine.rest(
                self._engine.new_order(member, replace(ticket, count_e2=order.remaining_e2, group_id=""))
            )
        if self._venue.plant.strikes("vanish-order"):
            self._changes.unbook(order)
