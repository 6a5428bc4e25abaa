"""The exchange's error codes that more than one part of the flow acts on."""

RATE_LIMITED = frozenset({"too_many_requests", "429"})
"""A request was refused because its token bucket was short."""
NOT_FOUND = "not_found"
"""The exchange does not know it, or it has ended."""
GROUP_TRIPPED = frozenset(
    {
        "order_group_triggered",
        "order_group_limit_exceeded",
        "order_group_not_active",
        "ORDER_GROUP_CANCEL",
        "EXCEEDED_ORDER_GROUP_RISK_LIMIT",
    }
)
"""A create was refused because its group is triggered; the spelling is not published for this interface."""
PAUSED = frozenset({"trading_is_paused", "exchange_is_paused"})
"""Nothing is taken on the shard now; its status says so as well."""
CASH_SHORT = frozenset(
    {"insufficient_balance", "insufficient_shard_balance", "available_balance_too_low", "user_not_found"}
)
"""A create was refused because its shard holds too little cash, or none."""
BRAKED_ELSEWHERE = RATE_LIMITED | GROUP_TRIPPED | PAUSED
"""Refusals that have a brake of their own, so that none that counts refusals counts them."""
GROUP_NOT_FOUND = frozenset({NOT_FOUND, "order_group_not_found", "ORDER_GROUP_NOT_FOUND"})
"""No such order group, or not any more; which spelling a call about a group gets is not published."""
