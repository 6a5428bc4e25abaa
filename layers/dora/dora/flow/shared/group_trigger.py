"""The brake of a session: a triggered order group refuses every order and has none resting."""

from collections.abc import Iterable

from dora.core.errors import ExchangeError, ExchangeRefused, RateLimited
from dora.core.event_group import EventGroup
from dora.core.exchange.error_codes import GROUP_NOT_FOUND
from dora.core.exchange.pacing import GROUP_COST
from dora.core.ports import Ports
from dora.core.session import SessionGroup
from dora.flow.shared.backoff import Backoff
from dora.flow.shared.write_pace import WritePace

AnyGroup = SessionGroup | EventGroup


class GroupTrigger:
    """Triggers order groups at the pace of the account's tier, until every one has answered.

    A group that the exchange does not know takes no order, so it is not asked again; but it proves nothing
    of the orders that were in it, so it is not among the `triggered` ones.
    """

    def __init__(self, ports: Ports, groups: Iterable[AnyGroup], pace: WritePace) -> None:
        self._ports, self._pace = ports, pace
        self._open = {} if ports.dry_run else {group.group_id: group for group in groups}
        self._again = Backoff(ports.clock)
        self.triggered: frozenset[str] = frozenset()
        self.unknown: frozenset[str] = frozenset()
        self.since_ms = ports.clock.now_ms()
        """When the last trigger was answered, or the first try was due."""

    @property
    def untriggered(self) -> tuple[AnyGroup, ...]:
        """Groups whose trigger has not been answered yet."""
        return tuple(self._open.values())

    @property
    def answered(self) -> frozenset[str]:
        """Groups that take no order any more."""
        return self.triggered | self.unknown

    def run(self, until_ms: int) -> None:
        """Rounds with exponential backoff, until every group has answered or that time has come."""
        self.round(until_ms)
        while self._open and self._again.due_ms < until_ms:
            self._ports.clock.sleep_ms(max(self._again.due_ms - self._ports.clock.now_ms(), 0))
            self.round(until_ms)

    def round(self, until_ms: int) -> None:
        """One try of each group that has not answered; none during a backoff. Safe to repeat."""
        if not self._open or not self._again.due:
            return
        for group in self.untriggered:
            if not self._pace.wait(GROUP_COST, until_ms) or not self._trigger(group):
                break
        self._pace.charge()
        if self._open:
            self._again.failed()

    def _trigger(self, group: AnyGroup) -> bool:
        """Whether the next one may follow at once: not after a 429."""
        try:
            self._ports.exchange.trigger_group(group.group_id, group.shard)
        except ExchangeError as error:
            return self._failed(group, error)
        self._pace.passed()
        del self._open[group.group_id]
        self.triggered |= {group.group_id}
        self.since_ms = self._ports.clock.now_ms()
        return True

    def _failed(self, group: AnyGroup, error: ExchangeError) -> bool:
        """The others are tried first the next time."""
        self._ports.facts.emit("ERROR", what=f"trigger of group {group.group_id}", why=str(error))
        del self._open[group.group_id]
        if isinstance(error, ExchangeRefused) and error.code in GROUP_NOT_FOUND:
            self.unknown |= {group.group_id}
            return True
        self._open[group.group_id] = group
        if isinstance(error, RateLimited):
            self._pace.emptied("trigger_group")
        return not isinstance(error, RateLimited)
