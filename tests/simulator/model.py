"""The nouns of the exchange: market specification, order, fill, trade, event."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from .book import BID
from .units import DOLLAR_E4

if TYPE_CHECKING:
    from .account import Account
    from .market import Market
    from .member import Member

PriceRanges = tuple[tuple[int, int, int], ...]

RESTING, CANCELED, EXECUTED = "resting", "canceled", "executed"
YES, NO, SCALAR, VOID = "yes", "no", "scalar", "void"
GTC, IOC, FOK = "good_till_canceled", "immediate_or_cancel", "fill_or_kill"


@dataclass(frozen=True, kw_only=True)
class MarketSpec:
    """What a market is before anything happens in it."""

    ticker: str
    event_ticker: str
    series_ticker: str
    open_ms: int
    close_ms: int
    shard: int = 0
    price_ranges: PriceRanges = ((0, DOLLAR_E4, 100),)  # (start, end, step) in 1e-4 $
    result: str | None = None  # "yes" or "no": settles by itself, settle_after_ms past the close
    settle_after_ms: int = 3_600_000
    status: str = "active"
    mutually_exclusive: bool = True
    can_close_early: bool = True
    fee_type: str = "quadratic"
    fee_multiplier_e4: int = DOLLAR_E4


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """A decoded create request whose market is known."""

    market: Market
    client_order_id: str
    side: str
    count_e2: int
    price_e4: int
    time_in_force: str = GTC
    stp: str = "taker_at_cross"
    post_only: bool = False
    reduce_only: bool = False
    expiration_s: int | None = None
    cancel_on_pause: bool = False
    group_id: str = ""
    subaccount: int = 0


@dataclass(slots=True)
class OrderVersion:
    """An order as it stood from `at_ms` on; `text` caches its JSON."""

    at_ms: int
    status: str
    client_order_id: str
    price_e4: int
    initial_e2: int
    remaining_e2: int
    filled_e2: int
    expiration_s: int | None
    maker_cost_e6: int
    taker_cost_e6: int
    maker_fees_e6: int
    taker_fees_e6: int
    text: str = ""


@dataclass(slots=True, eq=False)
class Order:
    """A member's order. The fields are the engine's truth; `versions` is what lagging reads see."""

    id: str
    seq: int
    member: Member
    account: Account
    market: Market
    client_order_id: str
    side: str
    price_e4: int
    initial_e2: int
    remaining_e2: int
    created_ms: int
    stp: str
    post_only: bool
    cancel_on_pause: bool
    group_id: str
    expiration_s: int | None
    status: str = RESTING
    filled_e2: int = 0
    maker_cost_e6: int = 0
    taker_cost_e6: int = 0
    maker_fees_e6: int = 0
    taker_fees_e6: int = 0
    booked: bool = False  # is it in the book? A vanished order says resting without being there
    versions: list[OrderVersion] | None = None

    def stamp(self, at_ms: int) -> None:
        """Keep the present state as the version of this millisecond."""
        version = OrderVersion(
            at_ms,
            self.status,
            self.client_order_id,
            self.price_e4,
            self.initial_e2,
            self.remaining_e2,
            self.filled_e2,
            self.expiration_s,
            self.maker_cost_e6,
            self.taker_cost_e6,
            self.maker_fees_e6,
            self.taker_fees_e6,
        )
        if self.versions is None:
            self.versions = [version]
        elif self.versions[-1].at_ms == at_ms:
            self.versions[-1] = version
        else:
            self.versions.append(version)

    def as_of(self, at_ms: int) -> OrderVersion | None:
        """The version a read of that time shows; None while the order was not there yet."""
        versions = self.versions or []
        if versions and versions[-1].at_ms <= at_ms:
            return versions[-1]
        index = bisect_right(versions, at_ms, key=attrgetter("at_ms"))
        return versions[index - 1] if index else None


@dataclass(slots=True, eq=False)
class BackgroundOrder:
    """Liquidity of the anonymous rest of the market."""

    id: int
    market: Market
    side: str
    price_e4: int
    remaining_e2: int
    member: None = None


Resting = Order | BackgroundOrder  # what a book holds


@dataclass(frozen=True, slots=True)
class Trade:
    """A public print."""

    id: str
    seq: int
    ticker: str
    at_ms: int
    price_e4: int
    count_e2: int
    taker_side: str


@dataclass(frozen=True, slots=True)
class Fill:
    """One member's side of a print."""

    seq: int
    trade: Trade
    order: Order
    is_taker: bool
    fee_e6: int
    hidden: bool = False  # planted: never listed

    @property
    def at_ms(self) -> int:
        return self.trade.at_ms


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a settled market paid one account."""

    market: Market
    account: Account
    at_ms: int
    result: str
    value_e4: int
    position_e2: int
    cost_e6: int
    revenue_e6: int
    fees_e6: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncentiveProgram:
    """What the makers of a market share for a period; `target_e2` and `discount_bps` may be left open."""

    id: str
    ticker: str
    start_ms: int
    end_ms: int
    reward_e4: int
    target_e2: int | None = 30_000
    discount_bps: int | None = 5_000
    kind: str = "liquidity"
    paid_out: bool = False

    def status(self, now_ms: int) -> str:
        """The word by which it is listed."""
        if self.paid_out:
            return "paid_out"
        if now_ms < self.start_ms:
            return "upcoming"
        return "active" if now_ms < self.end_ms else "closed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something an observer may want to know. Kinds: order, amend, fill, trade, cancel, settlement,
    refusal, group, status."""

    at_ms: int
    kind: str
    ticker: str = ""
    order_id: str = ""
    client_order_id: str = ""
    side: str = ""
    price_e4: int = 0
    count_e2: int = 0
    code: str = ""
    group_id: str = ""
    is_taker: bool = False
    fee_e6: int = 0
    member_key: str = ""


def leg_price_e4(side: str, price_e4: int) -> int:
    """What a contract costs on the leg this side buys: YES for a bid, NO for an ask."""
    return price_e4 if side == BID else DOLLAR_E4 - price_e4
