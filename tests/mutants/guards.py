"""Every guard of an order, as a place in the code, what stands there when it is off, and who notices that."""

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("layers/dora/dora")
BATTERY = "tests/battery"


@dataclass(frozen=True)
class Guard:
    """One rule. `off` replaces `on`, which stands exactly once in the file; `scenario` then fails."""

    name: str
    file: str
    scenario: str
    """A test of the battery (or several of one name): `file::test` below tests/battery."""
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
    Guard(
        "journal",
        "flow/execution.py",
        "test_guards.py::test_scenario_48_without_a_journal_nothing_is_sent",
        "        self._out.state.write_plan(plan)\n",
        "",
    ),
    Guard(
        "row-time",
        "core/evidence.py",
        "test_changes.py::test_scenario_59_a_row_from_before_an_acknowledged_decrease_is_not_believed",
        "if row.updated_ms < order.write_ms:",
        "if False:",
    ),
    Guard(
        "terminal-row",
        "core/evidence.py",
        "test_orders_cancelled.py::test_scenario_13_and_14_lists_that_lag_longer_than_a_cycle_still_double_nothing",
        'if order.order_id is not None or not self._hold_over(order):\n            return order, "not seen"',
        "if order.order_id is not None:\n            return replace(order, state=OrderState.CLOSED, "
        'remaining=Count(0)), ""\n        if not self._hold_over(order):\n            return order, ""',
    ),
    Guard(
        "hold",
        "core/evidence.py",
        "test_orders_crashes.py::test_scenario_21_a_create_that_lands_after_the_next_cycle_has_looked_is_not_doubled",
        "return now_ms > order.sent_ms + hold_ms",
        "return True",
    ),
    Guard(
        "claim",
        "core/evidence.py",
        "test_absence.py::test_scenario_18_blank_lists_do_not_prove_that_an_unanswered_create_is_not_there",
        "if self.evidence.claims.get(order.client_order_id) is Claim.GRANTED:",
        "if True:",
    ),
    Guard(
        "fence",
        "edge/dynamo/store.py",
        "test_overlap.py::test_scenario_24_a_cycle_that_thaws_before_any_call_after_the_next_one_doubles_nothing",
        'mine = Condition("#fence = :mine", {"#fence": "fence"}, {":mine": attribute(fence)})',
        'mine = Condition("#fence >= :mine", {"#fence": "fence"}, {":mine": attribute(0)})',
    ),
    Guard(
        "cancel-confirmed",
        "flow/execution.py",
        "test_orders_cancelled.py::test_scenario_11_a_cancel_that_was_not_applied_withholds_its_replacement",
        "if request.slot not in held\n            and",
        "if True\n            and",
    ),
    Guard(
        "reduced-by",
        "core/journal.py",
        "test_changes.py::test_scenario_60_a_cancel_that_finds_less_than_was_seen_is_a_fill_and_counts_at_once",
        "reduced=Count(order.reduced + cancelled.reduced_by),",
        "reduced=Count(order.reduced + order.remaining),",
    ),
    Guard(
        "group-fence",
        "flow/deciding.py",
        "test_sessions.py::test_scenario_26_a_create_that_was_held_back_and_released_after_the_teardown_is_refused",
        "group_id=group.group_id if group else None,",
        "group_id=None,",
    ),
    Guard(
        "fill-dedupe",
        "flow/accounting.py",
        "test_reads.py::test_scenario_34_fills_that_come_twice_and_in_any_order_are_booked_once",
        "return [fill for fill in fills if fill.fill_id not in booked]",
        "return list(fills)",
    ),
    Guard(
        "shard-routing",
        "edge/kalshi/wire_orders.py",
        "test_orders_cancelled.py::test_scenario_10_a_cancel_that_was_applied_unheard_is_not_repeated_and_reopens_after_proof",
        '        "order_id": request.order_id,\n        "market_ticker": request.ticker,\n'
        '        "exchange_index": request.shard,\n',
        '        "order_id": request.order_id,\n',
    ),
    Guard(
        "complete-list",
        "edge/kalshi/listing.py",
        "test_reads.py::test_scenario_17_a_list_without_its_end_places_nothing_and_cancels_nothing",
        'raise ReadIncomplete(f"{page.where}: cursor {cursor!r} came twice")',
        "return rows",
    ),
    Guard(
        "unknowns-exposed",
        "core/risk.py",
        "test_reads.py::test_scenario_16_orders_of_unknown_fate_count_in_full_toward_what_may_be_lost",
        "unproven = [order for order in open_orders if order.state is not OrderState.LIVE]",
        "unproven = list[TrackedOrder]()",
    ),
    Guard(
        "tick-window",
        "flow/cycle.py",
        "test_operation.py::test_scenario_61_a_tick_of_another_time_is_refused_and_stores_nothing",
        "if not now_ms - STALE_TICK_MS <= scheduled_ms <= now_ms + EARLY_TICK_MS:",
        "if False:",
    ),
    Guard(
        "deadline",
        "flow/execution.py",
        "test_overlap.py::test_scenario_23_a_slow_run_sends_no_batch_after_its_lease",
        "if self.stopped is None and now_ms >= self._bounds.last_ms:",
        "if False:",
    ),
    Guard(
        "session-limit",
        "core/risk.py",
        "test_session_limit.py::test_a_slow_bleed_under_the_group_limit_is_stopped_by_the_session_limit_to_the_contract",
        "return self.contracts_free is not None and added > max(self.contracts_free, 0)",
        "return False",
    ),
    Guard(
        "late-groups",
        "flow/breakers.py",
        "test_session_lag.py::test_scenario_70_a_late_list_of_groups_does_not_undo_a_persons_reset",
        "if seen.began_ms - session.live_since_ms < GROUPS_LAG_MS:",
        "if False:",
    ),
    Guard(
        "trigger-took-it",
        "flow/deciding.py",
        "test_session_lag.py::test_scenario_71_nothing_that_the_trigger_took_off_is_cancelled",
        "if orders[r.client_order_id].group_id in triggered}",
        "if False}",
    ),
    Guard(
        "cancel-recorded",
        "flow/zero.py",
        "test_session_lag.py::test_scenario_72_a_teardown_whose_reads_lag_repeats_no_cancel_that_was_acknowledged",
        "if results and self._journal.record(results):",
        "if results:",
    ),
)
