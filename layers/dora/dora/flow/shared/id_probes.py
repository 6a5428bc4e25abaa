"""Id probes: the engine is asked for the client order ids of creates that were never answered.

No list proves that an order is not there. But the engine takes an id once, so an immediate-or-cancel order of
the smallest size under the same id has two answers: granted (no order had the id) or `order_already_exists`
(the create came, or an earlier probe did: some row will show it). `core/orders/evidence.py` says when it
counts.
"""

from collections.abc import Iterable

from dora.core.errors import RateLimited
from dora.core.orders.requests import IdProbe, IdProbeRequest
from dora.core.ports import Exchange
from dora.flow.shared.write_pace import WritePace


def send_probes(
    exchange: Exchange, pace: WritePace, requests: Iterable[IdProbeRequest], cost: int
) -> dict[str, IdProbe]:
    """The engine's answers by client order id. None is sent after a 429; one without an answer is left out.

    `requests` come out when each may be sent, their tokens charged to the shared bucket.
    """
    answers: dict[str, IdProbe] = {}
    for request in requests:
        pace.spend(cost, charged=True)
        try:
            answer = exchange.probe_id(request)
        except RateLimited:
            pace.emptied("probe_id")
            break
        if answer is not None:
            pace.passed()
            answers[request.client_order_id] = answer
    return answers
