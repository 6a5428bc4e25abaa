"""Every setting of the simulated exchange in one frozen place.

The second half holds what is not known about the real exchange, or was measured on few accounts; there the
default is what was measured. Each such knob names its possible answers; a careful client passes under all of
them. Change knobs in mid-run with `exchange.knobs = dataclasses.replace(exchange.knobs, ...)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Scope = Literal["ever", "open_only"]
Direction = Literal["ascending", "descending"]
Presence = Literal["ignored", "refused"]

MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Knobs:
    """Settings first, then the unknowns; every time span is in milliseconds."""

    # Authentication. The window is measured only as "10 s passes, 30 s is refused".
    clock_skew_ms: int = 20_000
    signature_life_ms: int = 60_000  # how old a held request's signature may be when it is released

    # Engine.
    write_latency_ms: int = 0  # a virtual clock moves on by this before each write is applied
    group_window_ms: int = 15_000
    close_sweep_ms: int = 2_000  # after a close the exchange cancels what still rests
    settlement_timer_ms: int = 0  # from determined to finalized
    transfer_delay_ms: int = 0  # cash between shards arrives later
    maintenance: tuple[tuple[int, int], ...] = ()  # (start, end): trading pauses by itself

    # Read model: each endpoint answers the state as of now minus its lag.
    orders_lag_ms: int = 0
    fills_lag_ms: int = 0
    positions_lag_ms: int = 0
    balance_lag_ms: int = 0
    groups_lag_ms: int = 0
    shard_lag_ms: tuple[tuple[int, int], ...] = ()  # (shard, extra lag) on orders, fills, positions
    user_data_timestamp_offset_ms: int = 0  # above zero: the stamp runs ahead of the reads
    user_data_timestamp_on_activity: bool = False  # the stamp moves only when something happens
    markets_cache_ms: int = 0  # GET /markets may be served from a cache up to 15 s old
    historical_age_ms: int = 90 * DAY_MS  # older fills and finished orders live under /historical
    historical_trades_age_ms: int | None = None  # the same of public trades; None: as old as all others

    # Money. Trade fees round up to 1e-6 $. 1: nothing beyond that; 100: a direct member's balance
    # change is floored to 1e-4 $; 10_000: anybody else's to a whole cent. The rest is booked as fee.
    balance_rounding_e6: int = 1
    balance_counts_resting_as_spent: bool = False  # measured: cash held for resting orders still shows

    # The client order id. Measured: spent for ever, also by a killed order. Unknown: by a refused one.
    client_id_scope: Scope = "ever"  # or open_only: free again once its order is done
    refused_spends_client_id: bool = False  # for a price off the grid, short cash and the like
    client_id_max_length: int = 64

    # Unknown: order groups.
    group_trips_at_limit: bool = False  # False: above the limit; True: at the limit already
    triggered_group_code: str = "order_group_triggered"  # EXCEEDED_ORDER_GROUP_RISK_LIMIT, ...
    triggered_group_http: int = 400  # or 409
    missing_group_code: str = "order_group_not_found"  # or not_found
    unknown_group_code: str = "not_found"  # of a call about a group itself; or order_group_not_found
    foreign_group_code: str = "order_group_not_found"  # a group of another shard; or invalid_parameters

    # Unknown: where two orders of one account meet, whose mode says which of them goes.
    self_trade_mode_of: Literal["incoming", "resting"] = "incoming"

    # Unknown: batches.
    failed_entry_echoes_client_id: bool = True
    failed_entry_style: Literal["nulls", "absent"] = "nulls"
    batch_reply: Literal["request", "reversed", "shuffled"] = "request"
    batch_execution: Literal["request", "reversed"] = "request"
    batch_maximum: int | None = None  # a number of orders beyond which a batch is refused outright

    # Reads. Measured: newest first; min_ts counts whole seconds and includes its own. Unknown: the others.
    fills_sorted: Direction = "descending"
    min_ts_inclusive: bool = True
    orders_dated_by: Literal["created", "updated"] = "created"  # what min_ts and max_ts look at
    book_levels_sorted: Direction = "ascending"
    empty_book_side_is_null: bool = False
    unknown_book_ticker: Literal["omitted", "refused"] = "omitted"
    markets_tickers_maximum: int | None = None

    # Unknown: how a payout that is amended is listed, in a further row or in place of the first.
    amended_payout: Literal["further", "replaced"] = "further"

    # Unknown: refusals and pauses.
    unknown_fields: Presence = "ignored"
    body_of_429: Literal["text", "nested"] = "text"
    balance_body_of_429: Literal["text", "nested"] = "nested"
    unsigned_reads_limited: bool = False  # True: unsigned calls share one Basic read bucket
    closed_market_code: str = "MARKET_INACTIVE"  # or market_closed
    closed_market_http: int = 400  # or 409
    pause_answers: Literal["conflict", "unavailable"] = "conflict"  # 409 with a code, or a plain 503
    decrease_works_in_pause: bool = True
    unfunded_shard_code: str = "insufficient_shard_balance"  # or user_not_found
    short_balance_code: str = "insufficient_balance"  # or available_balance_too_low
    put_needs_json: bool = False  # True: a PUT without a JSON content type is refused
    cancel_all_echo_ms: int = 0  # up to a minute: orders placed after a cancel-all die too
    post_only_cross_rests: bool = False  # True: 201, made and canceled at once, instead of a 400
    post_only_cross_leaves_row: bool = True  # measured: the 400 spends the id and lists a canceled order
    killed_echoes_count: bool = False  # True: what an unfilled immediate-or-cancel order asked "remains"
    amend_post_only_cross: Literal["canceled", "refused"] = "canceled"
    legacy_write_cost: int = 10
    legacy_side_fields: bool = True  # orders and fills still carry the deprecated side and action


OTHER_ANSWERS: Mapping[str, Any] = {
    "balance_rounding_e6": 100,
    "amended_payout": "replaced",
    "balance_counts_resting_as_spent": True,
    "user_data_timestamp_offset_ms": 600_000,
    "user_data_timestamp_on_activity": True,
    "client_id_scope": "open_only",
    "refused_spends_client_id": True,
    "client_id_max_length": 36,
    "group_trips_at_limit": True,
    "triggered_group_code": "EXCEEDED_ORDER_GROUP_RISK_LIMIT",
    "triggered_group_http": 409,
    "missing_group_code": "not_found",
    "unknown_group_code": "order_group_not_found",
    "foreign_group_code": "invalid_parameters",
    "self_trade_mode_of": "resting",
    "failed_entry_echoes_client_id": False,
    "failed_entry_style": "absent",
    "batch_reply": "shuffled",
    "batch_execution": "reversed",
    "batch_maximum": 20,
    "fills_sorted": "ascending",
    "min_ts_inclusive": False,
    "orders_dated_by": "updated",
    "book_levels_sorted": "descending",
    "empty_book_side_is_null": True,
    "unknown_book_ticker": "refused",
    "markets_tickers_maximum": 300,
    "unknown_fields": "refused",
    "body_of_429": "nested",
    "balance_body_of_429": "text",
    "unsigned_reads_limited": True,
    "closed_market_code": "market_closed",
    "closed_market_http": 409,
    "pause_answers": "unavailable",
    "decrease_works_in_pause": False,
    "unfunded_shard_code": "user_not_found",
    "short_balance_code": "available_balance_too_low",
    "put_needs_json": True,
    "cancel_all_echo_ms": MINUTE_MS,
    "post_only_cross_rests": True,
    "post_only_cross_leaves_row": False,
    "killed_echoes_count": True,
    "amend_post_only_cross": "refused",
    "legacy_write_cost": 2,
    "legacy_side_fields": False,
}
"""Of everything that is not known, an answer other than the default."""
