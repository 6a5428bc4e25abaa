"""The exchange over its REST interface: one API key, one subaccount, all shards."""

from dora.edge.kalshi.market_data import MarketReads
from dora.edge.kalshi.order_entry import OrderWrites
from dora.edge.kalshi.portfolio import PortfolioReads


class KalshiExchange(PortfolioReads, MarketReads, OrderWrites):
    """Implements `ports.Exchange`; how it is built stands at `transport.Transport`."""
