"""Exchange-wide reads: status, schedule, the read model's stamp, the historical cutoff."""

from __future__ import annotations

from typing import Any

from .call import Call
from .units import time_text
from .venue import Shard
from .wire import Reply, json_reply

_DAY = [{"open_time": "00:00", "close_time": "00:00"}]
_THURSDAY = [{"open_time": "00:00", "close_time": "03:00"}, {"open_time": "05:00", "close_time": "00:00"}]
_DAYS = ("monday", "tuesday", "wednesday", "friday", "saturday", "sunday")


def status(call: Call) -> Reply:
    """The top-level flags describe shard 0 only."""
    shards = dict(sorted(call.exchange.venue.shards.items()))
    rows = [
        {"exchange_index": shard.index, "description": shard.description} | _flags(shard)
        for shard in shards.values()
    ]
    return json_reply(200, _flags(shards[0]) | {"exchange_index_statuses": rows})


def schedule(call: Call) -> Reply:
    """Round the clock but for Thursday 03:00 to 05:00 Eastern; windows from the knobs."""
    hours = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2200-01-01T00:00:00Z", "thursday": _THURSDAY}
    windows = [
        {"start_datetime": time_text(start_ms), "end_datetime": time_text(end_ms)}
        for start_ms, end_ms in call.exchange.knobs.maintenance
    ]
    standard = hours | dict.fromkeys(_DAYS, _DAY)
    return json_reply(200, {"schedule": {"standard_hours": [standard], "maintenance_windows": windows}})


def user_data_timestamp(call: Call) -> Reply:
    return json_reply(200, {"as_of_time": time_text(call.exchange.reads.user_data_ms(call.signer))})


def cutoff(call: Call) -> Reply:
    names = (
        "market_settled_ts",
        "trades_created_ts",
        "orders_updated_ts",
        "market_positions_last_updated_ts",
    )
    reads = call.exchange.reads
    row = dict.fromkeys(names, time_text(reads.cutoff_ms()))
    return json_reply(200, row | {"trades_created_ts": time_text(reads.trades_cutoff_ms())})


def _flags(shard: Shard) -> dict[str, Any]:
    return {
        "exchange_active": shard.exchange_active,
        "trading_active": shard.exchange_active and shard.trading_active,
        "intra_exchange_transfers_active": shard.exchange_active,
    }
