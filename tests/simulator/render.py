"""Orders, fills, positions and settlements as the exchange writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .account import Account, Position, PositionRow
from .book import BID
from .model import Fill, Order, OrderVersion, Settlement
from .units import CENT_E4, CENT_E6, CONTRACT_E2, DOLLAR_E4, count_text, money_text, price_text, time_text

if TYPE_CHECKING:
    from .market import Market


def compact(payload: object) -> str:
    """JSON without blanks."""
    return json.dumps(payload, separators=(",", ":"))


def sides(side: str, *, legacy: bool) -> dict[str, str]:
    """Direction fields. The deprecated pair says `yes` for both sides, as measured."""
    current = {"outcome_side": "yes" if side == BID else "no", "book_side": side}
    return current | {"side": "yes", "action": "buy" if side == BID else "sell"} if legacy else current


def prices(price_e4: int) -> dict[str, str]:
    return {"yes_price_dollars": price_text(price_e4), "no_price_dollars": price_text(DOLLAR_E4 - price_e4)}


def order_text(order: Order, version: OrderVersion, *, legacy: bool) -> str:
    """One order row; cached in the version."""
    if not version.text:
        version.text = compact(order_row(order, version, legacy=legacy))
    return version.text


def order_row(order: Order, version: OrderVersion, *, legacy: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "order_id": order.id,
        "user_id": order.member.user_id,
        "client_order_id": version.client_order_id,
        "ticker": order.market.ticker,
        **sides(order.side, legacy=legacy),
        "type": "limit",
        "status": version.status,
        **prices(version.price_e4),
        "fill_count_fp": count_text(version.filled_e2),
        "remaining_count_fp": count_text(version.remaining_e2),
        "initial_count_fp": count_text(version.initial_e2),
        "taker_fees_dollars": money_text(version.taker_fees_e6),
        "maker_fees_dollars": money_text(version.maker_fees_e6),
        "taker_fill_cost_dollars": money_text(version.taker_cost_e6),
        "maker_fill_cost_dollars": money_text(version.maker_cost_e6),
        "created_time": time_text(order.created_ms),
        "last_update_time": time_text(version.at_ms),
        "self_trade_prevention_type": order.stp,
        "cancel_order_on_pause": order.cancel_on_pause,
        "subaccount_number": order.account.number,
        "exchange_index": order.market.shard,
    }
    if version.expiration_s is not None:
        row["expiration_time"] = time_text(version.expiration_s * 1000)
    if order.group_id:
        row["order_group_id"] = order.group_id
    return row


def fill_row(fill: Fill, *, legacy: bool) -> dict[str, Any]:
    order, trade = fill.order, fill.trade
    return {
        "fill_id": trade.id if fill.is_taker else _maker_fill_id(trade.id),
        "trade_id": trade.id if fill.is_taker else _maker_fill_id(trade.id),
        "exchange_index": order.market.shard,
        "order_id": order.id,
        "ticker": trade.ticker,
        "market_ticker": trade.ticker,
        **sides(order.side, legacy=legacy),
        "count_fp": count_text(trade.count_e2),
        **prices(trade.price_e4),
        "is_taker": fill.is_taker,
        "fee_cost": f"{fill.fee_e6 // 1_000_000}.{fill.fee_e6 % 1_000_000:06d}",
        "subaccount_number": order.account.number,
        "created_time": time_text(trade.at_ms),
        "ts": trade.at_ms // 1000,
    }


def position_row(market: Market, row: PositionRow) -> dict[str, Any]:
    return {
        "ticker": market.ticker,
        "exchange_index": market.shard,
        "total_traded_dollars": money_text(row.traded_e6),
        "position_fp": count_text(row.position_e2),
        "market_exposure_dollars": money_text(row.cost_e6),
        "realized_pnl_dollars": money_text(row.realized_e6),
        "fees_paid_dollars": money_text(row.fees_e6),
        "last_updated_ts": time_text(row.at_ms),
    }


def event_position_row(event_ticker: str, rows: list[PositionRow]) -> dict[str, Any]:
    """Totals over the markets of one event."""
    return {
        "event_ticker": event_ticker,
        "total_cost_dollars": money_text(sum(row.traded_e6 for row in rows)),
        "total_cost_shares_fp": count_text(sum(abs(row.position_e2) for row in rows)),
        "event_exposure_dollars": money_text(sum(row.cost_e6 for row in rows)),
        "realized_pnl_dollars": money_text(sum(row.realized_e6 for row in rows)),
        "fees_paid_dollars": money_text(sum(row.fees_e6 for row in rows)),
    }


def settlement_row(settlement: Settlement) -> dict[str, Any]:
    yes_e2, no_e2 = max(0, settlement.position_e2), max(0, -settlement.position_e2)
    return {
        "ticker": settlement.market.ticker,
        "exchange_index": settlement.market.shard,
        "event_ticker": settlement.market.spec.event_ticker,
        "market_result": settlement.result,
        "yes_count_fp": count_text(yes_e2),
        "yes_total_cost_dollars": money_text(settlement.cost_e6 if yes_e2 else 0),
        "no_count_fp": count_text(no_e2),
        "no_total_cost_dollars": money_text(settlement.cost_e6 if no_e2 else 0),
        "revenue": settlement.revenue_e6 // CENT_E6,
        "settled_time": time_text(settlement.at_ms),
        "fee_cost": money_text(settlement.fees_e6),
        "value": settlement.value_e4 // CENT_E4,
    }


def executed(order: Order, filled_e2: int, cost_e6: int, fees_e6: int) -> dict[str, str]:
    """Averages per contract; only when something filled. `cost_e6` is on the YES leg."""
    if not filled_e2:
        return {}
    return {
        "average_fill_price": money_text(cost_e6 * CONTRACT_E2 // filled_e2),
        "average_fee_paid": money_text(fees_e6 * CONTRACT_E2 // filled_e2),
    }


def mark_e6(account: Account, market: Market, position: Position) -> int:
    """Value of an open position at the middle of the market."""
    mid_e4 = market.mid_e4()
    worth_e4 = mid_e4 if position.position_e2 > 0 else DOLLAR_E4 - mid_e4
    return abs(position.position_e2) * worth_e4


def _maker_fill_id(trade_id: str) -> str:
    return f"{trade_id[:14]}5{trade_id[15:]}"
