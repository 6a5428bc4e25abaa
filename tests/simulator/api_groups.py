"""Order groups over HTTP."""

from __future__ import annotations

from . import decode
from .call import Call
from .groups import Group
from .units import CONTRACT_E2, count_text
from .wire import Refusal, Reply, json_reply, not_found


def create(call: Call) -> Reply:
    fields = call.fields("CreateOrderGroupRequest", decode.GROUP)
    shard, subaccount = fields.get("exchange_index", 0), fields.get("subaccount", 0)
    group = call.exchange.groups.create(call.member, shard, _limit_e2(fields), subaccount)
    return json_reply(201, {"order_group_id": group.id, "subaccount": subaccount, "exchange_index": shard})


def list_all(call: Call) -> Reply:
    """Every group, unpaged; a fresh one shows only after the read lag."""
    as_of_ms = call.exchange.reads.as_of_ms("groups")
    wanted = call.query.number("subaccount")
    rows = [
        {
            "id": group.id,
            "contracts_limit_fp": count_text(row.limit_e2),
            "is_auto_cancel_enabled": row.tripped,
            "exchange_index": group.shard,
        }
        for group in call.member.groups.values()
        if (row := group.as_of(as_of_ms)) and wanted in (None, group.subaccount)
    ]
    return json_reply(200, {"order_groups": rows})


def get(call: Call) -> Reply:
    reads = call.exchange.reads
    as_of_ms = reads.as_of_ms("groups")
    group = call.member.groups.get(call.params["order_group_id"])
    row = group.as_of(as_of_ms) if group else None
    if group is None or row is None:
        raise not_found()
    answer = {
        "is_auto_cancel_enabled": row.tripped,
        "contracts_limit_fp": count_text(row.limit_e2),
        "orders": reads.group_orders(call.member, group, as_of_ms),
        "exchange_index": group.shard,
    }
    return json_reply(200, answer)


def reset(call: Call) -> Reply:
    call.exchange.groups.reset(call.member, _named(call))
    return json_reply(200, {})


def trigger(call: Call) -> Reply:
    call.exchange.groups.trip(call.member, _named(call))
    return json_reply(200, {})


def limit(call: Call) -> Reply:
    group = _named(call)
    fields = call.fields("UpdateOrderGroupLimitRequest", decode.GROUP)
    call.exchange.groups.set_limit(call.member, group, _limit_e2(fields))
    return json_reply(200, {})


def delete(call: Call) -> Reply:
    call.exchange.groups.delete(call.member, _named(call))
    return json_reply(200, {})


def _named(call: Call) -> Group:
    """The group of the path, on the shard of the query (default 0)."""
    shard = call.query.number("exchange_index", 0) or 0
    group = call.exchange.groups.find(call.member, call.params["order_group_id"], shard)
    call.exchange.venue.require_exchange(shard)
    return group


def _limit_e2(fields: dict[str, object]) -> int:
    whole, fixed = fields.get("contracts_limit"), fields.get("contracts_limit_fp")
    if isinstance(whole, int):
        return whole * CONTRACT_E2
    if isinstance(fixed, str):
        return decode.count_e2(fixed)
    raise Refusal(400, "missing_parameters", "contracts_limit")
