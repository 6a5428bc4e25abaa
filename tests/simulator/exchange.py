"""The exchange: one object that is a market, a back office and an HTTP dialect, all in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from .account import Account
from .assembly import Assembly
from .buckets import Buckets
from .faults import Faults
from .member import Member
from .model import Event, IncentiveProgram, MarketSpec, Order, OrderTicket, PriceRanges
from .plant import Plant
from .venue import FeeChange
from .wire import ConnectionDroppedError, Reply, Request

__all__ = [
    "ConnectionDroppedError",
    "Event",
    "Exchange",
    "Faults",
    "MarketSpec",
    "Member",
    "Plant",
    "Reply",
    "Request",
]

P = ParamSpec("P")
R = TypeVar("R")


def _locked(method: Callable[P, R]) -> Callable[P, R]:
    """Hold the exchange's lock for the whole call."""

    @wraps(method)
    def locked(*args: P.args, **kwargs: P.kwargs) -> R:
        exchange: Any = args[0]
        with exchange.lock:
            return method(*args, **kwargs)

    return locked


class Exchange(Assembly):
    """See the package's README for a tour; prices 1e-4 $, counts 0.01 contract, money 1e-6 $, times ms."""

    # Asking the exchange.

    @_locked
    def handle(self, request: Request) -> Reply:
        """Answer one HTTP request; ConnectionDroppedError: the client gets no answer."""
        return self._gateway.handle(request)

    @_locked
    def release(self, request: Request) -> Reply:
        """Answer a request that was held on its way: its signature may be up to `signature_life_ms` old."""
        return self._gateway.handle(request, held=True)

    # Setting the stage.

    @_locked
    def add_market(self, spec: MarketSpec) -> None:
        """List a market. ValueError: the ticker exists already."""
        self.lifecycle.add_market(spec)

    @_locked
    def add_member(
        self, *, key_id: str, public_key_pem: str, cash_e6: dict[int, int], tier: str = "basic"
    ) -> Member:
        """Open an API user with cash per shard. The first one is watched by the invariants."""
        now_ms = self.venue.now_ms()
        account = Account(0, cash_e6, now_ms)
        member = Member(key_id, public_key_pem, {0: account}, Buckets(tier, now_ms), now_ms)
        self.venue.members[key_id] = member
        self.invariants.watched = self.invariants.watched or member
        return member

    @_locked
    def add_subaccount(self, member: Member, number: int, cash_e6: dict[int, int]) -> None:
        """A second pocket of the same user, with its own cash and positions."""
        member.accounts[number] = Account(number, cash_e6, self.venue.now_ms())

    @_locked
    def member_order(
        self, member: Member, ticker: str, side: str, price_e4: int, count_e2: int, **more: Any
    ) -> Order:
        """An order the user placed by hand, past the HTTP door; `more` are OrderTicket fields."""
        ticket = OrderTicket(
            market=self.venue.markets[ticker],
            client_order_id=more.pop("client_order_id", ""),
            side=side,
            count_e2=count_e2,
            price_e4=price_e4,
            **more,
        )
        return self.engine.place(member, ticket)

    @_locked
    def add_program(self, program: IncentiveProgram) -> None:
        """List a liquidity program; its market is looked at once a minute, and it pays after its end."""
        self.rewards.add(program)

    # The rest of the market.

    @_locked
    def background_order(self, ticker: str, side: str, price_e4: int, count_e2: int) -> int:
        """Take what crosses, rest the remainder; returns its id."""
        made = self.background.order(self.venue.markets[ticker], side, price_e4, count_e2)
        self._note_top(ticker)
        return made

    @_locked
    def background_cancel(self, background_id: int) -> None:
        """Take it off the book; nothing when it is gone."""
        self.background.cancel(background_id)

    @_locked
    def background_take(self, ticker: str, side: str, limit_e4: int, count_e2: int) -> int:
        """Immediate-or-cancel; `side` is the taker's. Returns the count filled."""
        taken = self.background.take(self.venue.markets[ticker], side, limit_e4, count_e2)
        self._note_top(ticker)
        return taken

    @_locked
    def background_print(self, ticker: str, taker_side: str, price_e4: int, count_e2: int) -> None:
        """A trade between others that leaves the book as it is."""
        self.changes.printed(self.venue.markets[ticker], price_e4, count_e2, taker_side)

    @_locked
    def set_background_book(
        self, ticker: str, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]
    ) -> None:
        """Replace all background liquidity; what crosses members' orders trades first."""
        self.background.replace(self.venue.markets[ticker], bids, asks)
        self._note_top(ticker)

    def _note_top(self, ticker: str) -> None:
        self.venue.markets[ticker].note_top(self.venue.now_ms())

    @_locked
    def best_prices(self, ticker: str) -> tuple[int | None, int | None]:
        """Best bid and ask of the whole book."""
        market = self.venue.markets[ticker]
        return market.best_e4("bid"), market.best_e4("ask")

    # Market and exchange status.

    @_locked
    def set_status(self, ticker: str, status: str) -> None:
        """Any status by hand; inactive to active cancels all resting orders."""
        self.lifecycle.set_status(self.venue.markets[ticker], status)

    @_locked
    def close_market(self, ticker: str) -> None:
        """Close ahead of schedule."""
        self.lifecycle.close(self.venue.markets[ticker])

    @_locked
    def move_close(self, ticker: str, close_ms: int) -> None:
        """Another close time; a closed market reopens when it lies ahead."""
        self.lifecycle.move_close(self.venue.markets[ticker], close_ms)

    @_locked
    def set_price_ranges(self, ticker: str, price_ranges: PriceRanges) -> None:
        """Another grid; resting orders carry over."""
        market = self.venue.markets[ticker]
        market.price_ranges = price_ranges
        market.touch(self.venue.now_ms())

    @_locked
    def settle(self, ticker: str, result: str, value_e4: int | None = None) -> None:
        """Determine "yes", "no", "void" or "scalar" (with a value); pay when the settlement timer has run."""
        self.lifecycle.settle(self.venue.markets[ticker], result, value_e4)

    @_locked
    def amend_result(self, ticker: str, result: str, value_e4: int | None = None) -> None:
        """Correct a determined result; what it paid already is paid again by the difference."""
        self.lifecycle.amend(self.venue.markets[ticker], result, value_e4)

    @_locked
    def pause_trading(self, shard: int | None = None) -> None:
        """New orders refused, cancels work; None: every shard."""
        self.lifecycle.pause_trading(shard)

    @_locked
    def pause_exchange(self, shard: int | None = None) -> None:
        """Everything refused; None: every shard."""
        self.lifecycle.pause_exchange(shard)

    @_locked
    def resume(self, shard: int | None = None) -> None:
        """End of a pause."""
        self.lifecycle.resume(shard)

    @_locked
    def schedule_fees(
        self, series: str, fee_type: str | None, multiplier_e4: int | None, at_ms: int, *, event: str = ""
    ) -> None:
        """Announce a fee change of a series, or an override (None clears it) of one event."""
        change_id = str(len(self.venue.fees.changes) + 1)
        self.lifecycle.schedule_fees(FeeChange(change_id, series, event, fee_type, multiplier_e4, at_ms))

    # The read model and the counters.

    @_locked
    def freeze_reads(self) -> None:
        """Reads stand still, the stamp included, until `thaw_reads`."""
        self.venue.frozen_reads_ms = self.venue.now_ms()

    @_locked
    def thaw_reads(self) -> None:
        """Reads follow again."""
        self.venue.frozen_reads_ms = None
