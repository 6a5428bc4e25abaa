"""Our side of one replay: what rests, what filled, what it cost, and what we hold, under one fill model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dora.core.accounts.ledger import Position
from dora.core.exchange import account
from dora.core.exchange.book import Resting
from dora.core.exchange.fees import FeeTerms, maker_fee
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.requests import ApprovedOrder, CancelRequest, DecreaseRequest, ExtendRequest
from dora.core.units import Count, Money, Price, TimeMs, value_of
from tests.reference.positions import apply_fill
from tests.replay.fill_models import FillModel, Rest, meets
from tests.replay.tape import Change, Track

CENT_E6 = 10_000


class Filled(NamedTuple):
    """One fill. `fee`: its cost besides the price, rounding and rebate included. `net`: what we held then."""

    at_ms: int
    ticker: str
    side: Side
    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in a fill
    fee: Money
    net: Count = Count(0)


@dataclass(slots=True)
class _Order:
    """An order at the exchange. `overpaid` is what balance rounding kept and has not paid back yet."""

    rest: Rest
    tracked: TrackedOrder
    overpaid: Money = Money(0)


class Desk:
    """Everything that differs between the fill models of one replay.

    `tracked` are the open orders as a journal holds them, `positions` and `nets` the holdings, by ticker.
    """

    def __init__(self, model: FillModel) -> None:
        self._model = model
        self._orders: dict[str, dict[str, _Order]] = {}
        self._placed = 0
        self.tracked: dict[str, TrackedOrder] = {}
        self.positions: dict[str, Position] = {}
        self.nets: dict[str, Count] = {}
        self.fills: list[Filled] = []

    def rests(self, ticker: str) -> bool:
        """Whether any order of ours rests in this market."""
        return bool(self._orders.get(ticker))

    def resting(self, ticker: str) -> Sequence[Resting]:
        """What of ours the book of this market shows."""
        return [
            (order.rest.side, order.rest.price, order.rest.remaining)
            for order in self._orders.get(ticker, {}).values()
        ]

    def live_through(self, track: Track, fees: FeeTerms, after_ms: int, until_ms: int) -> None:
        """Let the market go on; orders fill, and expire when their time comes."""
        orders = self._orders.get(track.market.ticker)
        if not orders:
            return
        for moment in track.moments_between(after_ms, until_ms):
            for order in tuple(orders.values()):
                if order.tracked.expires_by(TimeMs(moment.at_ms)):
                    self._forget(order)
                    continue
                filled = (
                    self._model.changed(order.rest, moment, track.printed)
                    if isinstance(moment, Change)
                    else self._model.traded(order.rest, moment)
                )
                if filled:
                    self._book(order, filled, moment.at_ms, fees)
        for order in [own for own in orders.values() if own.tracked.expires_by(TimeMs(until_ms))]:
            self._forget(order)

    def cancel(self, requests: Iterable[CancelRequest]) -> set[str]:
        """Take orders off; returns markets in which one held less than the bot had seen when it decided."""
        surprised = set()
        for request in requests:
            order = self._find(request.ticker, request.client_order_id)
            if order is None or order.rest.remaining < request.remaining:
                surprised.add(request.ticker)
            if order is not None:
                self._forget(order)
        return surprised

    def decrease(self, requests: Iterable[DecreaseRequest]) -> None:
        """Cut orders in place; what filled meanwhile counts toward the cut."""
        for request in requests:
            order = self._find(request.ticker, request.client_order_id)
            if order is not None and order.rest.remaining > request.reduce_to:
                cut = Count(order.rest.remaining - request.reduce_to)
                order.rest.remaining = request.reduce_to
                self._note(order, reduced=Count(order.tracked.reduced + cut))

    def extend(self, requests: Iterable[ExtendRequest]) -> None:
        """Let orders rest longer."""
        for request in requests:
            order = self._find(request.ticker, request.client_order_id)
            if order is not None:
                self._note(order, expires_ms=TimeMs(request.expires_s * 1000))

    def place(self, target: ApprovedOrder, track: Track, at_ms: int, expires_ms: TimeMs) -> bool:
        """Rest a new order; False: it would have crossed the book, and a post-only order is refused then."""
        slot, quote = target.slot, track.quote_at(at_ms)
        rest = Rest(slot.side, target.price, target.count, Count(0))
        if quote is not None and meets(rest, quote):
            return False
        self._model.joins(rest, quote)
        self._placed += 1
        tracked = _tracked(f"{self._placed:08}", slot, target, TimeMs(at_ms), expires_ms)
        self._orders.setdefault(slot.ticker, {})[tracked.client_order_id] = _Order(rest, tracked)
        self.tracked[tracked.client_order_id] = tracked
        return True

    def withdraw(self, ticker: str | None = None) -> None:
        """Forget the orders of a market, or all: nobody can say what became of them."""
        tickers = list(self._orders) if ticker is None else [ticker]
        for order in [order for name in tickers for order in self._orders.get(name, {}).values()]:
            self._forget(order)

    def _find(self, ticker: str, key: str) -> _Order | None:
        return self._orders.get(ticker, {}).get(key)

    def _forget(self, order: _Order) -> None:
        key = order.tracked.client_order_id
        del self._orders[order.tracked.slot.ticker][key], self.tracked[key]

    def _note(self, order: _Order, **changed: Any) -> None:
        order.tracked = order.tracked._replace(remaining=order.rest.remaining, **changed)
        self.tracked[order.tracked.client_order_id] = order.tracked

    def _book(self, order: _Order, count: Count, at_ms: int, fees: FeeTerms) -> None:
        slot, price = order.tracked.slot, order.tracked.price
        fee = _charged(order, count, fees)
        filled = Filled(at_ms, slot.ticker, slot.side, price, count, fee)
        before = self.positions.get(slot.ticker) or Position(ticker=slot.ticker, shard=0)
        after = self.positions[slot.ticker] = apply_fill(before, ledger_fill(filled))
        self.nets[slot.ticker] = after.net
        self.fills.append(filled._replace(net=after.net))
        if order.rest.remaining:
            self._note(order, booked=Count(order.tracked.booked + count))
        else:
            self._forget(order)


def _charged(order: _Order, count: Count, fees: FeeTerms) -> Money:
    """Trade fee, and what rounding the balance down takes, less the whole cents of it that are paid back.

    No fill pays back more than it costs itself.
    """
    fee = maker_fee(fees, order.tracked.price, count)
    spent = order.tracked.slot.side.sign * value_of(order.tracked.price, count) + fee
    excess = -spent % fees.balance_step
    kept = order.overpaid + excess
    rebate = min(kept, fee + excess) // CENT_E6 * CENT_E6
    order.overpaid = Money(kept - rebate)
    return Money(fee + excess - rebate)


def ledger_fill(filled: Filled) -> account.Fill:
    """As the exchange lists it."""
    return account.Fill(
        fill_id="",
        order_id="",
        ticker=filled.ticker,
        shard=0,
        side=filled.side,
        price=filled.price,
        count=filled.count,
        is_taker=False,
        fee=filled.fee,
        at_ms=TimeMs(filled.at_ms),
    )


def _tracked(key: str, slot: Slot, target: ApprovedOrder, at_ms: TimeMs, expires_ms: TimeMs) -> TrackedOrder:
    return TrackedOrder(
        client_order_id=key,
        slot=slot,
        shard=0,
        price=target.price,
        count=target.count,
        remaining=target.count,
        state=OrderState.LIVE,
        sent_ms=at_ms,
        order_id=key,
        write_ms=at_ms,
        expires_ms=expires_ms,
    )
