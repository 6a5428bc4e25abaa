"""Markets, books, prints, events and series as the exchange writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .book import ASK, BID
from .market import Market
from .model import IncentiveProgram, PriceRanges, Trade
from .render import prices
from .units import DOLLAR_E4, count_text, price_text, time_text

if TYPE_CHECKING:
    from .knobs import Knobs
    from .venue import FeeChange, Venue

_STRUCTURES: dict[PriceRanges, str] = {
    ((0, DOLLAR_E4, 100),): "linear_cent",
    ((0, DOLLAR_E4, 10),): "deci_cent",
}
WEEK_MS = 7 * 86_400_000


def market_row(market: Market, knobs: Knobs, now_ms: int) -> dict[str, Any]:
    spec = market.spec
    row: dict[str, Any] = {
        "ticker": market.ticker,
        "event_ticker": spec.event_ticker,
        "market_type": "binary",
        "title": market.ticker,
        "yes_sub_title": "Yes",
        "no_sub_title": "No",
        "created_time": time_text(spec.open_ms),
        "updated_time": time_text(market.updated_ms),
        "open_time": time_text(spec.open_ms),
        "close_time": time_text(market.close_ms),
        "expected_expiration_time": time_text(market.close_ms + spec.settle_after_ms),
        "latest_expiration_time": time_text(market.close_ms + WEEK_MS),
        "settlement_timer_seconds": knobs.settlement_timer_ms // 1000,
        "status": market.status,
        "notional_value_dollars": price_text(DOLLAR_E4),
        **_touch(market),
        **_tape(market, now_ms),
        "result": market.result,
        "can_close_early": spec.can_close_early,
        "expiration_value": "",
        "rules_primary": "Simulated.",
        "rules_secondary": "",
        "price_level_structure": _STRUCTURES.get(market.price_ranges, "custom"),
        "price_ranges": [
            {"start": price_text(start), "end": price_text(end), "step": price_text(step)}
            for start, end, step in market.price_ranges
        ],
        "settlement_bounds_type": "default",
        "exchange_index": market.shard,
    }
    if market.settled_ms is not None:
        row["settlement_ts"] = time_text(market.settled_ms)
        row["settlement_value_dollars"] = price_text(market.value_e4)
    return row


def _touch(market: Market) -> dict[str, str]:
    """Best prices; an empty side reads 0 for a bid and a dollar for an ask."""
    bid, ask = market.best_e4(BID) or 0, market.best_e4(ASK) or DOLLAR_E4
    return {
        "yes_bid_dollars": price_text(bid),
        "yes_ask_dollars": price_text(ask),
        "no_bid_dollars": price_text(DOLLAR_E4 - ask),
        "no_ask_dollars": price_text(DOLLAR_E4 - bid),
        "yes_bid_size_fp": count_text(market.best_size_e2(BID)),
        "yes_ask_size_fp": count_text(market.best_size_e2(ASK)),
    }


def _tape(market: Market, now_ms: int) -> dict[str, str]:
    last_e4 = market.trades[-1].price_e4 if market.trades else 0
    return {
        "last_price_dollars": price_text(last_e4),
        "previous_yes_bid_dollars": price_text(0),
        "previous_yes_ask_dollars": price_text(0),
        "previous_price_dollars": price_text(0),
        "volume_fp": count_text(market.volume_e2()),
        "volume_24h_fp": count_text(market.day_volume_e2(now_ms)),
        "open_interest_fp": count_text(market.volume_e2()),
    }


def book_row(market: Market, knobs: Knobs, depth: int = 0) -> dict[str, Any]:
    """Both legs as bids; `depth` 0 is everything."""
    yes = [(price, count) for price, count in market.book.halves[BID].ladder()]
    no = [(DOLLAR_E4 - price, count) for price, count in market.book.halves[ASK].ladder()]
    return {"yes_dollars": _levels(yes, knobs, depth), "no_dollars": _levels(no, knobs, depth)}


def _levels(best_first: list[tuple[int, int]], knobs: Knobs, depth: int) -> list[list[str]] | None:
    if not best_first and knobs.empty_book_side_is_null:
        return None
    kept = best_first[:depth] if depth else best_first
    rows = [[price_text(price), count_text(count)] for price, count in kept]
    return rows[::-1] if knobs.book_levels_sorted == "ascending" else rows


def trade_row(trade: Trade) -> dict[str, Any]:
    outcome = "yes" if trade.taker_side == BID else "no"
    return {
        "trade_id": trade.id,
        "ticker": trade.ticker,
        "count_fp": count_text(trade.count_e2),
        **prices(trade.price_e4),
        "taker_side": outcome,
        "taker_outcome_side": outcome,
        "taker_book_side": trade.taker_side,
        "created_time": time_text(trade.at_ms),
        "is_block_trade": False,
    }


def program_row(program: IncentiveProgram) -> dict[str, Any]:
    """Rewards count 1/10,000 $; what a program does not state is null."""
    return {
        "id": program.id,
        "market_id": program.ticker,
        "market_ticker": program.ticker,
        "incentive_type": program.kind,
        "incentive_description": "Simulated.",
        "start_date": time_text(program.start_ms),
        "end_date": time_text(program.end_ms),
        "period_reward": program.reward_e4,
        "paid_out": program.paid_out,
        "discount_factor_bps": program.discount_bps,
        "target_size_fp": None if program.target_e2 is None else count_text(program.target_e2),
    }


def event_row(markets: list[Market], venue: Venue) -> dict[str, Any]:
    """One event, from the markets that belong to it."""
    spec = markets[0].spec
    override = venue.fees.overrides.get(spec.event_ticker)
    return {
        "event_ticker": spec.event_ticker,
        "series_ticker": spec.series_ticker,
        "sub_title": "",
        "title": spec.event_ticker,
        "collateral_return_type": "MECNET" if spec.mutually_exclusive else "",
        "mutually_exclusive": spec.mutually_exclusive,
        "settlement_sources": [],
        "last_updated_ts": time_text(max(market.updated_ms for market in markets)),
        "fee_type_override": override[0] if override else None,
        "fee_multiplier_override": multiplier(override[1]) if override else None,
        "exchange_index": spec.shard,
    }


def series_row(series_ticker: str, venue: Venue) -> dict[str, Any]:
    fee_type, multiplier_e4 = venue.fees.series[series_ticker]
    return {
        "ticker": series_ticker,
        "frequency": "daily",
        "title": series_ticker,
        "category": "Simulated",
        "categories": ["Simulated"],
        "tags": [],
        "settlement_sources": [],
        "contract_url": "",
        "contract_terms_url": "",
        "fee_type": fee_type,
        "fee_multiplier": multiplier(multiplier_e4),
        "additional_prohibitions": [],
        "last_updated_ts": time_text(venue.started_ms),
    }


def fee_change_row(change: FeeChange) -> dict[str, Any]:
    scaled = None if change.multiplier_e4 is None else multiplier(change.multiplier_e4)
    if change.event_ticker:
        fees = {
            "event_ticker": change.event_ticker,
            "fee_type_override": change.fee_type,
            "fee_multiplier_override": scaled,
        }
    else:
        fees = {"fee_type": change.fee_type, "fee_multiplier": scaled}
    return {
        "id": change.id,
        "series_ticker": change.series_ticker,
        **fees,
        "scheduled_ts": time_text(change.at_ms),
    }


def multiplier(multiplier_e4: int) -> int | float:
    """A JSON number; whole ones without a point, as the exchange writes them."""
    return multiplier_e4 // DOLLAR_E4 if multiplier_e4 % DOLLAR_E4 == 0 else multiplier_e4 / DOLLAR_E4
