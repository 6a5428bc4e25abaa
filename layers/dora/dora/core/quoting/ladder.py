"""The quotes of one side: the best price the model allows, and further levels behind it.

    bid       floor(min(wanted, f - fee(bid) - least edge, best ask - tick, best bid + n ticks))
    ask       ceil (max(wanted, f + fee(ask) + least edge, best bid + tick, best ask - n ticks))
    level i   i gaps behind level 0, a tick behind level i - 1 at least, and with the least edge too

f is fair value, `wanted` what the strategy asks for, n `max_improve_ticks`; the best prices are of others.
All is exact, and every rounding goes outward, away from fair value. The levels of a side share the room to
the largest position: the inner ones fill first, so they take it first.
"""

from dora.core.exchange.fees import maker_fee_per_contract
from dora.core.exchange.market import Side, slot_of
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import QuoteInputs
from dora.core.quoting.fair_value import FairValue
from dora.core.reasons import Reason
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Price, PriceGrid

BID = Side.BID
NANO = 10**9
NANO_PER_PRICE = NANO // ONE_DOLLAR


Ladder = tuple[list[TargetOrder], Reason | None]
"""One side: what rests, inner first, and why the levels behind that do not (None: all of them rest)."""


def ladder(side: Side, inputs: QuoteInputs, seen: FairValue, fair_e9: int, best: int) -> Ladder:
    """Every configured level of one side, the first at `best` (1e-4 $) or as near to it as the rules allow.

    `fair_e9` is fair value in 1e-9 $. Once a level rests nothing, no later one does.
    """
    config, net, ticker, sign = inputs.config, inputs.net, inputs.market.ticker, side.sign
    size, room = config.quote_size, config.max_position - sign * net
    price = _touch(side, inputs, seen, best)
    targets: list[TargetOrder] = []
    for level in range(config.levels):
        if targets:
            wanted = targets[0].price - sign * level * config.level_gap
            price = _clear(side, inputs.market.grid, wanted, price)
        count = size if size <= room else _whole(room)
        if count <= 0:
            return targets, Reason.POSITION_CAP
        if count < config.least_size and sign * net >= 0:
            return targets, Reason.TOO_SMALL
        found = _earning(side, price, count, inputs, fair_e9)
        if found is None:
            return targets, Reason.NO_EDGE
        price, edge = found
        targets.append(TargetOrder(slot_of(ticker, side, level), price, count, edge))
        room -= count
    return targets, None


def _touch(side: Side, inputs: QuoteInputs, seen: FairValue, best: int) -> Price:
    """The nearest price outward that meets nobody and leads its own side by little."""
    grid, most = inputs.market.grid, inputs.config.max_improve_ticks
    if side is BID:
        best = best if best <= seen.bid else min(best, grid.moved(seen.bid, most))
        return _clear(side, grid, best, seen.ask)
    best = best if best >= seen.ask else max(best, grid.moved(seen.ask, -most))
    return _clear(side, grid, best, seen.bid)


def _clear(side: Side, grid: PriceGrid, wanted: int, of: Price) -> Price:
    """The grid point nearest to `wanted`, outward, that is strictly further out than `of`."""
    if side is BID:
        return grid.floor(wanted if wanted < of else of - 1)
    return grid.ceil(wanted if wanted > of else of + 1)


def _whole(room: int) -> Count:
    """The whole contracts that fit: a full fill of a larger quote would pass the largest position."""
    return Count(max(room, 0) // CONTRACT * CONTRACT)


def _earning(
    side: Side, price: Price, count: Count, inputs: QuoteInputs, fair_e9: int
) -> tuple[Price, Price] | None:
    """The first price outward from this one whose full fill earns the least edge, and what it earns."""
    grid, fees, least = inputs.market.grid, inputs.fees, inputs.config.min_edge
    bid = side is BID
    worth = fair_e9 // NANO_PER_PRICE if bid else -(-fair_e9 // NANO_PER_PRICE)
    while 0 < price < ONE_DOLLAR:
        gain = worth - price if bid else price - worth
        edge = gain - maker_fee_per_contract(fees, price, count, side)
        if edge >= least:
            return price, Price(edge)
        price = grid.below(price) if bid else grid.above(price)
    return None
