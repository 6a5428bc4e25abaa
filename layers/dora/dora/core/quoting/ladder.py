"""The quotes of one side: the best price the model allows, and further levels behind it.

    bid       floor(min(r - d, f - fee(bid) - least edge, best ask - tick))
    ask       ceil (max(r + d, f + fee(ask) + least edge, best bid + tick))
    level i   i gaps behind level 0, a tick behind level i - 1 at least, and with the least edge too

f is fair value, r the reservation price, d the half-spread. From the model on everything is exact, and
every rounding goes outward, away from fair value. The levels of a side share the room to the largest
position: the inner ones fill first, so they take it first.
"""

from typing import NamedTuple

from dora.core.exchange.fees import maker_fee_per_contract
from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import QuoteInputs
from dora.core.quoting.fair_value import FairValue
from dora.core.reasons import Reason
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Price, PriceGrid

NANO = 10**9
NANO_PER_PRICE = NANO // ONE_DOLLAR

Quote = TargetOrder | Reason
"""What one level rests, or why it rests nothing."""


class Model(NamedTuple):
    """Fair value, reservation price and half-spread in 1e-9 $."""

    fair: int
    reservation: int
    half: int


def ladder(side: Side, inputs: QuoteInputs, seen: FairValue, model: Model) -> dict[Slot, Quote]:
    """Every configured level of one side, inner first; once a level rests nothing, no later one does."""
    config, grid = inputs.config, inputs.market.grid
    room = config.max_position - side.sign * inputs.net
    top = price = _touch(side, grid, seen, model)
    quotes: dict[Slot, Quote] = {}
    for level in range(config.levels):
        slot = Slot(inputs.market.ticker, side, level)
        quotes[slot] = found = _quote(slot, price, _count(inputs, room), inputs, model)
        if isinstance(found, TargetOrder):
            room -= found.count
            top = top if level else found.price
            wanted = Price(top - side.sign * (level + 1) * config.level_gap)
            price = _clear(side, grid, wanted, found.price)
    return quotes


def _touch(side: Side, grid: PriceGrid, seen: FairValue, model: Model) -> Price:
    """The best price that keeps the half-spread and does not meet the other side of the book."""
    if side is Side.BID:
        highest = Price((model.reservation - model.half) // NANO_PER_PRICE)
        return _clear(side, grid, highest, seen.ask)
    lowest = Price(-((-model.reservation - model.half) // NANO_PER_PRICE))
    return _clear(side, grid, lowest, seen.bid)


def _clear(side: Side, grid: PriceGrid, wanted: Price, of: Price) -> Price:
    """The grid point nearest to `wanted`, outward, that is strictly further out than `of`."""
    if side is Side.BID:
        return min(grid.floor(wanted), grid.below(of))
    return max(grid.ceil(wanted), grid.above(of))


def _count(inputs: QuoteInputs, room: int) -> Count:
    """The quote size, cut to whole contracts where a full fill would pass the largest position."""
    size = inputs.config.quote_size
    return size if size <= room else Count(max(room, 0) // CONTRACT * CONTRACT)


def _quote(slot: Slot, price: Price, count: Count, inputs: QuoteInputs, model: Model) -> Quote:
    """The first price outward from this one whose full fill earns the least edge."""
    if count <= 0:
        return Reason.POSITION_CAP
    while 0 < price < ONE_DOLLAR:
        gain = slot.side.sign * (model.fair - price * NANO_PER_PRICE) // NANO_PER_PRICE
        edge = Price(gain - maker_fee_per_contract(inputs.fees, price, count, slot.side))
        if edge >= inputs.config.min_edge:
            return _checked(inputs, TargetOrder(slot=slot, price=price, count=count, edge=edge))
        price = _clear(slot.side, inputs.market.grid, price, price)
    return Reason.NO_EDGE


def _checked(inputs: QuoteInputs, target: TargetOrder) -> Quote:
    """The last look before a price leaves the model."""
    within = 0 < target.count <= inputs.config.quote_size
    return target if within and target.price in inputs.market.grid else Reason.TARGET_INVALID
