"""Both sides of a market from the prices that a strategy wants there."""

from typing import NamedTuple

from dora.core.exchange.market import Side, Slot, slot_of
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import QuoteInputs
from dora.core.quoting.fair_value import FairValue
from dora.core.quoting.ladder import NANO_PER_PRICE, Ladder, ladder
from dora.core.quoting.outside_value import fights
from dora.core.reasons import Reason

BID, ASK = Side.BID, Side.ASK


class Wanted(NamedTuple):
    """Fair value, and the best price wanted on each side, in 1e-9 $; rounding goes outward."""

    fair_e9: int
    bid_e9: int
    ask_e9: int


Dropped = tuple[tuple[Slot, Reason], ...]
Quotes = tuple[tuple[TargetOrder, ...], Dropped]
"""What rests, and what does not and why, as a `Decision` has it."""


def two_sided(inputs: QuoteInputs, seen: FairValue, wanted: Wanted) -> Quotes:
    """The ladders of both sides: on the grid, meeting nobody, with the least edge, within the position."""
    bids = ladder(BID, inputs, seen, wanted.fair_e9, wanted.bid_e9 // NANO_PER_PRICE)
    asks = ladder(ASK, inputs, seen, wanted.fair_e9, -(-wanted.ask_e9 // NANO_PER_PRICE))
    if inputs.config.fair_value_gate:
        bids, asks = _gated(BID, inputs, bids), _gated(ASK, inputs, asks)
    bids, asks = _uncrossed(bids, asks)
    dropped: Dropped = ()
    if bids[1] or asks[1]:
        dropped = _dropped(inputs, BID, bids) + _dropped(inputs, ASK, asks)
    return (*bids[0], *asks[0]), dropped


def _gated(side: Side, inputs: QuoteInputs, made: Ladder) -> Ladder:
    """No level where the best one fights the configured fair value."""
    if made[0] and fights(side, made[0][0].price, inputs.config, inputs.now_ms):
        return [], Reason.FAIR_VALUE_GATE
    return made


def _uncrossed(bids: Ladder, asks: Ladder) -> tuple[Ladder, Ladder]:
    """Our own best bid meeting our own best ask drops every level."""
    if bids[0] and asks[0] and bids[0][0].price >= asks[0][0].price:
        return ([], Reason.SELF_CROSS), ([], Reason.SELF_CROSS)
    return bids, asks


def _dropped(inputs: QuoteInputs, side: Side, made: Ladder) -> Dropped:
    """The levels of a side that rest nothing, where there is a reason."""
    targets, why = made
    if why is None:
        return ()
    levels = range(len(targets), inputs.config.levels)
    return tuple((slot_of(inputs.market.ticker, side, level), why) for level in levels)
