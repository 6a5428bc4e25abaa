"""One more row in a list of the account: somebody else's, of which not everything can be read.

Another program on the same account, a newer kind of order, a result that no document names. The exchange
itself holds nothing of it: what a client makes of such a row is the client's doing alone.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

from .units import time_text
from .wire import Reply

ELSEWHERE = "SOMEBODY-ELSES"
"""The market of such a row, where the fault names none: nobody here quotes it."""
ROW_ID = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"

Fields = Mapping[str, Any]

_MARKET = {"subaccount_number": 0, "exchange_index": 0}
_BID = {
    "outcome_side": "yes",
    "book_side": "bid",
    "yes_price_dollars": "0.0100",
    "no_price_dollars": "0.9900",
}

ROWS: dict[str, Fields] = {
    "orders": {
        "order_id": ROW_ID,
        "client_order_id": "somebody-elses",
        **_MARKET,
        **_BID,
        "type": "limit",
        "status": "resting",
        "initial_count_fp": "5.00",
        "remaining_count_fp": "5.00",
        "fill_count_fp": "0.00",
    },
    "fills": {
        "fill_id": ROW_ID,
        "trade_id": ROW_ID,
        "order_id": ROW_ID,
        **_MARKET,
        **_BID,
        "count_fp": "5.00",
        "is_taker": True,
        "fee_cost": "0.010000",
    },
    "market_positions": {
        **_MARKET,
        "position_fp": "5.00",
        "market_exposure_dollars": "0.0500",
        "realized_pnl_dollars": "0.0000",
        "fees_paid_dollars": "0.0000",
        "total_traded_dollars": "0.0500",
    },
    "settlements": {
        **_MARKET,
        "market_result": "yes",
        "value": 100,
        "revenue": 500,
        "yes_count_fp": "5.00",
        "no_count_fp": "0.00",
        "fee_cost": "0.000000",
    },
    "order_groups": {"id": ROW_ID, "contracts_limit_fp": "10.00", "is_auto_cancel_enabled": False, **_MARKET},
    "balance_breakdown": {"exchange_index": 9, "balance": "1.0000"},
}
"""By list: the row without its flaw, its market and its times."""

TICKERS = {
    "orders": ("ticker",),
    "fills": ("ticker", "market_ticker"),
    "market_positions": ("ticker",),
    "settlements": ("ticker", "event_ticker"),
}
TIMES = {
    "orders": ("created_time", "last_update_time"),
    "fills": ("created_time",),
    "market_positions": ("last_updated_ts",),
    "settlements": ("settled_time",),
}

FLAWS: dict[str, dict[str, Fields]] = {
    "orders": {
        "status": {"status": "pending_review"},
        "client-id": {"client_order_id": None},
        "counts": dict.fromkeys(("initial_count_fp", "remaining_count_fp", "fill_count_fp")),
        "times": dict.fromkeys(("created_time", "last_update_time")),
    },
    "fills": {
        "order-id": {"order_id": None},
        "counts": {"count_fp": None},
        "times": {"created_time": None},
    },
    "market_positions": {"counts": {"position_fp": None}},
    "settlements": {
        "result": {"market_result": "withdrawn", "value": None},
        "counts": dict.fromkeys(("market_result", "value", "revenue", "yes_count_fp", "no_count_fp")),
    },
    "order_groups": {"limit": {"contracts_limit_fp": None}, "flag": {"is_auto_cancel_enabled": None}},
    "balance_breakdown": {"cash": {"balance": None}, "shard": {"exchange_index": None}},
}
"""By list and by the word that chooses it: what is wrong with the row."""


def foreign_row(name: str, code: str, reply: Reply, dice: Random) -> dict[str, Any] | None:
    """A row for the list `name`, as the words of `code` want it; None where the list is not the account's.

    A word that is a flaw of this list chooses it, one that is no flaw of any list is the row's market.
    """
    flaws = FLAWS.get(name)
    if flaws is None:
        return None
    words = code.split()
    flaw = next((word for word in words if word in flaws), None) or dice.choice(sorted(flaws))
    named = {word for known in FLAWS.values() for word in known}
    ticker = next((word for word in words if word not in named), ELSEWHERE)
    tickers = dict.fromkeys(TICKERS.get(name, ()), ticker)
    times = dict.fromkeys(TIMES.get(name, ()), time_text(_date_ms(reply)))
    return {**ROWS[name], **tickers, **times, **flaws[flaw]}


def _date_ms(reply: Reply) -> int:
    """The exchange's time when it answered."""
    return int(parsedate_to_datetime(reply.headers["Date"]).timestamp()) * 1000
