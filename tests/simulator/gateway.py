"""The way of a request: fault layer, route, signature, body, tokens, latency, handler, counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import auth, buckets, routes
from .buckets import Buckets
from .call import AUTO_ROUTE, Call
from .costs import CANCEL_COST, CREATE_COST
from .decode import Query, parse_body
from .faults import Faults
from .member import Member
from .wire import MAX_URL_BYTES, Refusal, Reply, Request, dated

if TYPE_CHECKING:
    from .assembly import Assembly

_BODY_METHODS = ("POST", "PUT", "DELETE")
Bill = list[tuple[str, int]]


class Gateway:
    """Answers requests; everything it refuses is an ordinary reply."""

    def __init__(self, exchange: Assembly) -> None:
        self._exchange = exchange
        self._venue = exchange.venue
        self._table = routes.Table()
        self._unsigned = Buckets("basic", self._venue.now_ms())
        self.faults = Faults()

    def handle(self, request: Request, *, held: bool = False) -> Reply:
        """Answer one request. `held`: it was signed long ago and only now gets through, so its signature
        is judged by its life and not by the clock-skew window. May raise ConnectionDroppedError."""
        instead = self.faults.before(request)
        if instead is not None:
            return instead
        reply = self._answer(request, held)
        return self.faults.after(request, dated(reply, self._venue.now_ms()))

    def _answer(self, request: Request, held: bool) -> Reply:
        try:
            if _url_bytes(request) > MAX_URL_BYTES:
                return Reply(414, b"Request-URI Too Large", {"Content-Type": "text/plain"})
            route, params = self._table.find(request.method, request.path)
            self._venue.stats.calls[route.name] += 1
            return self._serve(route, params, request, held)
        except Refusal as refusal:
            is_cancel = request.method == "DELETE" and "/events/orders/" in request.path
            self._venue.count_refusal(refusal, cancel=is_cancel)
            return refusal.reply()

    def _serve(self, route: routes.Route, params: dict[str, str], request: Request, held: bool) -> Reply:
        call = Call(self._exchange, request, params, Query(route.operation, request.query))
        call.signer = self._signer(route, request, held)
        if request.method in _BODY_METHODS:
            call.body = parse_body(request, needs_type=self._needs_type(route, request))
        self._charge(route, call)
        if route.is_write and self._venue.knobs.write_latency_ms:
            self._venue.clock.advance_ms(self._venue.knobs.write_latency_ms)
        return route.handler(call)

    def _signer(self, route: routes.Route, request: Request, held: bool) -> Member | None:
        if route.billing == routes.PUBLIC and not auth.is_signed(request):
            return None
        knobs = self._venue.knobs
        past_ms = knobs.signature_life_ms if held else knobs.clock_skew_ms
        return auth.authenticate(
            request,
            self._venue.members,
            now_ms=self._venue.now_ms(),
            past_ms=past_ms,
            ahead_ms=knobs.clock_skew_ms,
        )

    def _needs_type(self, route: routes.Route, request: Request) -> bool:
        if request.method == "PUT":
            return self._venue.knobs.put_needs_json
        return request.method == "POST" or bool(request.body)

    def _charge(self, route: routes.Route, call: Call) -> None:
        """Take the tokens of the call or refuse it whole."""
        now_ms, member, bill = self._venue.now_ms(), call.signer, self._bill(route, call)
        if member is None:
            limited = self._venue.knobs.unsigned_reads_limited
            if limited and (short := self._unsigned.spend(bill, now_ms)) is not None:
                raise self._too_many(short)
            return
        if route.is_write and self._venue.plant.strikes("drain-tokens"):
            for name, _ in bill:
                member.buckets.bucket(name).refill(now_ms)
                member.buckets.drain(name)
        if not self.faults.copying:
            self._venue.invariants.after_bill(member, member.fair_buckets.spend(bill, now_ms), now_ms)
        short = member.buckets.spend(bill, now_ms)
        if short is not None:
            raise self._too_many(short)
        for name, cost in bill:
            self._venue.stats.tokens[name].append((now_ms, cost))

    def _bill(self, route: routes.Route, call: Call) -> Bill:
        billing: dict[str, Callable[[], Bill]] = {
            routes.BALANCE: lambda: [(buckets.BALANCE, 1)],
            routes.UNSCOPED: lambda: [(buckets.WRITE, route.cost)],
            routes.LEGACY: lambda: [(buckets.WRITE, self._venue.knobs.legacy_write_cost)],
            routes.BATCH: lambda: [(buckets.WRITE, _batch_cost(call))],
            routes.SINGLE: lambda: self._single(route.cost, call),
        }
        return billing.get(route.billing, lambda: [(buckets.READ, route.cost)])()

    def _single(self, cost: int, call: Call) -> Bill:
        """A pinned write bills its shard; one that must be routed bills every shard."""
        source = call.body if call.request.method == "POST" else _pins(call.query)
        index = source.get("exchange_index")
        if isinstance(index, int) and index != AUTO_ROUTE:
            return [(buckets.shard_write(index), cost)]
        if index == AUTO_ROUTE or source.get("ticker") or source.get("market_ticker"):
            return [(buckets.shard_write(shard), cost) for shard in self._venue.shards]
        return [(buckets.WRITE, cost)]

    def _too_many(self, bucket: str) -> Refusal:
        self._venue.stats.too_many_requests[bucket] += 1
        knobs = self._venue.knobs
        nested = (knobs.balance_body_of_429 if bucket == buckets.BALANCE else knobs.body_of_429) == "nested"
        return Refusal(429, "too_many_requests", shape="nested" if nested else "text")


def _pins(query: Query) -> dict[str, int | str | None]:
    """Where a single cancel says it belongs."""
    return {"exchange_index": query.number("exchange_index"), "market_ticker": query.text("market_ticker")}


def _batch_cost(call: Call) -> int:
    orders = call.body.get("orders")
    each = CREATE_COST if call.request.method == "POST" else CANCEL_COST
    return each * max(1, len(orders) if isinstance(orders, list) else 1)


def _url_bytes(request: Request) -> int:
    return len(request.path) + sum(len(name) + len(value) + 2 for name, value in request.query)
