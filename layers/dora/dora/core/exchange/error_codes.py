"""The exchange's error codes that more than one part of the flow acts on."""

RATE_LIMITED = frozenset({"too_many_requests", "429"})
"""A request was refused because its token bucket was short."""
NOT_FOUND = "not_found"
"""The exchange does not know it, or it has ended."""
