"""The fault layer between a client and the exchange: requests and answers lost, late, cut or doubled.

A write that is slow moves the virtual clock before it is applied. Reads run side by side, so theirs never
does: a read's latency is only noted in `read_latency_ms` (`lag` in `fault_stage` makes reads old), and one
that takes longer than the client waits gets no answer.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from .fault_aim import Aim
from .fault_answers import TWISTS
from .fault_plan import Fault, FaultPlan
from .fault_request import entries, identity, label, patience_ms
from .faults import Faults
from .wire import ConnectionDroppedError, Refusal, Reply, Request, dated

if TYPE_CHECKING:
    from .exchange import Exchange

LONGEST_HOLD_MS = 60_000
FILLS, BALANCE = "GET /portfolio/fills", "GET /portfolio/balance"
UNAVAILABLE = 503
OK, REDIRECTS = 200, 300


class FaultScript(Faults):
    """Carries out the request faults of a plan; give it to `exchange.faults`.

    Before the exchange sees the request:
      slow          an answer takes `amount` ms on average; past the client's patience it is held
      lose-request  the connection ends, nothing was applied
      hold          the client hears nothing, the exchange gets the request `amount` ms later (at most 60 s)
      refuse        status `amount` (503 by default) with `code`; nothing was applied
      part-batch    a random subset (code "prefix": the first so many) is applied, then 503
      fail-page     pages of `amount` rows (1 by default), and 503 for every page but the first
      no-cash       reads of the balance alone: status `amount` (503 by default), with code "lost" no answer
      dead-connections  the first try of up to `amount` different requests (0: of all) meets a connection of
                    the pool that is dead, and never leaves; with code "silence" the client waits it out.
                    Reads side by side come in any order: only 0 and 1 strike the same ones in every run
    After it:
      lose-answer   applied, and the connection ends
      trickle       applied, and the answer comes so slowly that the client gives up before it is whole
      error-after   applied, and then status `amount` (503 by default) with `code`
      twice         delivered twice; the client gets the first answer, with code "second" the second one
      cut-body, error-body, swap-ids, no-ids, shuffle-rows, drop-rows, blank, loop-cursor, null-lists,
      foreign-rows  see `fault_answers`; they count where they change something
    """

    def __init__(self, exchange: "Exchange", struck: Counter[str] | None = None) -> None:
        self._exchange = exchange
        self._before: dict[str, Callable[[Fault, Request], Reply | None]] = {
            "slow": self._slow,
            "lose-request": self._lose,
            "hold": self._hold,
            "refuse": self._refuse,
            "part-batch": self._part_batch,
            "fail-page": self._fail_page,
            "no-cash": self._no_cash,
            "dead-connections": self._dead,
        }
        self._after: dict[str, Callable[[Fault, Request, Reply], Reply]] = {
            "lose-answer": self._lose_answer,
            "trickle": self._trickle,
            "error-after": self._error_after,
            "twice": self._twice,
            **dict.fromkeys(TWISTS, self._twist),
        }
        self.kinds = self._before.keys() | self._after.keys()
        self.aim = Aim(self.kinds, exchange.venue.now_ms, Counter() if struck is None else struck)
        self.read_latency_ms: list[int] = []
        self.landed: list[Request] = []
        """Held requests that got through in the end, refused or not."""
        self.fills_as_of_ms = exchange.venue.now_ms()
        """The moment that the latest whole and true list of fills described."""
        self.torn_fills = 0
        """Lists of fills that came with rows missing: the client cannot see that."""
        self._whole_fills = True
        self._passing = False
        self._due: Fault | None = None

    def load(self, plan: FaultPlan) -> None:
        """This plan begins now."""
        self._dead_tries: Counter[Fault] = Counter()
        self.aim.load(FaultPlan(tuple(map(_as_meant, plan.faults)), plan.seed))

    def before(self, request: Request) -> Reply | None:
        """One fault a request: the first of the plan that strikes it."""
        self._due = None
        if self._passing:
            return None
        fault = self.aim.at([label(request)], identity(request))
        if label(request) == FILLS:
            self._whole_fills = fault is None and (self._whole_fills or "cursor" not in dict(request.query))
        if fault is None:
            return None
        if fault.kind in self._after:
            self._due = fault
            return None
        return self._before[fault.kind](fault, request)

    def after(self, request: Request, reply: Reply) -> Reply:
        """Carry out what `before` chose."""
        fault, self._due = self._due, None
        if fault is not None:
            return self._after[fault.kind](fault, request, reply)
        if self._whole_fills and not self._passing and label(request) == FILLS and reply.status == OK:
            venue, reads = self._exchange.venue, self._exchange.reads
            self.fills_as_of_ms = min(reads.as_of_ms("fills", shard) for shard in venue.shards)
        return reply

    # --- before ----------------------------------------------------------------------------------

    def _slow(self, fault: Fault, request: Request) -> Reply | None:
        self.aim.count(fault)
        latency_ms = int(self.aim.dice(identity(request)).expovariate(1 / fault.amount))
        if request.method == "GET":
            self.read_latency_ms.append(latency_ms)
            if latency_ms > patience_ms(request):
                raise ConnectionDroppedError("no answer in time")
            return None
        if latency_ms > patience_ms(request):
            self._give_up(request, latency_ms)
        self._exchange.venue.clock.advance_ms(latency_ms)
        return None

    def _lose(self, fault: Fault, _: Request) -> Reply | None:
        self.aim.count(fault)
        raise ConnectionDroppedError("the request was lost")

    def _hold(self, fault: Fault, request: Request) -> Reply | None:
        self.aim.count(fault)
        self._give_up(request, fault.amount)
        return None

    def _refuse(self, fault: Fault, _: Request) -> Reply:
        self.aim.count(fault)
        return self._error(fault)

    def _part_batch(self, fault: Fault, request: Request) -> Reply | None:
        orders = entries(request)
        if not orders:
            return None
        self.aim.count(fault)
        dice = self.aim.dice(identity(request))
        kept = dice.randrange(len(orders) + 1)
        chosen = range(kept) if fault.code == "prefix" else sorted(dice.sample(range(len(orders)), kept))
        if kept:
            body = json.dumps({"orders": [orders[number] for number in chosen]}).encode()
            self._deliver(replace(request, body=body))
        return self._error(replace(fault, code="service_unavailable"))

    def _fail_page(self, fault: Fault, request: Request) -> Reply | None:
        query = dict(request.query)
        if query.get("cursor"):
            self.aim.count(fault)
            return self._error(replace(fault, amount=UNAVAILABLE))
        query["limit"] = str(fault.amount or 1)
        return self._deliver(replace(request, query=list(query.items())))

    def _no_cash(self, fault: Fault, request: Request) -> Reply | None:
        if fault.code == "lost":
            return self._lose(fault, request)
        return self._refuse(fault, request)

    def _dead(self, fault: Fault, request: Request) -> Reply | None:
        """Reads side by side wait side by side: only the first of them, and a write, moves the clock."""
        first = not self._dead_tries[fault]
        self._dead_tries[fault] += 1
        if fault.amount and self._dead_tries[fault] > fault.amount:
            return None
        self.aim.count(fault)
        if fault.code != "silence":
            raise ConnectionDroppedError("the pooled connection was dead")
        if first or request.method != "GET":
            self._exchange.venue.clock.advance_ms(patience_ms(request))
        raise ConnectionDroppedError("no answer in time")

    # --- after -------------------------------------------------------------------------------------

    def _lose_answer(self, fault: Fault, _: Request, __: Reply) -> Reply:
        self.aim.count(fault)
        raise ConnectionDroppedError("the answer was lost")

    def _trickle(self, fault: Fault, request: Request, _: Reply) -> Reply:
        self.aim.count(fault)
        if request.method != "GET":
            self._exchange.venue.clock.advance_ms(patience_ms(request))
        raise ConnectionDroppedError("the answer was not whole in time")

    def _error_after(self, fault: Fault, _: Request, __: Reply) -> Reply:
        self.aim.count(fault)
        return self._error(fault)

    def _twice(self, fault: Fault, request: Request, reply: Reply) -> Reply:
        self.aim.count(fault)
        self.copying = True
        try:
            again = self._deliver(request)
        finally:
            self.copying = False
        return again if fault.code == "second" else reply

    def _twist(self, fault: Fault, request: Request, reply: Reply) -> Reply:
        if not OK <= reply.status < REDIRECTS or not reply.body:
            return reply
        twisted = TWISTS[fault.kind](reply, fault, self.aim.dice(identity(request)))
        if twisted.body != reply.body:
            self.aim.count(fault)
            self.torn_fills += fault.kind == "drop-rows" and label(request) == FILLS
        return twisted

    # --- shared --------------------------------------------------------------------------------------

    def _give_up(self, request: Request, after_ms: int) -> None:
        """The client waits as long as it will, then hears nothing; the request arrives in its own time."""
        venue = self._exchange.venue
        arrives_ms = venue.now_ms() + min(after_ms, LONGEST_HOLD_MS)
        venue.later(arrives_ms, partial(self._land, request))
        if request.method != "GET":
            venue.clock.advance_ms(patience_ms(request))
        raise ConnectionDroppedError("no answer in time")

    def _land(self, request: Request) -> None:
        self._deliver(request, self._exchange.release)
        self.landed.append(request)

    def _deliver(self, request: Request, door: Callable[[Request], Reply] | None = None) -> Reply:
        """Past this layer."""
        due, passing, self._passing = self._due, self._passing, True
        try:
            return (door or self._exchange.handle)(request)
        finally:
            self._due, self._passing = due, passing

    def _error(self, fault: Fault) -> Reply:
        status = fault.amount or UNAVAILABLE
        refusal = Refusal(status, fault.code or _CODES.get(status, "service_unavailable"))
        return dated(refusal.reply(), self._exchange.venue.now_ms())


_CODES = {400: "invalid_parameters", 408: "request_timeout", 429: "too_many_requests"}


def _as_meant(fault: Fault) -> Fault:
    """A dead connection is met once, and the balance is what no-cash is about."""
    if fault.kind == "dead-connections":
        return replace(fault, times=1)
    return replace(fault, where=BALANCE) if fault.kind == "no-cash" else fault
