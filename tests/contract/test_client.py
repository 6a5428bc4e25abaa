"""Every call the bot's client can make stays within the document, on two shards."""

from inspect import isfunction
from pathlib import Path

import pytest

from dora.core import ports
from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import (
    CancelRequest,
    DecreaseRequest,
    ExtendRequest,
    IdProbe,
    IdProbeRequest,
    OrderRequest,
    Outcome,
)
from dora.core.units import Count, Price
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.signing import Signer
from dora.wiring import SystemClock
from tests.contract.document import Document
from tests.contract.parameters import unknown_parameters
from tests.contract.prism import proxy
from tests.contract.venue import BIDS, FAR, HOUR_MS, NEAR, SHARDS, open_venue
from tests.contract.witness import Witness
from tests.support.kalshi_fakes import FakeFacts

pytestmark = pytest.mark.long

TEN, FIVE = Count(1000), Count(500)
CROSSING = Price(9000)
CALLS = {name for name, part in vars(ports.Exchange).items() if isfunction(part) and name[0] != "_"}
NOT_SENT = {"until", "retry_reads"}


class Noted:
    """The client, and the names of what was asked of it."""

    def __init__(self, client: KalshiExchange) -> None:
        self._client = client
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> object:
        self.asked.add(name)
        return getattr(self._client, name)


def _request(name: str, ticker: str, now_ms: int, group_id: str | None) -> OrderRequest:
    return OrderRequest(
        client_order_id=f"every-call-{name}",
        slot=Slot(ticker, Side.BID),
        shard=SHARDS[ticker],
        price=Price(BIDS[0][0]),
        count=TEN,
        group_id=group_id,
        expires_s=(now_ms + HOUR_MS // 2) // 1000,
    )


def _probe(name: str) -> IdProbeRequest:
    return IdProbeRequest(
        client_order_id=f"every-call-{name}",
        slot=Slot(NEAR, Side.BID),
        shard=SHARDS[NEAR],
        price=Price(100),
        group_id=None,
    )


def test_every_call_of_the_client_breaks_no_rule_of_the_document(
    document: Document, document_file: Path, tmp_path: Path
) -> None:
    witness, clock = Witness(), SystemClock()
    with open_venue() as venue, proxy(document_file, venue.url, tmp_path / "prism.log") as running:
        signer = Signer.from_pem(venue.key.key_id, venue.key.private_pem)
        client = Noted(KalshiExchange(running.url, signer, clock, FakeFacts(), adapter=witness))
        _write(client, clock.now_ms())
        _read(client)
        complaints = running.complaints()

    assert witness.testimony.problems == []
    assert complaints == []
    assert unknown_parameters(document, witness.testimony.sent) == set()
    assert client.asked == CALLS - NOT_SENT


def _write(client: Noted, now_ms: int) -> None:
    """Placed on both shards, one crossing; probed, extended, decreased, cancelled twice; groups."""
    groups = {shard: client.create_group(shard, Count(10_000)) for shard in SHARDS.values()}
    resting = [_request(ticker, ticker, now_ms, groups[shard]) for ticker, shard in SHARDS.items()]
    crossing = _request("crossing", NEAR, now_ms, None)._replace(price=CROSSING)
    result = client.place([*resting, crossing])
    assert (len(result.placed), len(result.failed)) == (2, 1)
    assert [client.probe_id(_probe(name)) for name in (NEAR, "free")] == [IdProbe.TAKEN, IdProbe.GRANTED]
    for order in result.placed:
        ticker = order.request.slot.ticker
        client_id = order.request.client_order_id
        named = {"order_id": order.order_id, "client_order_id": client_id, "ticker": ticker}
        later = {"side": Side.BID, "price": order.request.price, "expires_s": order.request.expires_s + 60}
        longer = ExtendRequest(**named, **later, shard=SHARDS[ticker], count=TEN, remaining=TEN)
        assert client.extend(longer).outcome is Outcome.DONE
        change = DecreaseRequest(**named, shard=SHARDS[ticker], reduce_to=FIVE)
        assert client.decrease(change).remaining == FIVE
        cancel = CancelRequest(**named, shard=SHARDS[ticker], remaining=FIVE)
        assert [client.cancel([cancel]).succeeded != () for _ in range(2)] == [True, False]
        assert client.order(order.order_id) is not None
    for shard, group_id in groups.items():
        client.limit_group(group_id, shard, Count(20_000))
        client.trigger_group(group_id, shard)
        client.reset_group(group_id, shard)
        client.delete_group(group_id, shard)
    assert client.order("00000000-0000-4000-8000-000000000000") is None


def _read(client: Noted) -> None:
    tickers = [NEAR, FAR]
    assert set(client.markets(tickers)) == set(client.books(tickers)) == set(tickers)
    for name in ("fills_since", "settlements_since"):
        assert getattr(client, name)(0).rows == ()
    assert client.trades_since(NEAR, 0) == ()
    assert client.public_trades(0, [NEAR], 1) == ()
    assert client.incentive_programs([NEAR], 1) == ()
    # The order, its probe, and the canceled row that a refused post-only cross leaves.
    assert len(client.orders_of(NEAR).rows) == 3
    assert client.resting_orders().rows == ()
    client.open_markets("RAIN")
    assert client.fee_changes() == ()
    client.events(["RAIN-1", "COIN-1"])
    client.series("RAIN")
    for name in ("user_data_time_ms", "positions", "cash", "order_groups", "status", "limits"):
        getattr(client, name)()
