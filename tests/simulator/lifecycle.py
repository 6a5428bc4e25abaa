"""What happens to markets and shards by the clock or by hand: opening, closing, settling, pausing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from .market import (
    ACTIVE,
    AMENDED,
    CLOSED,
    DETERMINED,
    FINALIZED,
    INACTIVE,
    INITIALIZED,
    STATUSES,
    TRADABLE,
    Market,
)
from .model import NO, SCALAR, VOID, YES, Event, MarketSpec, Settlement
from .units import CENT_E4, DOLLAR_E4
from .venue import FeeChange, Shard

if TYPE_CHECKING:
    from .account import Account
    from .changes import Changes
    from .member import Member
    from .venue import Venue

VALUES_E4 = {YES: DOLLAR_E4, NO: 0, VOID: 0}


class Lifecycle:
    """Schedules and status changes."""

    def __init__(self, venue: Venue, changes: Changes) -> None:
        self._venue = venue
        self._changes = changes
        for start_ms, end_ms in venue.knobs.maintenance:
            venue.later(start_ms, partial(self.pause_trading, None))
            venue.later(end_ms, partial(self.resume, None))

    def add_market(self, spec: MarketSpec) -> Market:
        """List a market and put its opening, close and settlement on the clock."""
        if spec.ticker in self._venue.markets:
            raise ValueError(f"market {spec.ticker} exists already")
        market = Market(spec, self._venue.now_ms())
        self._venue.markets[spec.ticker] = market
        self._venue.shards.setdefault(spec.shard, Shard(spec.shard))
        self._adopt_fees(market)
        self._venue.later(spec.open_ms, partial(self._open, market))
        self._venue.later(spec.close_ms, partial(self._close_if_due, market))
        self._close_if_due(market)
        return market

    def set_status(self, market: Market, status: str) -> None:
        """Any status by hand. Reactivation cancels all resting orders."""
        if status not in STATUSES:
            raise ValueError(f"no such market status: {status}")
        before, market.status = market.status, status
        self._status_changed(market)
        if before == INACTIVE and status == ACTIVE:
            self.cancel_resting(market, "reactivation")

    def close(self, market: Market) -> None:
        """Close now; resting orders are swept a little later, settlement follows if the result is known."""
        if market.status not in TRADABLE:
            return
        now_ms = self._venue.now_ms()
        market.close_ms = min(market.close_ms, now_ms)
        market.status = CLOSED
        self._status_changed(market)
        self._venue.later(now_ms + self._venue.knobs.close_sweep_ms, partial(self._sweep_closed, market))
        if market.spec.result is not None:
            self._venue.later(now_ms + market.spec.settle_after_ms, partial(self._settle_if_closed, market))

    def move_close(self, market: Market, close_ms: int) -> None:
        """A new close time; a closed market whose close moves into the future opens again."""
        market.close_ms = close_ms
        if market.status == CLOSED and close_ms > self._venue.now_ms():
            market.status = ACTIVE
        self._status_changed(market)
        self._venue.later(close_ms, partial(self._close_if_due, market))

    def settle(self, market: Market, result: str, value_e4: int | None = None) -> None:
        """Determine the result; the money moves when the settlement timer has run.

        A scalar result needs the value of a YES contract, in whole cents.
        """
        self._determine(market, result, value_e4)
        self.cancel_resting(market, "settled")
        market.status = DETERMINED
        self._status_changed(market)
        timer_ms = self._venue.knobs.settlement_timer_ms
        if timer_ms:
            self._venue.later(self._venue.now_ms() + timer_ms, partial(self._finalize, market))
        else:
            self._finalize(market)

    def amend(self, market: Market, result: str, value_e4: int | None = None) -> None:
        """Correct a result; one that is paid by now is paid again. ValueError: nothing is determined."""
        if market.status not in (DETERMINED, AMENDED, FINALIZED):
            raise ValueError(f"{market.spec.ticker} is {market.status}")
        paid = market.status == FINALIZED
        self._determine(market, result, value_e4)
        market.status = AMENDED
        self._status_changed(market)
        if paid:
            self._finalize(market)

    def pause_trading(self, shard: int | None) -> None:
        """No new orders on the shard (None: on all); cancels work; marked orders die."""
        for flags in self._shards(shard):
            flags.trading_active = False
            for market in [m for m in self._venue.markets.values() if m.shard == flags.index]:
                for order in [o for o in market.member_orders.values() if o.cancel_on_pause]:
                    self._changes.cancel(order, "pause")

    def pause_exchange(self, shard: int | None) -> None:
        """Nothing at all is taken."""
        self.pause_trading(shard)
        for flags in self._shards(shard):
            flags.exchange_active = False

    def resume(self, shard: int | None) -> None:
        """End of either pause; what rested still rests."""
        for flags in self._shards(shard):
            flags.exchange_active = flags.trading_active = True

    def cancel_resting(self, market: Market, reason: str) -> None:
        """Take every member's order off that market."""
        for order in list(market.member_orders.values()):
            self._changes.cancel(order, reason)

    def schedule_fees(self, change: FeeChange) -> None:
        """Announce a fee change and apply it at its time."""
        self._venue.fees.changes.append(change)
        self._venue.later(change.at_ms, partial(self._apply_fees, change))

    def _open(self, market: Market) -> None:
        if market.status == INITIALIZED and market.spec.status == ACTIVE:
            market.status = ACTIVE
            self._status_changed(market)

    def _close_if_due(self, market: Market) -> None:
        if self._venue.now_ms() >= market.close_ms:
            self.close(market)

    def _sweep_closed(self, market: Market) -> None:
        if market.status not in TRADABLE:
            self.cancel_resting(market, "market closed")

    def _settle_if_closed(self, market: Market) -> None:
        if market.status == CLOSED and market.spec.result is not None:
            self.settle(market, market.spec.result)

    def _determine(self, market: Market, result: str, value_e4: int | None) -> None:
        value_e4 = value_e4 if result == SCALAR else VALUES_E4.get(result)
        if value_e4 is None or value_e4 % CENT_E4 or not 0 <= value_e4 <= DOLLAR_E4:
            raise ValueError(f"no result: {result} at {value_e4}")
        market.result, market.value_e4 = result, value_e4

    def _finalize(self, market: Market) -> None:
        market.status = FINALIZED
        market.settled_ms = market.settled_ms or self._venue.now_ms()
        for member in self._venue.members.values():
            for account in member.accounts.values():
                if market.ticker in account.positions:
                    self._pay(member, account, market)
        self._status_changed(market)

    def _pay(self, member: Member, account: Account, market: Market) -> None:
        now_ms, position = self._venue.now_ms(), account.positions[market.ticker]
        change_e6 = position.settle(market.result, market.value_e4)
        account.flow_e6 += change_e6
        account.move(market.shard, change_e6)
        account.stamp_position(market.ticker, now_ms)
        account.stamp_cash(market.shard, now_ms)
        member.active_ms = now_ms
        self._list_payout(member, account, market)
        self._venue.emit(
            Event(
                now_ms,
                "settlement",
                market.ticker,
                count_e2=position.paid_e2,
                code=market.result,
                member_key=member.key_id,
            )
        )

    def _list_payout(self, member: Member, account: Account, market: Market) -> None:
        """A row of its own, also for a correction; by a knob in the place of the row that it corrects."""
        position = account.positions[market.ticker]
        row = Settlement(
            market,
            account,
            self._venue.now_ms(),
            market.result,
            market.value_e4,
            position.paid_e2,
            position.paid_cost_e6,
            position.revenue_e6,
            position.fees_e6,
        )
        rows = member.settlements
        earlier = [n for n, old in enumerate(rows) if (old.market, old.account) == (market, account)]
        if earlier and self._venue.knobs.amended_payout == "replaced":
            rows[earlier[-1]] = replace(row, at_ms=rows[earlier[-1]].at_ms)
        else:
            rows.append(row)

    def _status_changed(self, market: Market) -> None:
        market.touch(self._venue.now_ms())
        self._venue.emit(Event(self._venue.now_ms(), "status", market.ticker, code=market.status))

    def _shards(self, shard: int | None) -> list[Shard]:
        return list(self._venue.shards.values()) if shard is None else [self._venue.shards[shard]]

    def _adopt_fees(self, market: Market) -> None:
        spec, fees = market.spec, self._venue.fees
        series = fees.series.setdefault(spec.series_ticker, (spec.fee_type, spec.fee_multiplier_e4))
        market.fee_type, market.fee_multiplier_e4 = fees.overrides.get(spec.event_ticker, series)

    def _apply_fees(self, change: FeeChange) -> None:
        fees = self._venue.fees
        if not change.event_ticker and change.fee_type and change.multiplier_e4 is not None:
            fees.series[change.series_ticker] = (change.fee_type, change.multiplier_e4)
        elif change.fee_type and change.multiplier_e4 is not None:
            fees.overrides[change.event_ticker] = (change.fee_type, change.multiplier_e4)
        else:
            fees.overrides.pop(change.event_ticker, None)
        for market in self._venue.markets.values():
            if market.spec.series_ticker == change.series_ticker:
                self._adopt_fees(market)
                market.touch(self._venue.now_ms())
