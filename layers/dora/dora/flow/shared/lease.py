"""The end of a lease."""

from dora.core.errors import StateError
from dora.core.ports import Facts, Lease
from dora.core.state import LeaseGrant
from dora.flow.shared.reported import Reported


def release(lease: Lease, facts: Facts, grant: LeaseGrant) -> None:
    """A lease that cannot be released runs out by itself; the next tick waits for that. Safe to repeat."""
    with Reported(facts, "release of the lease", StateError):
        lease.release(grant)
