"""Faults of the exchange itself, on the clock: old reads, lying stamps, empty buckets, pauses, grids."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .fault_plan import ALWAYS_MS, Fault, FaultPlan
from .units import DOLLAR_E4

if TYPE_CHECKING:
    from .exchange import Exchange

Act = Callable[[Fault], None]
PAUSES = ("pause-trading", "pause-exchange")
MARKET_KINDS = ("ticks", "close", "settle", "amend-settlement")

GROUPS_LATE_MS = 15_000
"""How old a list of order groups has been seen to be."""

_LAGS = ("orders", "fills", "positions", "balance", "groups")
_MANAGED = (
    *(f"{name}_lag_ms" for name in _LAGS),
    "shard_lag_ms",
    "user_data_timestamp_offset_ms",
    "user_data_timestamp_on_activity",
)


class FaultStage:
    """Carries out the stage faults of a plan. Each begins at its time and is undone when its span is over.

    lag               reads of `where` (orders, fills, positions, balance, groups) are `amount` ms old
    lag-shard         reads of orders, fills and positions of shard `where` are `amount` ms older still
    late-groups       the list of order groups is `amount` ms old (15 s by default)
    freeze-reads      reads and stamp stand still
    stamp-ahead       the stamp runs `amount` ms ahead of the reads
    stamp-idle        the stamp moves only when something happens
    starve            the token bucket `where` (read, write, write:1, balance) is emptied, once
    pause-trading, pause-exchange   of shard `where` (*: all)
    ticks             the grid of market `where` becomes steps of `amount`
    close             market `where` closes; when the span is over it reopens with its old close
    settle, amend-settlement        market `where` as `code`; the latter only until it is paid
    """

    def __init__(self, exchange: "Exchange", struck: Counter[str]) -> None:
        self._exchange, self._struck = exchange, struck
        self._active: dict[int, Fault] = {}
        self._undo: dict[int, Act] = {}
        self._base = exchange.knobs
        self._run = 0

    def load(self, plan: FaultPlan) -> None:
        """End whatever lasts; this plan begins now."""
        for number in list(self._active):
            self._end(self._run, number)
        self._run += 1
        self._base = self._exchange.knobs
        venue, start_ms = self._exchange.venue, self._exchange.venue.now_ms()
        for number, fault in enumerate(plan.faults):
            if fault.kind in self._acts():
                begin = partial(self._begin, self._run, number, fault)
                if fault.at_ms == 0:
                    begin()
                else:
                    venue.later(start_ms + fault.at_ms, begin)
                if fault.for_ms < ALWAYS_MS:
                    until_ms = start_ms + fault.at_ms + fault.for_ms
                    venue.later(until_ms, partial(self._end, self._run, number))

    def _begin(self, run: int, number: int, fault: Fault) -> None:
        if run != self._run:
            return
        self._active[number] = fault
        self._struck[fault.kind] += 1
        undo = self._acts()[fault.kind](fault)
        if undo is not None:
            self._undo[number] = undo

    def _end(self, run: int, number: int) -> None:
        if run != self._run or number not in self._active:
            return
        fault = self._active.pop(number)
        undo = self._undo.pop(number, lambda _: self._turn_knobs())
        if not any((own.kind, own.where) == (fault.kind, fault.where) for own in self._active.values()):
            undo(fault)
        self._turn_knobs()
        for own in self._active.values():
            if own.kind in PAUSES:
                self._pause(own)

    def _acts(self) -> dict[str, Callable[[Fault], Act | None]]:
        return {
            **dict.fromkeys(("lag", "lag-shard", "late-groups", "stamp-ahead", "stamp-idle"), self._turn),
            "freeze-reads": self._freeze,
            "starve": self._starve,
            "pause-trading": self._pause,
            "pause-exchange": self._pause,
            "ticks": self._ticks,
            "close": self._close,
            "settle": self._settle,
            "amend-settlement": self._amend,
        }

    # --- what reads show ---------------------------------------------------------------------------

    def _turn(self, _: Fault) -> None:
        self._turn_knobs()

    def _turn_knobs(self) -> None:
        """The knobs as they were, worsened by every fault that lasts."""
        worse = {name: getattr(self._base, name) for name in _MANAGED}
        for fault in self._active.values():
            _worsen(worse, fault)
        self._exchange.knobs = replace(self._exchange.knobs, **worse)

    def _freeze(self, _: Fault) -> Act:
        self._exchange.freeze_reads()
        return lambda _: self._exchange.thaw_reads()

    # --- what the exchange takes ----------------------------------------------------------------------

    def _starve(self, fault: Fault) -> Act:
        now_ms = self._exchange.venue.now_ms()
        for member in self._exchange.venue.members.values():
            member.buckets.bucket(fault.where).refill(now_ms)
            member.buckets.drain(fault.where)
        return _nothing

    def _pause(self, fault: Fault) -> Act:
        shard = None if fault.where == "*" else int(fault.where)
        if fault.kind == "pause-exchange":
            self._exchange.pause_exchange(shard)
        else:
            self._exchange.pause_trading(shard)
        return lambda _: self._exchange.resume(shard)

    # --- what becomes of markets ------------------------------------------------------------------------

    def _ticks(self, fault: Fault) -> Act:
        before = self._exchange.venue.markets[fault.where].spec.price_ranges
        self._exchange.set_price_ranges(fault.where, ((0, DOLLAR_E4, fault.amount),))
        return lambda _: self._exchange.set_price_ranges(fault.where, before)

    def _close(self, fault: Fault) -> Act:
        before_ms = self._exchange.venue.markets[fault.where].spec.close_ms
        self._exchange.close_market(fault.where)
        return lambda _: self._exchange.move_close(fault.where, before_ms)

    def _settle(self, fault: Fault) -> Act:
        self._exchange.settle(fault.where, fault.code)
        return _nothing

    def _amend(self, fault: Fault) -> Act:
        lifecycle = self._exchange.lifecycle
        lifecycle.amend(self._exchange.venue.markets[fault.where], fault.code)
        return _nothing


def _worsen(knobs: dict[str, Any], fault: Fault) -> None:
    if fault.kind == "lag":
        name = f"{fault.where}_lag_ms"
        knobs[name] = max(knobs[name], fault.amount)
    elif fault.kind == "late-groups":
        knobs["groups_lag_ms"] = max(knobs["groups_lag_ms"], fault.amount or GROUPS_LATE_MS)
    elif fault.kind == "lag-shard":
        lags = dict(knobs["shard_lag_ms"])
        lags[int(fault.where)] = max(lags.get(int(fault.where), 0), fault.amount)
        knobs["shard_lag_ms"] = tuple(sorted(lags.items()))
    elif fault.kind == "stamp-ahead":
        knobs["user_data_timestamp_offset_ms"] = max(knobs["user_data_timestamp_offset_ms"], fault.amount)
    elif fault.kind == "stamp-idle":
        knobs["user_data_timestamp_on_activity"] = True


def _nothing(_: Fault) -> None:
    """What happened stays."""


STAGE_KINDS = (
    "lag",
    "lag-shard",
    "late-groups",
    "freeze-reads",
    "stamp-ahead",
    "stamp-idle",
    "starve",
    *PAUSES,
    *MARKET_KINDS,
)
