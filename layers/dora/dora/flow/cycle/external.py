"""Orders and fills of this account that are not ours: each is told; where it is to be ours alone, a halt.

A fill names its order and no more, so one of an order that the journal does not know is looked up by its id:
it may be of an order of ours that was forgotten.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dora.core.errors import ExchangeError
from dora.core.exchange.account import Fill, Order
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.ports import Facts, Ports
from dora.core.reasons import Reason
from dora.core.state import KillSwitch
from dora.core.units import Count, Price, TimeMs, format_count, format_price
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.cycle.loss_limits import halt
from dora.flow.shared.reads import await_tokens
from dora.flow.shared.reported import Reported

EXTERNAL = "#external"
"""Where memory keeps what was told already. Losing it costs repeated lines."""
MOST_LOOKUPS = 5
MOST_KEPT = 200
"""Ids of each kind; an account that holds more of others' orders has its lines repeated."""


class Watch(NamedTuple):
    """The kill flag after it, and what was told, as memory keeps it."""

    control: KillSwitch
    told: Mapping[str, object]


def watch_external(
    ports: Ports, loaded: LoadedState, control: KillSwitch, snapshot: Snapshot, reconciled: ReconciledOrders
) -> Watch:
    """`EXTERNAL_ACTIVITY` for what is new; a halt where the account is ours alone.

    A fill counts from the latest start, reset or `resume` on, so that one that led to a halt leads to none
    after a person has looked. Safe to repeat: a cycle that dies before it has told says it again.
    """
    known = loaded.state.memory.get(EXTERNAL, {})
    orders, fills = reconciled.external, _others(snapshot.fills or (), loaded, control, reconciled)
    seen_orders, seen_fills = _ids(known, "orders"), _ids(known, "fills")
    for order in orders:
        if order.order_id not in seen_orders:
            _tell(ports.facts, "order", order, order.price, order.remaining)
    ours, others = _judged(ports, loaded, [fill for fill in fills if fill.fill_id not in seen_fills])
    for fill in others:
        _tell(ports.facts, "fill", fill, fill.price, fill.count)
    limits = loaded.configs.globals_
    if limits is not None and limits.exclusive and not control.halted and (orders or others):
        control = halt(ports, Reason.EXTERNAL_ACTIVITY, orders=len(orders), fills=len(others))
    listed = {fill.fill_id for fill in fills} & (seen_fills | {fill.fill_id for fill in (*ours, *others)})
    return Watch(control, _kept({order.order_id for order in orders}, listed))


def _kept(orders: set[str], fills: set[str]) -> dict[str, object]:
    kept = {"orders": sorted(orders)[:MOST_KEPT], "fills": sorted(fills)[:MOST_KEPT]}
    return {kind: ids for kind, ids in kept.items() if ids}


def _ids(known: Mapping[str, object], kind: str) -> set[str]:
    ids = known.get(kind)
    return set(ids) if isinstance(ids, list) else set()


def _others(
    fills: Sequence[Fill], loaded: LoadedState, control: KillSwitch, reconciled: ReconciledOrders
) -> list[Fill]:
    """Fills of orders that the journal does not hold, since a person last looked."""
    session = loaded.state.session
    since_ms = max(session.live_since_ms if session else TimeMs(0), control.at_ms)
    ours = reconciled.journal.by_order_id().keys() | loaded.journal.by_order_id().keys()
    return [fill for fill in fills if fill.order_id not in ours and fill.at_ms > since_ms]


def _judged(ports: Ports, loaded: LoadedState, fills: Sequence[Fill]) -> tuple[list[Fill], list[Fill]]:
    """Of these, ours and others'; what could not be looked up is in neither, and has its turn again."""
    owner: dict[str, bool] = {}
    for order_id in sorted({fill.order_id for fill in fills})[:MOST_LOOKUPS]:
        await_tokens(ports, "read", [loaded.limits.order_read_cost])
        with Reported(ports.facts, f"order {order_id} of a fill", ExchangeError):
            row = ports.exchange.order(order_id)
            owner[order_id] = row is not None and row.client_order_id.startswith(ports.prefix)
    ours = [fill for fill in fills if owner.get(fill.order_id) is True]
    return ours, [fill for fill in fills if owner.get(fill.order_id) is False]


def _tell(facts: Facts, kind: str, row: Order | Fill, price: Price, size: Count) -> None:
    facts.count("ExternalActivity", 1)
    facts.emit(
        "EXTERNAL_ACTIVITY",
        kind=kind,
        market=row.ticker,
        order_id=row.order_id,
        side=row.side,
        price=format_price(price),
        size=format_count(size),
    )
