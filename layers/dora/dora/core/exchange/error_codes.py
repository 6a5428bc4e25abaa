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
GROUP_NOT_FOUND = frozenset({NOT_FOUND, "order_group_not_found", "ORDER_GROUP_NOT_FOUND"})
"""No such order group, or not any more; which spelling a call about a group gets is not published."""
