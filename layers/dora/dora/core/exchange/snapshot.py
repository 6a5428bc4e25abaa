"""One look at the exchange, as one cycle took it. None is "could not be read", never "nothing there"."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dora.core.exchange.account import ExchangePosition, Fill, Order, OrderGroup, Settlement, ShardStatus
from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.market import Book, Market
from dora.core.units import Money, TimeMs


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReads:
    """What was read of the account, dated."""

    began_ms: TimeMs
    as_of_ms: TimeMs
    fills: tuple[Fill, ...] | None = None
    settlements: tuple[Settlement, ...] | None = None
    positions: tuple[ExchangePosition, ...] | None = None
    markets: Mapping[str, Market] = field(default_factory=dict)
    set_apart: tuple[UnreadableRow, ...] = ()
    """Rows of the account's lists that were not understood, in lists that are known all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(AccountReads):
    """The account with its orders, cash and groups, and the books. `failures` says why a part is None."""

    resting: tuple[Order, ...] | None = None
    partial: tuple[Order, ...] = ()
    """What was read of the resting orders before their list failed: enough to cancel, no proof of absence."""
    cash: Mapping[int, Money] | None = None
    groups: tuple[OrderGroup, ...] | None = None
    status: Mapping[int, ShardStatus] | None = None
    books: Mapping[str, Book] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    auth_refused: bool = False

    @property
    def account_known(self) -> bool:
        """All that a placement rests on was read completely."""
        needed = (self.resting, self.fills, self.positions, self.cash, self.groups, self.status)
        return "as_of" not in self.failures and all(part is not None for part in needed)
