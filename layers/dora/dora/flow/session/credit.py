"""A reward that the exchange credited, booked by a person who saw it: no list of the exchange shows one."""

from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.incentives.programs import INCENTIVE
from dora.core.orders.journal import Journal
from dora.core.ports import Ports
from dora.core.session import Credited
from dora.core.state import LeaseGrant, LeaseRefused
from dora.core.units import TimeMs, format_money
from dora.flow.session.status import Response, refused
from dora.flow.shared.bookkeeping import Bookkeeper
from dora.flow.shared.earners import Earners
from dora.flow.shared.lease import release
from dora.flow.shared.rewards import book_rewards

LEASE_MS = 30_000
"""Longest life of the lease under which it is booked."""


def credit(ports: Ports, given: Credited) -> Response:
    """Into the books of its market, with the cash that it explains; refused while a cycle is running.

    Safe to repeat: yes, a program is credited once in a market. Raises StateError.
    """
    now_ms = ports.clock.now_ms()
    grant = ports.lease.acquire(
        owner=f"credit {given.program} {now_ms}",
        tick_ms=now_ms,
        now_ms=now_ms,
        expires_ms=TimeMs(now_ms + LEASE_MS),
    )
    if isinstance(grant, LeaseRefused):
        return refused(None, f"a cycle is running ({grant.reason}): ask again in half a minute")
    try:
        return _booked(ports, grant, given, now_ms)
    finally:
        release(ports.lease, ports.facts, grant)


def _booked(ports: Ports, grant: LeaseGrant, given: Credited, now_ms: TimeMs) -> Response:
    state = ports.state.load(grant.fence)
    books = Bookkeeper(ports, grant.fence, state.books, state.positions)
    shard = _shard(ports, books, given.market)
    if shard is None:
        return refused(state.session, f"the exchange knows no market {given.market}")
    reward = Reward(
        program=given.program,
        ticker=given.market,
        shard=shard,
        kind=RewardKind.CREDITED,
        amount=given.amount,
        at_ms=now_ms,
    )
    told: Response = {"program": given.program, "market": given.market}
    if not books.unrewarded([reward]):
        return {"status": "credited before", **told}
    earners = Earners(None, Journal(), {given.market: INCENTIVE})
    cash = book_rewards(ports, books, earners, [reward], state.cash)
    unexplained = format_money(cash.unexplained)
    amount = format_money(given.amount)
    return {"status": "credited", **told, "amount_dollars": amount, "cash_unexplained_dollars": unexplained}


def _shard(ports: Ports, books: Bookkeeper, ticker: str) -> int | None:
    """As the books have it, those that have left the state as well; else as the exchange says."""
    own = books.ledgers.get(ticker) or ports.state.retired([ticker]).get(ticker)
    if own is not None:
        return own.shard
    listed = ports.exchange.markets([ticker]).get(ticker)
    return None if listed is None else listed.shard
