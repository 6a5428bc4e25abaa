"""The exchange's error codes that more than one part of the flow acts on."""

RATE_LIMITED = frozenset({"too_many_requests", "429"})
"""A request was refused because its token bucket was short."""
NOT_FOUND = "not_found"
"""The exchange does not know it, or it has ended."""
GROUP_NOT_FOUND = frozenset({NOT_FOUND, "order_group_not_found", "ORDER_GROUP_NOT_FOUND"})
"""No such order group, or not any more; which spelling a call about a group gets is not published."""
