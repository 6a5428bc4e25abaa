"""The calls about order groups of events: each is recorded before it is sent and after it is answered.

So whoever dies, or is overtaken by a teardown, leaves no order in a group that nobody knows: what is recorded
as neither armed nor triggered is triggered first of all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from dora.core.errors import ExchangeError, ExchangeRefused, RateLimited, StateError
from dora.core.event_choice import Work
from dora.core.event_group import EventGroup, rested
from dora.core.exchange.error_codes import GROUP_NOT_FOUND
from dora.core.exchange.pacing import GROUP_COST
from dora.core.ports import Ports
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import Count, TimeMs
from dora.flow.shared.reads import paced
from dora.flow.shared.reported import Reported
from dora.flow.shared.shared_charge import back_off

WRITING_MS = 4_000
"""Longest time that one cycle takes for its calls about groups."""


@dataclass
class GroupKeeper:
    """Carries out one cycle's work on the groups; ends at the first call that was not answered."""

    ports: Ports
    backoff_ms: int
    groups: dict[str, EventGroup] = field(default_factory=dict)

    def done(self, work: Work, session: SessionMetadata) -> dict[str, EventGroup]:
        """The groups after it, by event. Nothing is done after anybody's command since the cycle began."""
        calls: list[Callable[[], None]] = [
            *(partial(self._arm, group) for group in work.arm),
            *(partial(self._create, group) for group in work.create),
            *(partial(self._limit, group, limit) for group, limit in work.limit),
            *(partial(self._delete, group) for group in work.delete),
        ]
        if not calls or not self._stands(session):
            return self.groups
        until_ms = TimeMs(self.ports.clock.now_ms() + WRITING_MS)
        for call in paced(self.ports, "write", calls, GROUP_COST, until_ms):
            if not self._passes(call):
                break
        return self.groups

    def _passes(self, call: Callable[[], None]) -> bool:
        """Whether the next call may follow: also after a refusal, which says what became of this one."""
        try:
            call()
        except (ExchangeError, StateError) as error:
            self.ports.facts.emit("ERROR", what="order groups of events", why=str(error))
            if isinstance(error, RateLimited):
                with Reported(self.ports.facts, "rate limit backoff after order groups", StateError):
                    back_off(self.ports, "order_groups", self.backoff_ms)
            return isinstance(error, ExchangeRefused) and not isinstance(error, RateLimited)
        return True

    def _stands(self, session: SessionMetadata) -> bool:
        with Reported(self.ports.facts, "read of the session before its groups", StateError):
            control, current = self.ports.state.read_kill_switch()
            if current is None or current.session_id != session.session_id:
                return False
            return not control.halted and current.status is SessionStatus.ACTIVE
        return False

    def _save(self, group: EventGroup) -> EventGroup:
        stored = self.ports.state.save_event_group(group)
        self.groups[group.event] = stored
        return stored

    def _create(self, asked: EventGroup) -> None:
        """An unanswered create may have made a group that nobody learns of: it takes no order of ours.

        So the next create on its shard waits (`EventGroup.ask_again_ms`).
        """
        stored = self._save(asked)
        group_id = self.ports.exchange.create_group(stored.shard, stored.burst_limit)
        self._save(stored._replace(group_id=group_id, armed_ms=self.ports.clock.now_ms(), asks=0))

    def _arm(self, group: EventGroup) -> None:
        """Recorded as not triggered before the reset: whoever comes after a death in between triggers it."""
        marked = self._save(group._replace(triggered=False))
        try:
            self.ports.exchange.reset_group(marked.group_id, marked.shard)
            self._save(marked._replace(armed_ms=self.ports.clock.now_ms()))
        except StateError:
            self._trigger_back(marked)
            raise
        self.ports.facts.emit("GROUP_RESET", order_group_id=marked.group_id, resets=len(marked.trips))

    def _trigger_back(self, group: EventGroup) -> None:
        """Somebody else wrote its item: a teardown may count on its trigger."""
        with Reported(self.ports.facts, f"trigger of group {group.group_id}", ExchangeError):
            self.ports.exchange.trigger_group(group.group_id, group.shard)

    def _limit(self, group: EventGroup, limit: Count) -> None:
        """Recorded as the higher of both until the exchange has it."""
        current = self.groups[group.event]
        higher = current._replace(burst_limit=max(limit, current.burst_limit))
        higher = self._save(higher) if higher != current else current
        try:
            self.ports.exchange.limit_group(group.group_id, group.shard, limit)
        except ExchangeRefused as error:
            if error.code in GROUP_NOT_FOUND:
                self._save(rested(higher, self.ports.clock.now_ms(), triggered=False)._replace(group_id=""))
            raise
        if higher.burst_limit != limit:
            self._save(higher._replace(burst_limit=limit))

    def _delete(self, group: EventGroup) -> None:
        if group.group_id:
            try:
                self.ports.exchange.delete_group(group.group_id, group.shard)
            except ExchangeRefused as error:
                if error.code not in GROUP_NOT_FOUND:
                    raise
        self.ports.state.drop_event_group(group)
        del self.groups[group.event]
