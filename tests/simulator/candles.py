"""Candles of a market: what its best prices and its prints did in each minute, hour or day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .units import DOLLAR_E4, count_text, price_text

if TYPE_CHECKING:
    from .market import Market

MINUTE_MS = 60_000


def candle_rows(market: Market, minutes: int) -> Iterator[dict[str, Any]]:
    """One row for each period in which a price moved or somebody traded, oldest first.

    Best prices are as the rest of the market left them; a side without a quote reads 0 or a dollar.
    """
    span_ms = minutes * MINUTE_MS
    moved = {_end_ms(at_ms, span_ms) for at_ms, _, _ in market.tops}
    traded = {_end_ms(trade.at_ms, span_ms) for trade in market.trades}
    for end_ms in sorted(moved | traded):
        tops = _tops(market, end_ms - span_ms, end_ms)
        if tops:
            yield _row(market, tops, end_ms - span_ms, end_ms)


def historical_row(row: dict[str, Any]) -> dict[str, Any]:
    """Of a market that settled before the cutoff: the same figures without a unit in their names."""
    return {_bare(name): _bare_part(own) for name, own in row.items()}


def _bare_part(own: Any) -> Any:
    return {_bare(name): price for name, price in own.items()} if isinstance(own, dict) else own


def _bare(name: str) -> str:
    return name.removesuffix("_dollars").removesuffix("_fp")


def _end_ms(at_ms: int, span_ms: int) -> int:
    """The end of the period that holds a time; its end belongs to it."""
    return -(-at_ms // span_ms) * span_ms


def _tops(market: Market, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """(bid, ask) at the start of a period, if there was one, and after each change within it."""
    before = [top for top in market.tops if top[0] <= start_ms][-1:]
    within = [top for top in market.tops if start_ms < top[0] <= end_ms]
    return [(bid or 0, ask or DOLLAR_E4) for _, bid, ask in before + within]


def _row(market: Market, tops: list[tuple[int, int]], start_ms: int, end_ms: int) -> dict[str, Any]:
    prints = [trade for trade in market.trades if start_ms < trade.at_ms <= end_ms]
    bids, asks = zip(*tops, strict=True)
    volume_e2 = sum(trade.count_e2 for trade in prints)
    return {
        "end_period_ts": end_ms // 1000,
        "yes_bid": _ohlc(list(bids)),
        "yes_ask": _ohlc(list(asks)),
        "price": _ohlc([trade.price_e4 for trade in prints]),
        "volume_fp": count_text(volume_e2),
        "open_interest_fp": count_text(volume_e2),
    }


def _ohlc(prices: list[int]) -> dict[str, str | None]:
    if not prices:
        return dict.fromkeys(("open_dollars", "low_dollars", "high_dollars", "close_dollars"))
    four = prices[0], min(prices), max(prices), prices[-1]
    names = ("open_dollars", "low_dollars", "high_dollars", "close_dollars")
    return {name: price_text(price) for name, price in zip(names, four, strict=True)}
