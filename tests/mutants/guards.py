"""Every guard of an order, as a place in the code and what stands there when the guard is switched off."""

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("layers/dora/dora")


@dataclass(frozen=True)
class Guard:
    """One rule. `off` replaces `on`, which stands exactly once in the file."""

    name: str
    file: str
    on: str
    off: str

    def switched_off(self, tree: Path) -> str:
        """The file's text without the guard. Raises ValueError when the code has moved on."""
        text = (tree / PACKAGE / self.file).read_text(encoding="utf-8")
        if text.count(self.on) != 1:
            raise ValueError(
                f"{self.name}: {self.file} holds {self.on!r} {text.count(self.on)} times, not once"
            )
        return text.replace(self.on, self.off)


GUARDS = (
    Guard("journal", "flow/execution.py", "        self._out.state.write_plan(plan)\n", ""),
    Guard("row-time", "core/reconciliation.py", "if row.updated_ms < order.write_ms:", "if False:"),
    Guard(
        "terminal-row",
        "core/reconciliation.py",
        "if order.order_id is None and dated_later and order.slot.ticker in evidence.listings:",
        "if order.order_id is not None or (dated_later and order.slot.ticker in evidence.listings):",
    ),
    Guard(
        "hold", "core/reconciliation.py", "hold_ends = order.sent_ms + hold_ms", "hold_ends = order.sent_ms"
    ),
    Guard(
        "fence",
        "edge/dynamo/store.py",
        'mine = Condition("#fence = :mine", {"#fence": "fence"}, {":mine": attribute(fence)})',
        'mine = Condition("#fence >= :mine", {"#fence": "fence"}, {":mine": attribute(0)})',
    ),
    Guard(
        "cancel-confirmed",
        "flow/execution.py",
        "if request.slot not in held\n            and",
        "if True\n            and",
    ),
    Guard(
        "reduced-by",
        "core/journal.py",
        "reduced=Count(order.reduced + cancelled.reduced_by),",
        "reduced=Count(order.reduced + order.remaining),",
    ),
    Guard(
        "group-fence",
        "flow/deciding.py",
        "group_id=group.group_id if group else None,",
        "group_id=None,",
    ),
    Guard(
        "fill-dedupe",
        "flow/accounting.py",
        "return [fill for fill in fills if fill.fill_id not in booked]",
        "return list(fills)",
    ),
    Guard(
        "shard-routing",
        "edge/kalshi/wire_orders.py",
        '        "order_id": request.order_id,\n        "market_ticker": request.ticker,\n'
        '        "exchange_index": request.shard,\n',
        '        "order_id": request.order_id,\n',
    ),
    Guard(
        "complete-list",
        "edge/kalshi/listing.py",
        'raise ReadIncomplete(f"{page.where}: cursor {cursor!r} came twice")',
        "return rows",
    ),
    Guard(
        "unknowns-exposed",
        "core/risk.py",
        "unproven = [order for order in open_orders if order.state is not OrderState.LIVE]",
        "unproven = list[TrackedOrder]()",
    ),
    Guard(
        "tick-window",
        "flow/cycle.py",
        "if not now_ms - STALE_TICK_MS <= scheduled_ms <= now_ms + EARLY_TICK_MS:",
        "if False:",
    ),
    Guard(
        "deadline",
        "flow/execution.py",
        "if self.stopped is None and now_ms >= self._bounds.last_ms:",
        "if False:",
    ),
)
