"""Creates that were never answered, settled by the engine itself: their client order ids are claimed.

No list proves that an order is not there. But the engine takes an id once, so an order of the smallest size
under the same id, filled at once or canceled, has two answers: taken (the id was free: the first create never
came, and now never can) or `order_already_exists` (it came, or an earlier claim did: some row will show it).
"""

from dataclasses import replace

from dora.core.evidence import Evidence, unclaimed
from dora.core.id_probe import claim_request
from dora.core.journal import TrackedOrder
from dora.core.model import Claim, ClaimRequest, SessionMetadata, SessionStatus
from dora.core.ports import Outside
from dora.core.units import TimeMs
from dora.flow.finishing import Known
from dora.flow.reading import Snapshot

MOST_CLAIMS = 20
"""Claims of one cycle; each costs as many write tokens as a create."""
LONGEST_WAIT_MS = 5_000
"""No claim is begun later: an exchange that is slow to answer must not take the cycle's time."""


def claim_ids(outside: Outside, known: Known, snapshot: Snapshot, evidence: Evidence) -> Evidence:
    """The evidence, with what the engine said of ids that no row shows after their hold.

    A claim is an order all the same: where nothing may be placed, none is sent.
    """
    session = known.state.session
    if session is None or evidence.resting is None or not _may_claim(outside, known, session):
        return evidence
    hold_ms = known.globals_.unknown_create_hold_s * 1000
    asked = [_request(order, session, snapshot) for order in unclaimed(known.journal, evidence, hold_ms)]
    requests = [request for request in asked if request is not None][:MOST_CLAIMS]
    return replace(evidence, claims=_claims(outside, known, requests)) if requests else evidence


def _may_claim(outside: Outside, known: Known, session: SessionMetadata) -> bool:
    halted, active = known.state.control.halted, session.status is SessionStatus.ACTIVE
    return active and known.globals_.trading_enabled and not (halted or outside.dry_run)


def _request(order: TrackedOrder, session: SessionMetadata, snapshot: Snapshot) -> ClaimRequest | None:
    """In a group of the session where it has any."""
    groups = [group.group_id for group in session.order_groups if group.shard == order.shard]
    if session.use_order_groups and not groups:
        return None
    market = snapshot.markets.get(order.slot.ticker)
    return claim_request(order, market, groups[0] if groups else None)


def _claims(outside: Outside, known: Known, requests: list[ClaimRequest]) -> dict[str, Claim]:
    """As many as the tokens allow; the others are claimed by a later cycle."""
    limits, now_ms = known.state.limits, outside.clock.now_ms()
    cost = limits.create_cost if limits else 10
    until_ms = TimeMs(now_ms + LONGEST_WAIT_MS)
    found: dict[str, Claim] = {}
    sends = outside.limiter.reserve("write", [cost] * len(requests), now_ms, until_ms)
    for request, send_ms in zip(requests, sends, strict=False):
        outside.clock.sleep_ms(max(send_ms - outside.clock.now_ms(), 0))
        if outside.clock.now_ms() > until_ms:
            break
        claim = outside.exchange.claim(request)
        if claim is not None:
            found[request.client_order_id] = claim
    return found
