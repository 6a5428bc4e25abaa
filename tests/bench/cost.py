"""What AWS would charge for a month of cycles, computed from counts.

Only the duration depends on the machine: it is the measured wall of a cycle far from the exchange, with
nothing for DynamoDB's own latency.
"""

from collections.abc import Mapping
from typing import Any

PRICES_OF = "2026-11-29: list prices of us-east-1, arm64, on demand (DynamoDB's since 2024-11), no free tier"
PRICES = {
    "write_units": 0.625 / 1e6,
    "read_units": 0.125 / 1e6,
    "gb_seconds": 0.0000133334,
    "invocations": 0.20 / 1e6,
    "schedules": 1.00 / 1e6,
    "log_bytes": 0.50 / 1e9,
    "puts": 0.005 / 1e3,
    "stored_bytes": 0.023 / 1e9,
}
"""Dollars each; a stored byte for a month."""
CYCLES_A_MONTH = 30 * 24 * 60
MEMORY_GB = 1.0
"""As the template sizes the cycle's function."""
LOG_EVENT_BYTES = 26
"""Added by CloudWatch to every line."""


def used(figures: Mapping[str, Any]) -> dict[str, float]:
    """How much of each priced thing a month of cycles uses; `figures` are those of one size of account.

    Archive objects are kept for thirty days, so those of a month are there at any time.
    """
    log_bytes = figures["log_kb"] * 1024 + figures["log_lines"] * LOG_EVENT_BYTES
    return {
        "write_units": figures["wru"] * CYCLES_A_MONTH,
        "read_units": figures["rru"] * CYCLES_A_MONTH,
        "gb_seconds": figures["wall_ms_50"] / 1000 * MEMORY_GB * CYCLES_A_MONTH,
        "invocations": CYCLES_A_MONTH,
        "schedules": CYCLES_A_MONTH,
        "log_bytes": log_bytes * CYCLES_A_MONTH,
        "puts": CYCLES_A_MONTH,
        "stored_bytes": figures["archive_bytes"] * CYCLES_A_MONTH,
    }


def month(figures: Mapping[str, Any]) -> dict[str, float]:
    """Dollars by kind, and the total."""
    dollars = {name: round(amount * PRICES[name], 2) for name, amount in used(figures).items()}
    return {"total": round(sum(dollars.values()), 2), **dollars}
