"""What stands in for settings and limits that are missing or cannot be read."""

from dora.core.config import GlobalConfig
from dora.core.exchange.account import Limits
from dora.core.units import Count

UNLEARNED = Limits(tier="basic", read_rate=200, read_capacity=200, write_rate=100, write_capacity=100)
"""The smallest account, assumed until a session start has learned the real one."""

UNCONFIGURED = GlobalConfig(group_burst_limit=Count(100))
"""Timings used while there is no valid GLOBAL item; nothing is placed then."""
