"""Targeted reads of our orders: single orders by id, and lists of every status of single markets."""

from collections.abc import Callable, Mapping, Sequence

from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.pacing import READ_COST
from dora.core.orders.evidence import Evidence
from dora.core.ports import Ports
from dora.core.units import TimeMs
from dora.flow.shared.reads import Reader, paced


def read_orders(
    ports: Ports,
    evidence: Evidence,
    order_ids: Sequence[str],
    since_ms: Mapping[str, TimeMs | None],
    may_be_ours: Callable[[UnreadableRow], bool],
    *,
    order_read_cost: int,
    until_ms: TimeMs,
) -> tuple[Evidence, Reader]:
    """The evidence with what was answered; the reader has what failed, which leaves an order open.

    As many reads as the shared bucket pays for by `until_ms`, single orders first. `since_ms`: the markets
    whose list is wanted, and from when on (None: from the first order on).
    """
    exchange = ports.exchange
    with Reader(ports.workers) as reader:
        some_ids = paced(ports, "read", order_ids, order_read_cost, until_ms)
        rows = {i: reader.start(i, exchange.order, i) for i in some_ids}
        some = paced(ports, "read", list(since_ms), READ_COST, until_ms)
        lists = {t: reader.start_list(t, may_be_ours, exchange.orders_of, t, since_ms[t]) for t in some}
        looked_up = {order_id: pending.result() for order_id, pending in rows.items()}
        listings = {ticker: pending.result() for ticker, pending in lists.items()}
    answered = evidence._replace(
        looked_up={order_id: row for order_id, row in looked_up.items() if order_id not in reader.failures},
        listings={ticker: found for ticker, found in listings.items() if found is not None},
    )
    return answered, reader
