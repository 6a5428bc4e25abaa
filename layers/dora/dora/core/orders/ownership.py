"""Which rows may be ours although they are not understood, and what those of others may mean at worst."""

from collections.abc import Collection, Iterable
from functools import cached_property

from dora.core.event_group import EventGroup
from dora.core.exchange.account import Order, OrderStatus
from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.market import Side
from dora.core.orders.journal import Journal
from dora.core.session import SessionMetadata
from dora.core.units import ONE_DOLLAR, Count, Price, TimeMs

ORDERS, POSITIONS, SETTLEMENTS = "orders", "market_positions", "settlements"

NO_MARKET = ""
"""Stands for the market of an order that does not say it."""


class Ownership:
    """All that marks a row as ours, as the journal and the session have it.

    Worked out where a row asks for it: in most cycles every row is understood, and none does.
    """

    def __init__(
        self,
        prefix: str,
        journal: Journal,
        session: SessionMetadata | None,
        quoted: Collection[str] = (),
        events: Iterable[EventGroup] = (),
    ) -> None:
        self._prefix, self._journal, self._session, self._quoted = prefix, journal, session, quoted
        self._events = tuple(events)

    @cached_property
    def _group_ids(self) -> frozenset[str]:
        groups = {group.group_id for group in self._session.order_groups} if self._session else set()
        groups |= {group.group_id for group in self._events if group.group_id}
        orders = self._journal.orders.values()
        return frozenset(groups | {order.group_id for order in orders if order.group_id})

    @cached_property
    def _tickers(self) -> frozenset[str]:
        """Markets that are quoted, or in which the journal holds an order: every fill there counts for us,
        and what the account holds there is our position.
        """
        return frozenset({*self._quoted, *(order.slot.ticker for order in self._journal.orders.values())})

    @cached_property
    def _unlearned(self) -> frozenset[str]:
        """Markets in which an open order of ours has no exchange id yet: a row without a name may be its."""
        orders = self._journal.orders.values()
        return frozenset(order.slot.ticker for order in orders if not order.order_id and order.open)

    def may_be_order(self, row: UnreadableRow) -> bool:
        """By its client order id, its exchange id or its group; by its market where it has no name at all."""
        name = row.client_order_id
        if name is not None and (name.startswith(self._prefix) or name in self._journal.orders):
            return True
        if row.order_id in self._journal.by_order_id() or row.group_id in self._group_ids:
            return True
        return name is None and (row.order_id is None or self._may_be_unlearned(row))

    def _may_be_unlearned(self, row: UnreadableRow) -> bool:
        return bool(self._unlearned) if row.ticker is None else row.ticker in self._unlearned

    def may_be_fill(self, row: UnreadableRow) -> bool:
        """By its order, or by its market: there the ledger holds every fill, whoever's order it was of."""
        return (
            row.order_id in self._journal.by_order_id() or row.ticker is None or row.ticker in self._tickers
        )

    def may_be_position(self, row: UnreadableRow) -> bool:
        """By its market."""
        return row.ticker is None or row.ticker in self._tickers

    def may_be_group(self, row: UnreadableRow) -> bool:
        """By its id; a group that says none may be any."""
        return row.group_id is None or row.group_id in self._group_ids


def never(_: UnreadableRow) -> bool:
    """Of a settlement: each is booked by itself, so one that is not understood leaves the others known."""
    return False


# --- others' rows at their worst ------------------------------------------------------------------------


def external_orders(rows: Iterable[UnreadableRow]) -> tuple[Order, ...]:
    """Others' orders whose side and count can be read, as risk is to count them: resting, in full.

    Without a readable price at the worst one. Without a readable market as an event of its own: it adds to
    the total loss and to the open orders; that it could meet a quote of ours on the other side is left to
    the exchange's self-trade prevention.
    """
    return tuple(_at_worst(row) for row in rows if row.list_name == ORDERS and _is_bounded(row))


def unread_markets(rows: Iterable[UnreadableRow]) -> frozenset[str]:
    """Markets that are not quoted, because an order of others there may be of any size or on either side.

    An order that says neither its market nor its size bars nothing: that would be every market, for as long
    as somebody else leaves it there. It is reported.
    """
    return frozenset(
        row.ticker
        for row in rows
        if row.list_name == ORDERS and row.ticker is not None and not _is_bounded(row)
    )


def _is_bounded(row: UnreadableRow) -> bool:
    return row.side is not None and row.remaining is not None and row.remaining >= 0


def _at_worst(row: UnreadableRow) -> Order:
    side, remaining = row.side or Side.BID, row.remaining or Count(0)
    worst = ONE_DOLLAR if side is Side.BID else Price(0)
    known = row.price is not None and 0 <= row.price <= ONE_DOLLAR
    return Order(
        order_id=row.order_id or "",
        client_order_id=row.client_order_id or "",
        ticker=row.ticker or NO_MARKET,
        shard=0,
        side=side,
        price=row.price if known and row.price is not None else worst,
        status=OrderStatus.RESTING,
        initial=remaining,
        remaining=remaining,
        filled=Count(0),
        updated_ms=TimeMs(0),
    )
