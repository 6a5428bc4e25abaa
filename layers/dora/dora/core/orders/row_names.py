"""Which order a row of a read is of: client ids and exchange ids may both be another's."""

from collections.abc import Collection, Mapping, Sequence

from dora.core.exchange.account import Order, OrderStatus
from dora.core.orders.journal import Journal, NotedFills, TrackedOrder
from dora.core.orders.requests import PROBE_COUNT
from dora.core.units import Count

_NO_FILLS = NotedFills("", Count(0), ())


def is_probe_row(order: TrackedOrder, row: Order) -> bool:
    """Whether a row of its client order id is the probe's own: the only order of that size."""
    return row.initial == PROBE_COUNT != order.count and row.status is not OrderStatus.RESTING


def client_ids_by_order_id(journal: Journal, rows: Sequence[Order]) -> dict[str, str]:
    """The journal's name of each order of a row, by order id: an amend by hand may have given it another
    client id. The journal has `relearned` the ids of these rows.
    """
    said = {row.order_id: row.client_order_id for row in rows}
    known = {r.order_id: r.client_order_id for r in rows if r.client_order_id in journal.orders}
    tracked = journal.by_order_id()
    return said | known | {key: tracked[key].client_order_id for key in said if key in tracked}


def relearned(journal: Journal, rows: Sequence[Order]) -> Journal:
    """The journal with every order id as the rows have it that carry the order's own client id.

    The answer to a create may have named an order by another's id: rows with our client ids know better.
    The fills noted under an id go with it, in a later merge too. An order whose id proved to be another's,
    by its client id or by its market or side, which no amend changes, has none until a row shows it.
    Safe to repeat: yes, because the same rows once more change nothing.
    """
    shown, holders = _shown_ids(journal, rows), journal.by_order_id()
    taken = {*shown.values(), *(row.order_id for row in rows if _is_anothers(row, holders.get(row.order_id)))}
    if not taken:
        return journal
    noted = _noted_fills(journal)
    return journal.with_orders(_relearned(o, shown, taken, noted) for o in journal.orders.values())


def _shown_ids(journal: Journal, rows: Sequence[Order]) -> dict[str, str]:
    """By client order id, the order ids that differ from the journal's; an id that any row confirms stays."""
    known = [(order, row) for row in rows if (order := journal.orders.get(row.client_order_id))]
    if all(order.order_id == row.order_id for order, row in known):
        return {}  # As in most cycles.
    ours = [row for order, row in known if not is_probe_row(order, row)]
    confirmed = {r.client_order_id for r in ours if journal.orders[r.client_order_id].order_id == r.order_id}
    unconfirmed = [row for row in ours if row.client_order_id not in confirmed]
    return {row.client_order_id: row.order_id for row in sorted(unconfirmed, key=_rank)}


def _is_anothers(row: Order, holder: TrackedOrder | None) -> bool:
    return holder is not None and (row.ticker, row.side) != (holder.slot.ticker, holder.slot.side)


def _noted_fills(journal: Journal) -> dict[str, NotedFills]:
    """By exchange id, the fills noted under it, whoever is or was taken to have it."""
    released = {o.released.order_id: o.released for o in journal.orders.values() if o.released}
    holders = journal.by_order_id().items()
    return released | {held: NotedFills(held, o.booked, o.fill_ids) for held, o in holders}


def _relearned(
    order: TrackedOrder, shown: Mapping[str, str], taken: Collection[str], noted: Mapping[str, NotedFills]
) -> TrackedOrder:
    """The order under its own id, with the fills noted under that; those of an id nobody has yet are kept."""
    before, released = order.order_id, order.released
    if released and released.order_id in taken:
        order = order._replace(released=None)
    after = shown.get(order.client_order_id, None if before in taken else before)
    if after == before:
        return order
    if before and before not in taken and order.booked:
        order = order._replace(released=noted[before])
    fills = noted.get(after or "", _NO_FILLS)
    return order._replace(order_id=after, booked=fills.booked, fill_ids=fills.fill_ids)


def rows_by_name(journal: Journal, rows: Sequence[Order], names: Mapping[str, str]) -> dict[str, Order]:
    """The latest row of each order by its name; at equal times a terminal one, which is final.

    A probe's own row stands for its order only where there is no other. `names`: `client_ids_by_order_id`.
    """
    found: dict[str, Order] = {}
    for row in rows:
        key = names[row.order_id]
        order, known = journal.orders.get(key), found.get(key)
        if known is None or _weight(row, order) > _weight(known, order):
            found[key] = row
    return found


def named_rows(journal: Journal, rows: Sequence[Order]) -> dict[str, Order]:
    """`rows_by_name` for a journal that need not have `relearned` the ids of these rows yet."""
    journal = relearned(journal, rows)
    return rows_by_name(journal, rows, client_ids_by_order_id(journal, rows))


def _weight(row: Order, order: TrackedOrder | None) -> tuple[bool, int, bool]:
    probes = order is not None and is_probe_row(order, row)
    return not probes, *_rank(row)


def _rank(row: Order) -> tuple[int, bool]:
    return row.updated_ms, row.status is not OrderStatus.RESTING
