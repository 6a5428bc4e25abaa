"""The account: cash per shard, transfers between shards, budgets."""

from __future__ import annotations

from . import decode
from .account import Account, CashRow, row_as_of
from .buckets import READ, WRITE
from .call import Call
from .costs import COSTS, DEFAULT_COST
from .render import mark_e6
from .units import CENT_E6, money_text
from .wire import Refusal, Reply, json_reply

TRANSFER_ID = 0x1A2B
CENTICENT_E6 = 100
ALL_PERCENT = 100


def balance(call: Call) -> Reply:
    """All shards summed unless one is named; the breakdown says what is where."""
    account = account_of(call)
    wanted = call.query.number("exchange_index")
    spent = call.exchange.knobs.balance_counts_resting_as_spent
    rows = {shard: row for shard, row in _cash_rows(call, account).items() if wanted in (None, shard)}
    free = {shard: row.cash_e6 - (row.reserved_e6 if spent else 0) for shard, row in rows.items()}
    total_e6 = sum(free.values())
    return json_reply(
        200,
        {
            "balance": total_e6 // CENT_E6,
            "balance_dollars": money_text(total_e6),
            "portfolio_value": _portfolio_e6(call, account, wanted) // CENT_E6,
            "updated_ts": max((row.at_ms for row in rows.values()), default=call.exchange.venue.now_ms())
            // 1000,
            "balance_breakdown": [
                {"exchange_index": shard, "balance": money_text(cash_e6)}
                for shard, cash_e6 in sorted(free.items())
            ],
        },
    )


def limits(call: Call) -> Reply:
    buckets = call.member.buckets
    answer = {
        name: {"refill_rate": buckets.bucket(name).rate, "bucket_capacity": buckets.bucket(name).capacity}
        for name in (READ, WRITE)
    }
    return json_reply(200, {"usage_tier": buckets.tier, **answer, "grants": []})


def endpoint_costs(call: Call) -> Reply:
    rows = [{"method": method, "path": path, "cost": cost} for (method, path), cost in sorted(COSTS.items())]
    return json_reply(200, {"default_cost": DEFAULT_COST, "endpoint_costs": rows})


def transfer(call: Call) -> Reply:
    """Cash from one shard to another; it leaves at once and arrives after the knob's delay."""
    fields = call.fields("IntraExchangeInstanceTransferRequest", decode.TRANSFER)
    decode.require(fields, ("source", "destination", "amount"))
    key = fields.get("client_transfer_id", "")
    if key in call.member.transfer_ids:
        raise Refusal(409, "transfer_already_exists")
    amount_e6 = fields["amount"] * CENTICENT_E6
    source, destination = fields.get("source_exchange_shard", 0), fields.get("destination_exchange_shard", 0)
    account = call.exchange.engine.admission.account(call.member, fields.get("source_subaccount", 0))
    if not 0 < amount_e6 <= account.free_e6(source):
        raise Refusal(400, "insufficient_balance")
    if key:
        call.member.transfer_ids.add(key)
    call.exchange.venue.move_cash(account, source, destination, amount_e6)
    return json_reply(200, {"transfer_id": call.exchange.venue.new_id(TRANSFER_ID)})


def get_allocation(call: Call) -> Reply:
    member = call.member
    return json_reply(
        200, {"allocations": member.allocations, "resting_margin_reservation": member.allocation_mode}
    )


def set_allocation(call: Call) -> Reply:
    """Kept and read back; the simulator does not move cash by itself."""
    fields = call.fields("SetTargetBalanceAllocationRequest", decode.ALLOCATION)
    allocations = fields.get("allocations", [])
    if allocations and sum(entry.get("percent", 0) for entry in allocations) != ALL_PERCENT:
        raise Refusal(400, "invalid_parameters", "percents must total 100")
    call.member.allocations = allocations
    call.member.allocation_mode = fields.get("resting_margin_reservation", "none")
    return json_reply(200, {})


def account_of(call: Call) -> Account:
    """The subaccount a read names, the primary one by default."""
    return call.exchange.engine.admission.account(call.member, call.query.number("subaccount", 0) or 0)


def _cash_rows(call: Call, account: Account) -> dict[int, CashRow]:
    as_of_ms = call.exchange.reads.as_of_ms("balance")
    found = {shard: row_as_of(rows, as_of_ms) for shard, rows in account.cash_rows.items()}
    return {shard: row for shard, row in found.items() if row is not None}


def _portfolio_e6(call: Call, account: Account, shard: int | None) -> int:
    markets = call.exchange.venue.markets
    return sum(
        mark_e6(account, markets[ticker], position)
        for ticker, position in account.positions.items()
        if position.position_e2 and shard in (None, markets[ticker].shard)
    )
