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
        "flow/cycle/execute.py",
        "test_guards.py::test_scenario_48_without_a_journal_nothing_is_sent",
        "        self._ports.state.write_plan(plan)\n",
        "",
    ),
    Guard(
        "row-time",
        "core/orders/evidence.py",
        "test_changes.py::test_scenario_59_a_row_from_before_an_acknowledged_decrease_is_not_believed",
        "if row.updated_ms < order.write_ms:",
        "if False:",
    ),
    Guard(
        "terminal-row",
        "core/orders/evidence.py",
        "test_orders_cancelled.py::test_scenario_13_and_14_lists_that_lag_longer_than_a_cycle_still_double_nothing",
        'if order.order_id is not None or not self._hold_over(order):\n            return order, "not seen"',
        "if order.order_id is not None:\n            return order._replace(state=OrderState.CLOSED, "
        'remaining=Count(0)), ""\n        if not self._hold_over(order):\n            return order, ""',
    ),
    Guard(
        "hold",
        "core/orders/evidence.py",
        "test_absence.py::test_scenario_21_a_teardown_without_groups_waits_until_no_unanswered_create_can_land",
        "return now_ms > order.sent_ms + hold_ms",
        "return True",
    ),
    Guard(
        "id-probe",
        "core/orders/evidence.py",
        "test_absence.py::test_scenario_18_blank_lists_do_not_prove_that_an_unanswered_create_is_not_there",
        "if self._never_came(order):",
        "if True:",
    ),
    Guard(
        "probe-later-list",
        "core/orders/evidence.py",
        "test_absence.py::test_scenario_69_a_probe_that_is_later_than_the_reads_is_no_reason_to_place",
        "IdProbe.GRANTED and self.evidence.began_ms > order.probed_ms + PROBE_LISTED_MS",
        "IdProbe.GRANTED",
    ),
    Guard(
        "probe-later-stamp",
        "core/orders/evidence.py",
        "test_absence.py::test_scenario_02_where_the_stamp_never_moves_a_slot_waits_for_its_orders_own_expiry",
        "if listed is None or not hold_is_over(order, self.evidence.as_of_ms, self.hold_ms):",
        "if listed is None:",
    ),
    Guard(
        "create-before-probe",
        "core/orders/row_names.py",
        "test_absence.py::test_scenario_69_a_create_that_a_list_shows_beside_its_probe_is_what_counts",
        "return not probes, *_rank(row)",
        "return True, *_rank(row)",
    ),
    Guard(
        "probe-trades",
        "core/orders/id_probe.py",
        "test_absence.py::test_scenario_02_no_probe_is_sent_where_it_might_trade",
        "if _may_trade(order.slot.side, price, market, book):",
        "if False:",
    ),
    Guard(
        "write-by-write",
        "core/orders/freshness.py",
        "test_freshness.py::test_scenario_15_a_fresh_write_does_not_hide_an_older_one_that_the_reads_do_not_show",
        "now_ms - order.write_ms > max_age_ms",
        "now_ms - max(own.write_ms for own in view.journal.orders.values()) > max_age_ms",
    ),
    Guard(
        "reads-before-a-429",
        "core/orders/freshness.py",
        "test_budget.py::test_scenario_31_what_a_429_refused_though_a_copy_of_it_had_come_is_not_placed_on_older_reads",
        " or order.write_ms <= refused_ms)",
        ")",
    ),
    Guard(
        "dangerous",
        "core/orders/danger.py",
        "test_danger.py::test_scenario_77_nothing_dangerous_rests_while_a_read_fails_and_books_move",
        "if priced is not None and is_dangerous(order, priced):",
        "if False:",
    ),
    Guard(
        "unpriced-age",
        "core/orders/danger.py",
        "test_danger.py::test_scenario_77_what_cannot_be_repriced_goes_when_it_is_too_old",
        "elif (priced is None or priced_age_too) and age_ms > max_unpriced_age_ms:",
        "elif False:",
    ),
    Guard(
        "fence",
        "edge/dynamo/store.py",
        "test_overlap.py::test_scenario_24_a_cycle_that_thaws_after_the_next_one_died_with_the_lease_sends_nothing",
        'mine = Condition("#fence = :mine", {"mine": fence})',
        'mine = Condition("#fence >= :mine", {"mine": 0})',
    ),
    Guard(
        "older-version",
        "edge/dynamo/journal_items.py",
        "test_upgrade.py::test_scenario_90_the_older_version_touches_nothing_once_the_newer_one_has_written",
        "version=SCHEMA if head.holds else SHARED_SCHEMA",
        "version=SHARED_SCHEMA",
    ),
    Guard(
        "unfolded-plan",
        "edge/dynamo/journal_reader.py",
        "test_orders_crashes.py::test_scenario_20_intents_that_were_written_and_never_sent_are_resolved_by_proof",
        "    return number_of(name) == head.last\n",
        "    return False\n",
    ),
    Guard(
        "cancel-confirmed",
        "core/orders/clearance.py",
        "test_orders_cancelled.py::test_scenario_11_a_cancel_that_was_not_applied_withholds_its_replacement",
        "if request.slot not in held\n        and",
        "if True\n        and",
    ),
    Guard(
        "reduced-by",
        "core/orders/journal.py",
        "test_changes.py::test_scenario_60_a_cancel_that_finds_less_than_was_seen_is_a_fill_and_counts_at_once",
        "reduced=Count(order.reduced + cancelled.reduced_by),",
        "reduced=Count(order.reduced + order.remaining),",
    ),
    Guard(
        "group-fence",
        "flow/cycle/order_requests.py",
        "test_sessions.py::test_scenario_26_a_create_that_was_held_back_and_released_after_the_teardown_is_refused",
        "        group_id=group_id,\n",
        "        group_id=None,\n",
    ),
    Guard(
        "fill-dedupe",
        "flow/shared/bookkeeping.py",
        "test_reads.py::test_scenario_34_fills_that_come_twice_and_in_any_order_are_booked_once",
        "return [fill for fill in fills if fill.fill_id not in booked]",
        "return list(fills)",
    ),
    Guard(
        "payout-amended",
        "core/accounts/settlement.py",
        "test_settlements.py::test_scenario_87_a_payout_is_booked_once_and_corrected_when_it_is_amended",
        "if same or settlement.settled_ms < ledger.settled_ms:",
        "if True:",
    ),
    Guard(
        "books-carried-over",
        "flow/shared/bookkeeping.py",
        "test_upgrade.py::test_scenario_90_what_the_older_version_booked_is_taken_into_the_books",
        "if not left:",
        "if True:",
    ),
    Guard(
        "day-entered",
        "flow/cycle/loss_limits.py",
        "test_positions.py::test_scenario_88_what_was_lost_or_earned_before_is_no_loss_of_the_day",
        "Money(before.day_profit + entered)",
        "before.day_profit",
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
        "edge/kalshi/pagination.py",
        "test_reads.py::test_scenario_17_a_list_without_its_end_places_nothing_and_cancels_only_what_is_dangerous",
        'raise ReadIncomplete(f"{page.where}: cursor {cursor!r} came twice")',
        "return rows",
    ),
    Guard(
        "unknowns-exposed",
        "core/risk/worst_cases.py",
        "test_reads.py::test_scenario_16_orders_of_unknown_fate_count_in_full_toward_what_may_be_lost",
        "    else:\n        risk.add(slot.side, price, worst)",
        "    else:\n        pass",
    ),
    Guard(
        "cash-held",
        "core/risk/totals.py",
        "test_guards.py::test_scenario_51_cash_that_orders_hold_is_not_spent_again_whether_it_is_listed_or_not",
        "self._spend(ticker, worst.cash)",
        "self._spend(ticker, 0)",
    ),
    Guard(
        "order-id-of-rows",
        "core/orders/row_names.py",
        "test_account_lists.py::test_scenario_06_order_ids_swapped_in_the_answer_to_a_create_are_put_right_by_the_rows",
        "    if not taken:\n        return journal\n",
        "    return journal\n",
    ),
    Guard(
        "rows-that-may-be-ours",
        "core/exchange/listed.py",
        "test_account_lists.py::test_scenario_76_a_row_that_may_be_ours_leaves_its_whole_list_unknown",
        "if may_be_ours(row):",
        "if False:",
    ),
    Guard(
        "rows-of-others-exposed",
        "core/orders/ownership.py",
        "test_account_lists.py::test_scenario_76_an_order_of_somebody_else_in_a_quoted_market_counts_as_far_as_it_can_be_read",
        "return tuple(_at_worst(row) for row in rows if row.list_name == ORDERS and _is_bounded(row))",
        "return ()",
    ),
    Guard(
        "tick-window",
        "flow/cycle/run.py",
        "test_operation.py::test_scenario_61_a_tick_of_another_time_is_refused_and_stores_nothing",
        "if not now_ms - STALE_TICK_MS <= scheduled_ms <= now_ms + EARLY_TICK_MS:",
        "if False:",
    ),
    Guard(
        "deadline",
        "flow/cycle/execute.py",
        "test_overlap.py::test_scenario_23_a_slow_run_sends_no_batch_after_its_lease",
        "            self._is_late(self._bounds.last_ms)",
        "            pass",
    ),
    Guard(
        "purchase",
        "core/orders/budget.py",
        "test_budget_low.py::test_scenario_32_a_quote_that_waits_for_tokens_keeps_its_place",
        "if target is None or why not in OFF_TARGET or target.count < order.remaining:",
        "if True:",
    ),
    Guard(
        "session-limit",
        "core/risk/caps.py",
        "test_session_limit.py::test_a_slow_bleed_under_the_group_limit_is_stopped_by_the_session_limit_to_the_contract",
        "if totals.contracts_free is not None and change.contracts > max(totals.contracts_free, 0):",
        "if False:",
    ),
    Guard(
        "late-groups",
        "flow/cycle/breakers.py",
        "test_session_lag.py::test_scenario_70_a_late_list_of_groups_does_not_undo_a_persons_reset",
        "if seen.began_ms - session.live_since_ms < GROUPS_LAG_MS:",
        "if False:",
    ),
    Guard(
        "latch-afresh",
        "flow/cycle/breakers.py",
        "test_session_lag.py::test_scenario_70_a_reset_during_a_cycle_that_read_a_tripped_group_stands",
        "_, current = ports.state.read_kill_switch()",
        "current = session",
    ),
    Guard(
        "reset-recorded",
        "flow/shared/session_groups.py",
        "test_session_crashes.py::"
        "test_a_reset_that_dies_at_any_call_leaves_no_group_armed_that_the_record_calls_triggered",
        "marked = ports.state.save_session(session._replace(order_groups=groups))",
        "marked = session",
    ),
    Guard(
        "trigger-took-it",
        "flow/cycle/plain_plans.py",
        "test_session_lag.py::test_scenario_71_nothing_that_the_trigger_took_off_is_cancelled",
        "taken = {name for name in asked if orders[name].group_id in triggered}",
        "taken = set()",
    ),
    Guard(
        "cancel-recorded",
        "flow/session/open_order_check.py",
        "test_session_lag.py::test_scenario_72_a_teardown_whose_reads_lag_repeats_no_cancel_that_was_acknowledged",
        "if results and self._journal.record(results):",
        "if results:",
    ),
    Guard(
        "watchdog",
        "edge/net/request.py",
        "test_deadline.py::test_scenario_73_an_invocation_before_an_exchange_that_trickles_ends_in_time",
        "                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)\n",
        "                pass\n",
    ),
    Guard(
        "aws-deadline",
        "edge/aws.py",
        "test_deadline.py::test_scenario_73_an_invocation_before_a_cloud_that_trickles_ends_in_time",
        "self._network.request(min(self._timeout_s, left_s))",
        "self._network.request(60.0)",
    ),
    Guard(
        "idle-connection",
        "edge/net/connections.py",
        "test_deadline.py::test_scenario_74_no_write_goes_out_on_a_connection_that_stood_idle",
        " and max(idle_s) <= MAX_IDLE_S",
        "",
    ),
    Guard(
        "written-by-proof",
        "edge/dynamo/table.py",
        "test_foreign_answers.py::test_scenario_79_no_order_goes_out_on_a_plan_that_was_not_said_to_be_written",
        "if len(reasons) != len(elements) or None in reasons:",
        "if False:",
    ),
    Guard(
        "refused-by-proof",
        "edge/kalshi/error_codes.py",
        "test_foreign_answers.py::test_scenario_79_a_4xx_that_is_not_the_exchanges_own_says_nothing_of_an_order",
        "if not error.own or error.code",
        "if error.code",
    ),
    Guard(
        "conflict-unknown",
        "edge/kalshi/error_codes.py",
        "test_foreign_answers.py::"
        "test_scenario_79_a_conflict_whose_code_is_not_known_as_a_refusal_says_nothing_of_an_order",
        "return error.status in PLAIN_REFUSALS or error.code in DEFINITE_REFUSALS",
        "return True",
    ),
    Guard(
        "config-invalid",
        "edge/dynamo/configs.py",
        "test_configuration.py::"
        "test_scenario_78_an_invalid_global_item_is_like_a_missing_one_to_a_warm_and_to_a_cold_function",
        "            return problem\n",
        "            return known[1] if known else problem\n",
    ),
    Guard(
        "least-life",
        "flow/cycle/skips.py",
        "test_expiry.py::test_scenario_44_no_order_with_less_than_a_minute_to_live_is_sent",
        "if market.status is MarketStatus.ACTIVE and too_short(",
        "if False and too_short(",
    ),
    Guard(
        "strategy-checked",
        "flow/cycle/quote.py",
        "test_compute.py::test_scenario_83_a_market_whose_strategy_raises_or_returns_nonsense_costs_itself_alone",
        "decision, after = checked(strategy.quote(asked, None if before is None else dict(before)), asked)",
        "decision, after = strategy.quote(asked, None if before is None else dict(before))",
    ),
    Guard(
        "uncomputed-kept",
        "flow/cycle/compute.py",
        "test_compute.py::test_scenario_83_a_market_whose_strategy_raises_or_returns_nonsense_costs_itself_alone",
        "inputs.view, rules, failed.keys() & quoted)",
        "inputs.view, rules)",
    ),
    Guard(
        "marker-life",
        "edge/dynamo/items.py",
        "test_long_pauses.py::test_scenario_80_the_last_fill_before_a_pause_is_booked_once",
        "FILL_KEPT_S = MARKER_LIFE_MS // 1_000",
        "FILL_KEPT_S = 35 * DAY_S",
    ),
    Guard(
        "fill-reach",
        "core/accounts/fill_reach.py",
        "test_long_pauses.py::test_scenario_80_after_a_pause_beyond_all_markers_and_lists_nothing_is_placed_before_"
        "a_person_looked",
        "if since_ms >= now_ms - REACH_MS:",
        "if True:",
    ),
    Guard(
        "tombstone-age",
        "core/orders/reconciliation.py",
        "test_long_pauses.py::"
        "test_scenario_80_reads_that_lag_longer_than_a_tombstone_lives_bring_no_ended_order_back",
        " and as_of_ms >= ended",
        "",
    ),
    Guard(
        "reduce-only",
        "core/risk/reducing.py",
        "test_switches.py::test_a_market_that_only_reduces_opens_nothing",
        "return others + count > 0",
        "return False",
    ),
    Guard(
        "reduce-near-limit",
        "flow/cycle/compute.py",
        "test_switches.py::test_near_a_limit_of_loss_nothing_is_opened_until_a_resume",
        "reducing=inputs.permission.reducing is not None,",
        "",
    ),
    Guard(
        "reduce-latched",
        "flow/cycle/persist.py",
        "test_switches.py::test_near_a_limit_of_loss_nothing_is_opened_until_a_resume",
        "risk=risk if risk != loaded.state.risk else None,",
        "",
    ),
    Guard(
        "loss-since",
        "core/risk/standing.py",
        "test_switches.py::test_a_lost_stretch_places_nothing",
        "if state.profit_since - standing.profit >= limits.max_loss_since:",
        "if False:",
    ),
    Guard(
        "equity-floor",
        "core/risk/standing.py",
        "test_switches.py::test_equity_below_its_floor_places_nothing",
        "return standing.equity is not None and standing.equity < limits.equity_floor",
        "return False",
    ),
    Guard(
        "exclusive",
        "flow/cycle/external.py",
        "test_switches.py::test_a_foreign_hand_in_an_exclusive_account_places_nothing",
        "limits.exclusive and ",
        "False and ",
    ),
    Guard(
        "error-rate",
        "core/risk/gates.py",
        "test_switches.py::test_a_breaker_of_writes_places_nothing_until_it_has_cooled_down",
        "(standing.writes_cooling, Reason.ERROR_RATE),",
        "",
    ),
    Guard(
        "refused-repeatedly",
        "flow/cycle/skips.py",
        "test_switches.py::test_a_market_whose_orders_are_refused_again_and_again_rests",
        "if barred is None and shared.resting and",
        "if False and",
    ),
    Guard(
        "profit-unknown",
        "core/risk/standing.py",
        "test_switches.py::test_while_a_position_has_no_price_nothing_is_opened",
        "return Reason.PROFIT_UNKNOWN if unknown else None",
        "return None",
    ),
    Guard(
        "cash-tie",
        "core/accounts/cash_tie.py",
        "test_cash.py::test_scenario_91_what_is_paid_in_is_named_once_and_kept",
        "if abs(total) <= _tolerance(read.fills - books.fills):",
        "if True:",
    ),
    Guard(
        "cash-in-transit",
        "core/accounts/cash_tie.py",
        "test_cash.py::test_scenario_91_cash_between_shards_is_awaited_and_what_does_not_arrive_was_taken_out",
        "if total > 0 or read.at_ms - since_ms >= TRANSIT_MS:",
        "if True:",
    ),
    Guard(
        "retired-comes-back",
        "flow/shared/retirement.py",
        "test_settlements.py::test_scenario_87_a_market_leaves_the_state_a_day_later_and_comes_back_for_an_amendment",
        "    if unknown and (found := ports.state.retired(unknown)):\n",
        "    if unknown and (found := {}):\n",
    ),
    Guard(
        "event-group-not-in-its-cycle",
        "core/event_choice.py",
        "test_event_groups.py::test_scenario_84_no_order_goes_into_a_group_in_the_cycle_that_made_it",
        "elif group.armed_ms >= standing.began_ms or group.group_id not in listed:",
        "elif False:",
    ),
    Guard(
        "event-group-rests",
        "core/event_choice.py",
        "test_switches.py::test_an_event_whose_order_group_tripped_rests",
        "        reason = Reason.EVENT_RESTING\n    elif group.armed_ms",
        "        reason = None\n    elif group.armed_ms",
    ),
    Guard(
        "event-burst-loss",
        "core/risk/event_brakes.py",
        "test_event_groups.py::test_scenario_84_events_beyond_the_loss_of_a_burst_are_not_quoted",
        "and need.burst_loss <= left",
        "",
    ),
    Guard(
        "event-limit-not-lowered",
        "core/event_choice.py",
        "test_event_groups.py::test_scenario_84_a_limit_is_not_lowered_while_a_fill_is_in_the_window",
        "limit = limit if limit >= current or _is_quiet(standing, event) else current",
        "",
    ),
    Guard(
        "event-trips-of-a-day",
        "core/event_group.py",
        "test_event_groups.py::test_scenario_84_an_event_whose_trips_are_against_us_rests_for_the_day",
        "and counted_trips(group, now_ms) < most_trips",
        "",
    ),
    Guard(
        "events-together",
        "flow/cycle/breakers.py",
        "test_event_groups.py::test_scenario_84_events_that_trip_together_latch_the_session",
        "    if together:\n",
        "    if False:\n",
    ),
    Guard(
        "event-trip-takes-off",
        "flow/cycle/choose.py",
        "test_event_groups.py::test_scenario_84_orders_that_a_trip_took_off_are_left_alone_while_the_list_still_shows_them",
        "plan = without_taken(_in_their_groups(inputs, choice.plan), inputs.view, triggered)",
        "plan = _in_their_groups(inputs, choice.plan)",
    ),
    Guard(
        "event-group-of-its-own",
        "flow/cycle/choose.py",
        "test_event_groups.py::test_scenario_84_orders_of_the_shards_groups_move_into_event_groups_that_are_armed_already",
        "    return order.group_id != brake.group_id\n",
        "    return False\n",
    ),
)
