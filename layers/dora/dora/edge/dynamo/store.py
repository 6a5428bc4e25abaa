"""The state of one bot: one read for everything, fenced transactions for everything a cycle writes.

A fenced transaction begins with a check that the lease still bears our fence, so a run that was overtaken
writes nothing more, however late it wakes up.
"""

from collections.abc import Mapping, Sequence

from dora.core.accounts.ledger import Position
from dora.core.errors import LeaseLost, StateConflict, StateUnavailable
from dora.core.exchange.account import Fill, Settlement
from dora.core.orders.journal import Plan
from dora.core.ports import Clock
from dora.core.state import FILLS_PER_TRANSACTION, BotState, Changes
from dora.edge.dynamo.codec import Item, key, key_of, plain_of
from dora.edge.dynamo.items import (
    LEASE,
    fill_item,
    fill_key,
    plan_items,
    plan_name,
    position_item,
    settlement_item,
)
from dora.edge.dynamo.sessions import SessionRecords
from dora.edge.dynamo.state_reader import bot_state, chunk_counts
from dora.edge.dynamo.table import REFUSED, Client, Condition, Element
from dora.edge.dynamo.transactions import CommitWriter

_READS = 3
_ABSENT = Condition("attribute_not_exists(#pk)")


class DynamoState(SessionRecords):
    """`ports.StateStore` on DynamoDB. `pk` is the bot's name, or `<bot>#dry` for a dry run."""

    def __init__(self, client: Client, table: str, pk: str, clock: Clock) -> None:
        super().__init__(client, table, pk)
        self._clock = clock
        self._chunks: dict[str, int] = {}
        """Chunk numbers in use by collection, as last read or written: what shrinks leaves some to delete."""

    def load(self) -> BotState:
        """Everything. Raises StateUnavailable, StateTooNew, or a StateError that names an unreadable item.

        Keys are read in descending order, plans before the journal: a commit that moves intents from the
        one into the other while we read can show them twice, which folds to the same, but never not at all.
        """
        return self._load(_READS)

    def write_plan(self, plan: Plan) -> None:
        """Make intents durable before their first request; only under the plan's own fence.

        Raises StateConflict when another plan stands under the same fence and phase: it is not overwritten.
        Safe to repeat: yes, with the same plan: equal content makes equal items, and those may be put again.
        """
        items = plan_items(self._pk, plan)
        puts = [self._table.put_element(item, _absent_or_same(item)) for item in items]
        if REFUSED in self._fenced(plan.fence, puts):
            raise StateConflict(f"{plan_name(plan)} holds other intents already")
        self._chunks[plan_name(plan)] = len(items)

    def book_fills(self, fence: int, fills: Sequence[Fill], positions: Mapping[str, Position]) -> bool:
        """Mark at most 49 fills as booked and store the positions they lead to, all or nothing.

        False when one of them was booked before: nothing was written. Raises StateConflict when a stored
        position is not the one these were added to (its contracts traded differ): load again.
        Safe to repeat: yes, the markers refuse a second booking; after False take `positions` from a load.
        """
        _check_fills(fills, positions)
        now_s = self._now_s()
        markers = [self._table.put_element(fill_item(self._pk, fill, now_s), _ABSENT) for fill in fills]
        added = {ticker: sum(f.count for f in fills if f.ticker == ticker) for ticker in positions}
        updates = [
            self._table.put_element(position_item(self._pk, own), _unmoved(own, added[ticker]))
            for ticker, own in positions.items()
        ]
        return self._book(fence, markers, updates)

    def booked(self, fill_ids: Sequence[str]) -> frozenset[str]:
        """Which of these fills are booked already."""
        keys = [key(f"{self._pk}#fills", fill_key(fill_id)) for fill_id in dict.fromkeys(fill_ids)]
        found = {key_of(item)[1] for item in self._table.get(keys)}
        return frozenset(fill_id for fill_id in fill_ids if fill_key(fill_id) in found)

    def book_settlement(self, fence: int, settlement: Settlement, position: Position) -> bool:
        """Book one payout; False when it was booked before, StateConflict as for fills.

        Safe to repeat: yes, its marker refuses a second booking.
        """
        marker = self._table.put_element(settlement_item(self._pk, settlement, position), _ABSENT)
        paid_out = position_item(self._pk, position)
        return self._book(fence, [marker], [self._table.put_element(paid_out, _traded(position.traded))])

    def commit(self, fence: int, changes: Changes) -> None:
        """What a finished cycle leaves; journal, finished plans, cursors and progress in one transaction.

        Memory, reference and summary go with them where they fit, else before them: should only
        those be written, the next cycle merely knows more.
        Safe to repeat: yes, it puts the same complete items and deletes the same keys.
        """
        for group in CommitWriter(self._table, self._pk, self._chunks, self._now_s()).groups(changes):
            self._fenced(fence, group.elements)
            self._chunks |= group.chunks

    # --- inside ---------------------------------------------------------------------------------

    def _now_s(self) -> int:
        return self._clock.now_ms() // 1000

    def _load(self, tries: int) -> BotState:
        items = self._table.query(self._pk, descending=True)
        try:
            state = bot_state(items)
        except StateUnavailable:
            if tries == 1:
                raise
            return self._load(tries - 1)
        self._chunks = chunk_counts(items)
        return state

    def _fenced(self, fence: int, elements: Sequence[Element]) -> tuple[str, ...]:
        """The elements' reasons, () when written. Raises LeaseLost."""
        mine = Condition("#fence = :mine", {"mine": fence})
        guarded = [self._table.check_element(key(self._pk, LEASE), mine), *elements]
        reasons = self._table.transact(guarded)
        if reasons and reasons[0] == REFUSED:
            raise LeaseLost(f"fence {fence} is no longer the lease's")
        return reasons[1:]

    def _book(
        self,
        fence: int,
        markers: Sequence[Element],
        updates: Sequence[Element],
    ) -> bool:
        reasons = self._fenced(fence, [*markers, *updates])
        if REFUSED in reasons[: len(markers)]:
            return False
        if REFUSED in reasons:
            raise StateConflict("a position has moved on since it was read")
        return True


def _traded(before: int) -> Condition:
    """Only over the position that the new one was made from: the contracts it has traded never fall."""
    text = "#traded = :before" if before else "(attribute_not_exists(#traded) OR #traded = :before)"
    return Condition(text, {"before": before})


def _unmoved(position: Position, added: int) -> Condition:
    """As `_traded`; and no payout came between, which trades nothing."""
    traded = _traded(position.traded - added)
    text = f"{traded.text} AND (attribute_not_exists(#settled) OR #settled = :settled)"
    return Condition(text, {**traded.values, "settled": position.settled})


def _absent_or_same(item: Item) -> Condition:
    """A repeat of the same write passes, another value under the same key does not."""
    text = "attribute_not_exists(#body) OR #body = :body"
    return Condition(text, {"body": plain_of(item["body"])})


def _check_fills(fills: Sequence[Fill], positions: Mapping[str, Position]) -> None:
    if len(fills) > FILLS_PER_TRANSACTION:
        raise ValueError(f"{len(fills)} fills at once, at most {FILLS_PER_TRANSACTION} fit a transaction")
    if len({fill.fill_id for fill in fills}) < len(fills):
        raise ValueError("the same fill twice")
    if {fill.ticker for fill in fills} != positions.keys():
        raise ValueError("positions must be those of the fills' markets, all and no other")
