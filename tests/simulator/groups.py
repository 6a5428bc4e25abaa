"""Order groups: a breaker on contracts matched within a rolling window, bound to one shard."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .model import Event, Order
from .units import CONTRACT_E2
from .wire import Refusal

if TYPE_CHECKING:
    from .changes import Changes
    from .member import Member
    from .venue import Venue

LARGEST_LIMIT_E2 = 1_000_000 * CONTRACT_E2
GROUP_ID = 0x7C1E


class GroupRow(NamedTuple):
    """A group as it stood from `at_ms` on."""

    at_ms: int
    limit_e2: int
    tripped: bool
    deleted: bool


@dataclass(slots=True, eq=False)
class Group:
    """One order group; `orders` are the members of it that may still rest."""

    id: str
    shard: int
    subaccount: int
    limit_e2: int
    tripped: bool = False
    deleted: bool = False
    window: deque[tuple[int, int]] = field(default_factory=deque)  # (at_ms, count_e2)
    matched_e2: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    rows: list[GroupRow] = field(default_factory=list)

    def match(self, at_ms: int, count_e2: int) -> None:
        """Count a fill of one of its orders."""
        self.window.append((at_ms, count_e2))
        self.matched_e2 += count_e2

    def roll(self, since_ms: int) -> int:
        """Contracts matched after `since_ms`; older ones are forgotten."""
        while self.window and self.window[0][0] <= since_ms:
            self.matched_e2 -= self.window.popleft()[1]
        return self.matched_e2

    def stamp(self, at_ms: int) -> None:
        self.rows.append(GroupRow(at_ms, self.limit_e2, self.tripped, self.deleted))

    def as_of(self, at_ms: int) -> GroupRow | None:
        """The state a lagging read shows; None when not visible."""
        row = next((row for row in reversed(self.rows) if row.at_ms <= at_ms), None)
        return None if row is None or row.deleted else row


class Groups:
    """Life of order groups."""

    def __init__(self, venue: Venue, changes: Changes) -> None:
        self._venue = venue
        self._changes = changes
        self._hot: list[tuple[Member, Group]] = []  # matched during the running order

    def create(self, member: Member, shard: int, limit_e2: int, subaccount: int) -> Group:
        _check_limit(limit_e2)
        if shard not in self._venue.shards:
            raise Refusal(400, "invalid_parameters", "exchange_index")
        self._venue.require_exchange(shard)
        group = Group(self._venue.new_id(GROUP_ID), shard, subaccount, limit_e2)
        member.groups[group.id] = group
        self._changed(member, group, "created")
        return group

    def find(self, member: Member, group_id: str, shard: int) -> Group:
        """A live group of that shard; anything else is 404."""
        group = member.groups.get(group_id)
        if group is None or group.deleted or group.shard != shard:
            raise Refusal(404, self._venue.knobs.unknown_group_code)
        return group

    def admit(self, member: Member, group_id: str, shard: int) -> None:
        """Refuse an order whose group is unknown, of another shard, or tripped."""
        knobs = self._venue.knobs
        group = member.groups.get(group_id)
        if group is None or group.deleted:
            raise Refusal(404, knobs.missing_group_code)
        if group.shard != shard:
            raise Refusal(404, knobs.foreign_group_code)
        if group.tripped:
            raise Refusal(knobs.triggered_group_http, knobs.triggered_group_code)

    def matched(self, order: Order, at_ms: int, count_e2: int) -> None:
        """A fill counts toward the window; the verdict waits until the match is over."""
        group = order.member.groups[order.group_id]
        group.match(at_ms, count_e2)
        self._hot.append((order.member, group))

    def judge(self) -> None:
        """Trip every group that the match just ended has put over its limit."""
        hot, self._hot = self._hot, []
        for member, group in hot:
            self._trip_if_over(member, group)

    def trip(self, member: Member, group: Group) -> None:
        """Cancel what rests in the group and refuse new orders until a reset."""
        group.tripped = True
        self._changed(member, group, "tripped")
        self._cancel_orders(group)

    def reset(self, member: Member, group: Group) -> None:
        """Clear both the window and the tripped flag."""
        group.tripped = False
        group.window.clear()
        group.matched_e2 = 0
        self._changed(member, group, "reset")

    def set_limit(self, member: Member, group: Group, limit_e2: int) -> None:
        """A limit below what the window holds trips the group at once."""
        _check_limit(limit_e2)
        group.limit_e2 = limit_e2
        self._changed(member, group, "limit")
        self._trip_if_over(member, group)

    def delete(self, member: Member, group: Group) -> None:
        """Cancel its orders and forget it."""
        group.deleted = True
        self._changed(member, group, "deleted")
        self._cancel_orders(group)

    def _trip_if_over(self, member: Member, group: Group) -> None:
        knobs = self._venue.knobs
        matched_e2 = group.roll(self._venue.now_ms() - knobs.group_window_ms)
        over = matched_e2 >= group.limit_e2 if knobs.group_trips_at_limit else matched_e2 > group.limit_e2
        if over and not group.tripped and not group.deleted:
            self.trip(member, group)

    def _cancel_orders(self, group: Group) -> None:
        for order in list(group.orders.values()):
            self._changes.cancel(order, "group")
        group.orders.clear()

    def _changed(self, member: Member, group: Group, what: str) -> None:
        now_ms = self._venue.now_ms()
        group.stamp(now_ms)
        self._venue.emit(Event(now_ms, "group", code=what, group_id=group.id, member_key=member.key_id))


def _check_limit(limit_e2: int) -> None:
    if not CONTRACT_E2 <= limit_e2 <= LARGEST_LIMIT_E2:
        raise Refusal(400, "invalid_parameters", "contracts_limit")
