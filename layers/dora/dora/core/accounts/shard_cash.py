"""What the cash of one shard is good for: an order is paid from its own shard alone."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.config import MarketConfig
from dora.core.exchange.market import Market, Side
from dora.core.units import ONE_DOLLAR, Count, Money, Price, complement, value_of


class ShardCash(NamedTuple):
    """One shard. `held`: its balance, which includes what resting orders hold; `kept`: never to be spent."""

    shard: int
    held: Money
    reserved: Money
    """Held by orders that rest or may rest."""
    needed: Money
    """What all configured quotes would hold if they rested at once."""
    kept: Money = Money(0)

    @property
    def spendable(self) -> Money:
        """What a new order may still hold."""
        return Money(max(self.held - self.reserved - self.kept, 0))


def full_quotes(config: MarketConfig) -> Money:
    """Cash that one full set of a market's quotes may hold.

    On each level a contract's two sides cost at most $1; a side never holds more than the largest position.
    """
    return value_of(ONE_DOLLAR, Count(min(config.levels * config.quote_size, config.max_position)))


def needed_by_shard(wanted: Mapping[str, MarketConfig], markets: Mapping[str, Market]) -> dict[int, Money]:
    """By shard, what all quotes of the enabled markets would hold at once."""
    needed: dict[int, Money] = {}
    for ticker, config in wanted.items():
        market = markets.get(ticker)
        if config.enabled and market is not None:
            needed[market.shard] = Money(needed.get(market.shard, 0) + full_quotes(config))
    return needed


def reserved_for(net: Count, resting: Iterable[tuple[Side, Price, Count]]) -> Money:
    """Cash that the resting orders of one market hold: what they would open beyond the position held.

    Both sides hold their own; the best-priced orders close the position first.
    """
    held = 0
    closable = {Side.BID: max(-net, 0), Side.ASK: max(net, 0)}
    for side, price, count in sorted(resting, key=lambda own: -own[0].sign * own[1]):
        covered = min(closable[side], count)
        closable[side] -= covered
        held += (count - covered) * (price if side is Side.BID else complement(price))
    return Money(held)
