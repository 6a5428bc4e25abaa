"""Events that are left alone for a while: to others of the account, or to those who know more."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.config import MarketConfig
from dora.core.exchange.account import Order
from dora.core.exchange.market import Market
from dora.core.quoting.cool_off import Strikes, event_of, read_strikes, rests_until
from dora.core.reasons import Reason
from dora.core.units import TimeMs


class Yielding(NamedTuple):
    """What is known of it now. `external`: events in which somebody else of the account has an order."""

    external: frozenset[str]
    strikes: Strikes
    now_ms: TimeMs

    def why(self, config: MarketConfig, event: str) -> Reason | None:
        """Why a market of this event is left alone."""
        if event in self.external and config.yield_to_external:
            return Reason.EXTERNAL_ORDERS
        if event in self.strikes and self.until_ms(config, event) is not None:
            return Reason.COOL_OFF
        return None

    def until_ms(self, config: MarketConfig, event: str) -> TimeMs | None:
        """When it has cooled off; None: it is not to."""
        times = self.strikes.get(event)
        return None if times is None else rests_until(times, config.cool_off_s, self.now_ms)


def yielding_now(
    external: Iterable[Order],
    markets: Mapping[str, Market],
    strikes: Mapping[str, object],
    now_ms: TimeMs,
) -> Yielding:
    """`strikes` as memory keeps them. An order in a market that was not read counts by its ticker."""
    tickers = {order.ticker for order in external}
    events = frozenset(markets[t].event_ticker if t in markets else event_of(t) for t in tickers)
    return Yielding(events, read_strikes(strikes), now_ms)
