"""Fills and dated entries into the books of one market, whatever order they arrive in.

Average cost depends on the order of fills, and a list may show a fill late. So the latest events are kept,
with the position before them: one that arrives late takes its place by its own time, and what followed it is
worked out again. Beyond `RECENT` events a late fill counts as the oldest of them: position, cash, fees and
the profit at any mark are exact all the same, only its split into realised and unrealised may not be the
exchange's.

An entry states a position instead of changing it: at this time the exchange counted so many contracts at that
cost. A fill that turns out to be older changes what stood before it, and so explains a part of it; a later
fill is booked on top. Nothing is thus counted twice. An entry by itself earns nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple

from dora.core.accounts.basis import Basis, after_trade, cost_in_yes
from dora.core.accounts.market_ledger import BookedEvent, MarketLedger
from dora.core.exchange.account import Fill
from dora.core.exchange.market import Side
from dora.core.units import Count, Money, Price, TimeMs, complement, value_of

RECENT = 10
"""Events kept: an item of a market stays below 1 kB, which is one write unit."""


class PositionEntry(NamedTuple):
    """What the exchange counted at a time: net contracts, and their cost on their own leg.

    `opening`: our books of this market begin with it, so that older fills are none of ours.
    """

    ticker: str
    shard: int
    net: Count
    cost: Money
    at_ms: TimeMs
    opening: bool = False


def book_fill(ledger: MarketLedger, fill: Fill) -> MarketLedger:
    """The books after one fill. Booking a fill twice counts it twice: dedupe on `fill_id` first.

    Of a settled market: `core/accounts/settlement.py`. A fill older than the opening is part of it.
    """
    if fill.at_ms <= ledger.opened_ms:
        return ledger
    bid = fill.side is Side.BID
    signed = fill.count if bid else Count(-fill.count)
    leg = fill.price if bid else complement(fill.price)
    return _with_event(
        ledger,
        BookedEvent(fill.at_ms, False, signed, fill.price),
        cash=Money(ledger.cash - value_of(fill.price, signed)),
        fees=Money(ledger.fees + fill.fee),
        fills=ledger.fills + 1,
        traded=Count(ledger.traded + fill.count),
        volume=Money(ledger.volume + value_of(leg, fill.count)),
        filled_ms=max(ledger.filled_ms, fill.at_ms),
    )


def enter_position(ledger: MarketLedger, entry: PositionEntry) -> MarketLedger:
    """The books after a dated entry: the exchange's position at the exchange's cost, without any profit."""
    event = BookedEvent(entry.at_ms, True, entry.net, entry.cost)
    after = _with_event(ledger, event, cash=ledger.cash)
    if entry.opening:
        return after._replace(opened_ms=entry.at_ms, unexplained=ledger.unexplained)
    return after._replace(adjusted_ms=max(entry.at_ms, ledger.adjusted_ms))


def before_entry(ledger: MarketLedger, net: Count, cost: Money) -> MarketLedger | None:
    """The books without the latest entry of such a position; None where none is among their latest events.

    Fills since then stand as they are: what differs is what the entry brought in.
    """
    places = [
        at for at, own in enumerate(ledger.recent) if own.states and (own.count, own.amount) == (net, cost)
    ]
    if not places:
        return None
    before = _play(Basis(ledger.base_net, ledger.base_cost), ledger.recent[: places[-1]]).basis
    stated = Basis(net, cost)
    return ledger._replace(
        net=Count(ledger.net - stated.net + before.net),
        cash=Money(ledger.cash - cost_in_yes(before) + cost_in_yes(stated)),
    )


class _Outcome(NamedTuple):
    """The position after some events, and what the entries among them brought in."""

    basis: Basis
    cost: int = 0
    cash: int = 0
    contracts: int = 0


def _play(before: Basis, events: Iterable[BookedEvent]) -> _Outcome:
    basis, cost, cash, contracts = before, 0, 0, 0
    for event in events:
        if not event.states:
            basis = after_trade(basis, event.count, Price(event.amount))
            continue
        stated = Basis(event.count, Money(event.amount))
        cost += stated.cost - basis.cost
        cash += cost_in_yes(basis) - cost_in_yes(stated)
        contracts += stated.net - basis.net
        basis = stated
    return _Outcome(basis, cost, cash, contracts)


def _with_event(ledger: MarketLedger, event: BookedEvent, *, cash: Money, **others: Any) -> MarketLedger:
    """Position and entries after it, and the fields that a fill changes by itself; `cash`: with its price."""
    base, recent = Basis(ledger.base_net, ledger.base_cost), ledger.recent
    at = bisect_right(recent, event.place, key=attrgetter("place"))
    events = (*recent[:at], event, *recent[at:])
    if at == len(recent):
        was, now = _Outcome(ledger.basis), _play(ledger.basis, (event,))
    else:
        was, now = _play(base, recent), _play(base, events)
    base = _play(base, events[:-RECENT]).basis
    return ledger._replace(
        net=now.basis.net,
        cost=now.basis.cost,
        brought=Money(ledger.brought + now.cost - was.cost),
        cash=Money(cash + now.cash - was.cash),
        unexplained=Count(ledger.unexplained + now.contracts - was.contracts),
        base_net=base.net,
        base_cost=base.cost,
        recent=events[-RECENT:],
        **others,
    )
