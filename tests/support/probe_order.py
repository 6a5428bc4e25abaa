"""An order whose create was never answered."""

from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import IdProbeRequest, OrderRequest
from dora.core.units import CONTRACT, Count, Price
from tests.support.venue import RAIN, START_MS

PROBE = IdProbeRequest(
    client_order_id="dxxxxxxx-one", slot=Slot(RAIN, Side.BID), shard=0, price=Price(100), group_id=None
)


ORDER = OrderRequest(
    client_order_id=PROBE.client_order_id,
    slot=PROBE.slot,
    shard=0,
    price=Price(4400),
    count=Count(10 * CONTRACT),
    group_id=None,
    expires_s=START_MS // 1000 + 3600,
)
