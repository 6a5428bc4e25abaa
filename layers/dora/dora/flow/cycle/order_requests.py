"""Targets as the requests that will be sent: id, group, shard, expiry."""

from collections.abc import Iterable
from typing import NamedTuple

from dora.core.config import MarketConfig
from dora.core.exchange.market import Market
from dora.core.failures import told
from dora.core.orders.journal import client_order_id
from dora.core.orders.requests import ApprovedOrder, OrderRequest
from dora.core.session import SessionMetadata
from dora.flow.cycle.inputs import Inputs, expiry_of


class Naming(NamedTuple):
    """What an order's id and group are made from."""

    prefix: str
    cycle_id: str
    session: SessionMetadata


def order_requests(
    places: Iterable[ApprovedOrder], inputs: Inputs, naming: Naming
) -> tuple[list[OrderRequest], dict[str, str]]:
    """The requests, and by market why some could not be made: those targets are not placed.

    No order goes out without its group, unless the session runs without groups: such a market is skipped,
    with its reason, before it comes to this.
    """
    requests: list[OrderRequest] = []
    failed: dict[str, str] = {}
    for target in places:
        try:
            request = _request(target, inputs, naming)
        except Exception as error:
            failed[target.slot.ticker] = told(error)
            continue
        requests += [request] if request is not None else []
    return requests, failed


def _request(target: ApprovedOrder, inputs: Inputs, naming: Naming) -> OrderRequest | None:
    """With an expiry that takes the order off should nobody else."""
    market, config = inputs.snapshot.markets[target.slot.ticker], inputs.wanted[target.slot.ticker]
    session = naming.session
    group_id = _group_of(inputs, session, market, config)
    if group_id is None and session.use_order_groups:
        return None
    return OrderRequest(
        client_order_id=client_order_id(naming.prefix, session.session_id, naming.cycle_id, target.slot),
        slot=target.slot,
        shard=market.shard,
        price=target.price,
        count=target.count,
        group_id=group_id,
        expires_s=expiry_of(inputs, market) // 1000,
    )


def _group_of(inputs: Inputs, session: SessionMetadata, market: Market, config: MarketConfig) -> str | None:
    """The order group of its event, or of its shard and tag; None: it has none."""
    if inputs.events is None:
        group = session.group_for(market.shard, config.strategy_tag)
        return group.group_id if group else None
    brake = inputs.events.get(market.event_ticker)
    return None if brake is None or brake.reason is not None else brake.group_id
