"""`ports.Lease` in memory."""

from dataclasses import replace

from dora.core.reasons import Reason
from dora.core.state import LeaseGrant, LeaseRefused
from dora.core.units import TimeMs
from tests.world.memory_cloud import LeaseRecord, MemoryCloud, request


class MemoryLease:
    """The lease of one bot."""

    service = "lease"

    def __init__(self, cloud: MemoryCloud, pk: str) -> None:
        self.cloud, self._pk = cloud, pk

    @request
    def acquire(
        self, *, owner: str, tick_ms: TimeMs, now_ms: TimeMs, expires_ms: TimeMs
    ) -> LeaseGrant | LeaseRefused:
        """Safe to repeat: yes, with the same owner and tick."""
        held = self.cloud.partitions[self._pk].lease
        if held is None or (held.tick_ms < tick_ms and held.expires_ms <= now_ms):
            held = LeaseRecord((held.fence if held else 0) + 1, tick_ms, owner, expires_ms)
            self.cloud.partitions[self._pk].lease = held
        if (held.owner, held.tick_ms) == (owner, tick_ms):
            return LeaseGrant(held.fence, TimeMs(held.expires_ms))
        return LeaseRefused(Reason.TICK_SEEN if held.tick_ms >= tick_ms else Reason.LEASE_HELD)

    @request
    def release(self, grant: LeaseGrant) -> None:
        """Safe to repeat: yes, it only ever frees the lease of its own fence."""
        held = self.cloud.partitions[self._pk].lease
        if held is not None and held.fence == grant.fence:
            self.cloud.partitions[self._pk].lease = replace(held, owner="", expires_ms=0)
