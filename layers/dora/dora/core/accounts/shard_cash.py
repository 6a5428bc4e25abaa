"""What the cash of one shard is good for: an order is paid from its own shard alone."""

from dataclasses import dataclass

from dora.core.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardCash:
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

    @property
    def short(self) -> Money:
        """What the shard lacks to hold all its quotes; 0 where it suffices."""
        return Money(max(self.needed + self.kept - self.held, 0))
