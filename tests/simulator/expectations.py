"""What a test driver declares about its client, because the exchange cannot know it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass
class Expectations:
    """Unset means not judged. Counts are 0.01 contracts. Replace or fill in at any time."""

    prefix: str = ""  # only orders whose client id starts so are judged (I1, I3, I10)
    live_orders: dict[tuple[str, str], int] = field(default_factory=dict)  # I1: (ticker, side) -> most orders
    live_contracts_e2: dict[tuple[str, str], int] = field(default_factory=dict)  # I1: most contracts
    most_live_orders: int | None = None  # I1 for every (ticker, side) not named above
    most_live_contracts_e2: int | None = None
    level_of: Callable[[str], int | None] | None = None  # I1 level by level: the level of a client order id
    level_contracts_e2: dict[str, tuple[int, ...]] = field(default_factory=dict)  # ticker -> most by level
    market_caps_e2: dict[str, int] = field(default_factory=dict)  # I2: |position| if every live order fills
    market_cap_e2: int | None = None  # I2 for every market not named above
    event_caps_e2: dict[str, int] = field(default_factory=dict)  # I2: summed over the event's markets
    event_cap_e2: int | None = None
    tolerate_429: bool = False  # I8: True while the driver itself starves the client
    groups: frozenset[str] | None = None  # I3: set through allow_groups
    group_per_event: bool = False  # I3: each order is in a group that holds orders of its event alone
    closed: bool = False  # I10: set by `Invariants.declare_closed`

    def allow_groups(self, group_ids: Iterable[str]) -> None:
        """I3 from now on: every live order carries one of these groups. Judges changes, not the past."""
        self.groups = frozenset(group_ids)

    def order_limit(self, ticker: str, side: str) -> int | None:
        return self.live_orders.get((ticker, side), self.most_live_orders)

    def contract_limit_e2(self, ticker: str, side: str) -> int | None:
        return self.live_contracts_e2.get((ticker, side), self.most_live_contracts_e2)

    def market_limit_e2(self, ticker: str) -> int | None:
        return self.market_caps_e2.get(ticker, self.market_cap_e2)

    def event_limit_e2(self, event_ticker: str) -> int | None:
        return self.event_caps_e2.get(event_ticker, self.event_cap_e2)
