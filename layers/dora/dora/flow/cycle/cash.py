"""Our cash beside the exchange's, every cycle: the account's total tied to the books, and each shard told."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dora.core.accounts.cash_tie import (
    CashOutcome,
    CashRead,
    CashTie,
    UnexplainedCash,
    movements,
    tie_cash,
)
from dora.core.accounts.shard_cash import ShardCash, needed_by_shard, reserved_for
from dora.core.calendar import format_time
from dora.core.exchange.market import MarketStatus
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.ports import Facts
from dora.core.units import Count, Money, TimeMs, format_money
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.shared.accounting import Accounts


class CashLook(NamedTuple):
    """What one look at the balance came to. `why`: what kept it from being compared ("": nothing)."""

    tie: CashTie
    shards: tuple[ShardCash, ...]
    why: str = ""
    unexplained: UnexplainedCash | None = None


def look_at_cash(
    facts: Facts, loaded: LoadedState, snapshot: Snapshot, accounts: Accounts, view: ReconciledOrders
) -> CashLook:
    """Compare the balance with the books, and tell what they do not explain.

    Safe to repeat: what is found is told again where the cycle dies before it is stored.
    """
    before, why = loaded.state.cash, _incomparable(snapshot, accounts, view)
    if snapshot.cash is None:
        return CashLook(tie=CashTie(outcome=CashOutcome.UNKNOWN, books=before), shards=(), why=why)
    reserved = _reserved(accounts, view)
    shards = tuple(_shards(loaded, snapshot, snapshot.cash, reserved))
    if why:
        return CashLook(tie=CashTie(outcome=CashOutcome.UNKNOWN, books=before), shards=shards, why=why)
    moved, fills = movements(accounts.books.values())
    read = CashRead(
        at_ms=snapshot.began_ms,
        known_ms=TimeMs(min(snapshot.as_of_ms, snapshot.began_ms)),
        balances=snapshot.cash,
        movements=moved,
        fills=fills,
        reserved=reserved,
    )
    tie = tie_cash(before, read)
    found = _found(tie, snapshot.began_ms)
    _tell(facts, tie, found)
    why = "a shard that held cash is not listed" if tie.outcome is CashOutcome.UNKNOWN else ""
    return CashLook(tie=tie, shards=shards, why=why, unexplained=found)


def _incomparable(snapshot: Snapshot, accounts: Accounts, view: ReconciledOrders) -> str:
    """Why the books may lack something that the balance knows: what is on its way is not unexplained."""
    if snapshot.cash is None:
        return "the balance was not read"
    if accounts.booked is None or snapshot.settlements is None or accounts.drift is None:
        return "fills, payouts or positions were not read"
    if accounts.drift:
        return "positions differ"
    if view.unseen or any(order.unbooked for order in accounts.journal.orders.values()):
        return "fills are known that no list shows yet"
    if any(own.net and _may_be_paid(snapshot, ticker) for ticker, own in accounts.positions.items()):
        return "a payout is known that no list shows yet"
    return ""


def _may_be_paid(snapshot: Snapshot, ticker: str) -> bool:
    market = snapshot.markets.get(ticker)
    return market is None or market.status is MarketStatus.FINALIZED


def _reserved(accounts: Accounts, view: ReconciledOrders) -> dict[int, Money]:
    """By shard, what open orders hold, those of others on the account included."""
    shards = {row.ticker: row.shard for row in view.external}
    shards |= {order.slot.ticker: order.shard for order in accounts.journal.orders.values() if order.open}
    reserved: dict[int, Money] = {}
    for ticker, resting in view.resting_by_ticker().items():
        own = accounts.positions.get(ticker)
        held = reserved_for(own.net if own else Count(0), resting)
        shard = shards[ticker]
        reserved[shard] = Money(reserved.get(shard, 0) + held)
    return reserved


def _shards(
    loaded: LoadedState, snapshot: Snapshot, cash: Mapping[int, Money], reserved: Mapping[int, Money]
) -> Iterator[ShardCash]:
    needed = needed_by_shard(loaded.wanted, snapshot.markets)
    for shard, held in sorted(cash.items()):
        yield ShardCash(
            shard=shard,
            held=held,
            reserved=reserved.get(shard, Money(0)),
            needed=needed.get(shard, Money(0)),
            kept=loaded.globals_.cash_reserve,
        )


def _found(tie: CashTie, now_ms: TimeMs) -> UnexplainedCash | None:
    if tie.outcome is not CashOutcome.UNEXPLAINED:
        return None
    return UnexplainedCash(
        since_ms=tie.since_ms, found_ms=now_ms, amount=tie.difference, by_shard=dict(tie.by_shard)
    )


def _tell(facts: Facts, tie: CashTie, found: UnexplainedCash | None) -> None:
    if found is not None:
        facts.count("ExternalActivity", 1)
        facts.emit(
            "UNEXPLAINED_CASH",
            amount_dollars=format_money(found.amount),
            since=format_time(found.since_ms),
            by_shard=by_shard(found.by_shard),
            all_time_dollars=format_money(tie.books.unexplained),
        )
    elif tie.outcome is CashOutcome.TIED and tie.by_shard:
        facts.emit("CASH_MOVED", by_shard=by_shard(tie.by_shard))


def by_shard(amounts: Mapping[int, Money]) -> str:
    """`0 -30.000000; 2 30.000000`."""
    return "; ".join(f"{shard} {format_money(amount)}" for shard, amount in sorted(amounts.items()))


def cash_fields(look: CashLook) -> dict[str, object]:
    """The fields of the cycle's record. None: not read, so not known."""
    books, outcome = look.tie.books, str(look.tie.outcome)
    return {
        "cash_tie": f"{outcome}: {look.why}" if look.why else outcome,
        "cash_difference_dollars": format_money(look.tie.difference),
        "cash_residue_dollars": format_money(books.residue),
        "cash_unexplained_dollars": format_money(books.unexplained),
        "cash_by_shard": "; ".join(map(_told, look.shards)) or None,
    }


def _told(own: ShardCash) -> str:
    """`0 held 100.000000 reserved 20.000000 needed 30.000000 spendable 79.000000`."""
    parts = {"held": own.held, "reserved": own.reserved, "needed": own.needed, "spendable": own.spendable}
    return " ".join([str(own.shard), *(f"{name} {format_money(money)}" for name, money in parts.items())])
