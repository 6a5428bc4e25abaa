"""The state every part of the exchange shares: clock, knobs, markets, members, shards, observers."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from .account import reserve_e6
from .book import ASK, BID
from .invariants import Invariants
from .model import BackgroundOrder, Event, IncentiveProgram, Order, Trade
from .plant import Plant
from .stats import Stats
from .wire import Refusal

if TYPE_CHECKING:
    from .account import Account
    from .clock import Clock
    from .knobs import Knobs
    from .market import Market
    from .member import Member

NOT_FOUND = 404

_SHARD_NAMES = {0: "Default", 1: "Exotics", 2: "Crypto", 3: "Select sports"}


@dataclass(slots=True)
class Shard:
    """Flags of one exchange shard."""

    index: int
    exchange_active: bool = True
    trading_active: bool = True

    @property
    def description(self) -> str:
        return _SHARD_NAMES.get(self.index, f"Shard {self.index}")


@dataclass
class FeeChange:
    """A scheduled fee change of a series or (with `event_ticker`) of one event; None clears an override."""

    id: str
    series_ticker: str
    event_ticker: str
    fee_type: str | None
    multiplier_e4: int | None
    at_ms: int


@dataclass
class Fees:
    """Present fees of series, present overrides of events, and every change ever scheduled."""

    series: dict[str, tuple[str, int]] = field(default_factory=dict)
    overrides: dict[str, tuple[str, int]] = field(default_factory=dict)
    changes: list[FeeChange] = field(default_factory=list)


class Venue:
    """Shared state and the few rules that belong to all of it."""

    def __init__(self, clock: Clock, knobs: Knobs, seed: int) -> None:
        self.clock = clock
        self.knobs = knobs
        self.random = random.Random(seed)
        self.seed = seed
        self.markets: dict[str, Market] = {}
        self.members: dict[str, Member] = {}
        self.shards: dict[int, Shard] = {0: Shard(0)}
        self.fees = Fees()
        self.trades: list[Trade] = []
        self.programs: list[IncentiveProgram] = []
        self.background: dict[int, BackgroundOrder] = {}
        self.observers: list[Callable[[Event], None]] = []
        self.invariants = Invariants(self.now_ms)
        self.plant = Plant()
        self.stats = Stats()
        self.frozen_reads_ms: int | None = None
        self.started_ms = clock.now_ms()
        self.lock = threading.RLock()
        self._ids = count(1)

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def new_id(self, kind: int) -> str:
        """An id that looks like a UUID and is the same in every run with the same seed."""
        return f"{self.seed & 0xFFFFFFFF:08x}-{kind:04x}-4000-8000-{next(self._ids):012x}"

    def new_number(self) -> int:
        return next(self._ids)

    def later(self, when_ms: int, action: Callable[[], None]) -> None:
        """Have the clock run `action` under the exchange's lock."""

        def locked() -> None:
            with self.lock:
                action()

        self.clock.at(when_ms, locked)

    def emit(self, event: Event) -> None:
        for observer in self.observers:
            observer(event)

    def emit_order(self, kind: str, order: Order, **more: Any) -> None:
        """An event about one order; nobody listening costs nothing."""
        if self.observers:
            fields: dict[str, Any] = {
                "ticker": order.market.ticker,
                "order_id": order.id,
                "client_order_id": order.client_order_id,
                "side": order.side,
                "price_e4": order.price_e4,
                "count_e2": order.remaining_e2,
                "group_id": order.group_id,
                "member_key": order.member.key_id,
            }
            self.emit(Event(self.now_ms(), kind, **(fields | more)))

    def count_refusal(self, refusal: Refusal, *, cancel: bool = False) -> None:
        """Count and announce a refusal, be it a whole answer or one entry of a batch."""
        self.stats.refusals[refusal.code] += 1
        self.stats.cancels_404 += cancel and refusal.status == NOT_FOUND
        self.emit(Event(self.now_ms(), "refusal", code=refusal.code))

    def market(self, ticker: str) -> Market:
        """The market of that ticker, or the refusal a write gets."""
        found = self.markets.get(ticker)
        if found is None:
            raise Refusal(404, "market_not_found")
        return found

    def require_exchange(self, shard: int) -> None:
        """Refuse while the shard takes nothing at all."""
        if not self.shards[shard].exchange_active:
            raise self._paused("exchange_is_paused")

    def require_trading(self, shard: int) -> None:
        """Refuse while the shard takes no new orders."""
        self.require_exchange(shard)
        if not self.shards[shard].trading_active:
            raise self._paused("trading_is_paused")

    def trading_paused(self) -> Refusal:
        return self._paused("trading_is_paused")

    def touched(self, member: Member, account: Account, market: Market, side: str) -> None:
        """After any change to a member's orders or position there: hold the right cash, judge the rules."""
        account.reserve(market.shard, market.ticker, held_e6(member, account, market.ticker))
        account.stamp_cash(market.shard, self.now_ms())
        self.invariants.after_change(member, account, market, side, self.now_ms())

    def move_cash(self, account: Account, source: int, destination: int, amount_e6: int) -> None:
        """Cash leaves one shard now and arrives on the other after the transfer delay."""
        account.move(source, -amount_e6)
        account.stamp_cash(source, self.now_ms())
        arrive = partial(self._arrive, account, destination, amount_e6)
        if self.knobs.transfer_delay_ms:
            self.later(self.now_ms() + self.knobs.transfer_delay_ms, arrive)
        else:
            arrive()

    def _arrive(self, account: Account, shard: int, amount_e6: int) -> None:
        account.move(shard, amount_e6)
        account.stamp_cash(shard, self.now_ms())

    def _paused(self, code: str) -> Refusal:
        if self.knobs.pause_answers == "unavailable":
            return Refusal(503, "service_unavailable")
        return Refusal(409, code)


def held_e6(
    member: Member,
    account: Account,
    ticker: str,
    extra: tuple[str, int, int] | None = None,
    without: Order | None = None,
) -> int:
    """Cash the account's live orders in that market hold, with one `extra` (side, price, count) if given."""
    sides: dict[str, list[tuple[int, int]]] = {
        side: [
            (order.price_e4, order.remaining_e2)
            for order in member.live[ticker, side].values()
            if order.account is account and order is not without
        ]
        for side in (BID, ASK)
    }
    if extra is not None:
        sides[extra[0]].append(extra[1:])
    return reserve_e6(account.position_e2(ticker), sides[BID], sides[ASK])
