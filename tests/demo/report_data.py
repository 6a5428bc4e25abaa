"""What the report's charts are drawn from, in as little room as a page of sixty markets allows.

Prices and values in 1e-4 $, counts in 0.01 contract, times in seconds from the start; a series is told at its
changes only, as [place in `times`, value, ...]. The page turns it into pictures when somebody looks.
"""

from collections.abc import Iterable
from typing import Any

from tests.demo.run import Run
from tests.demo.strip import BOTH, ONE
from tests.simulator.model import Fill

MICRO_PER_CENT = 10_000


def report_data(run: Run, strips: dict[str, list[str]], order: list[str]) -> dict[str, Any]:
    """One JSON object. `order`: all markets, as the page lists them."""
    start_ms = run.scene.start_ms
    first = run.seen.samples[order[0]]
    reasons = sorted({word for words in strips.values() for word in words} - {BOTH, ONE})
    words = [BOTH, ONE, *reasons]
    fills: dict[str, list[Fill]] = {ticker: [] for ticker in order}
    for fill in run.fills:
        fills[fill.trade.ticker].append(fill)
    return {
        "start": start_ms,
        "times": [_seconds(sample.at_ms, start_ms) for sample in first],
        "cycles": [_seconds(row.at_ms, start_ms) for row in run.seen.cycles],
        "words": words,
        "markets": [_market(run, ticker, fills[ticker], strips[ticker], words) for ticker in order],
    }


def _market(run: Run, ticker: str, fills: list[Fill], strip: list[str], words: list[str]) -> dict[str, Any]:
    samples, start_ms = run.seen.samples[ticker], run.scene.start_ms
    settled = run.settled.get(ticker)
    return {
        "name": ticker,
        "bid": _changes(sample.bid_e4 for sample in samples),
        "ask": _changes(sample.ask_e4 for sample in samples),
        "our_bid": _changes(sample.our_bid_e4 for sample in samples),
        "our_ask": _changes(sample.our_ask_e4 for sample in samples),
        "net": _changes(sample.net_e2 for sample in samples),
        "cents": _changes(round(sample.profit_e6 / MICRO_PER_CENT, 1) for sample in samples),
        "fills": [
            [_seconds(f.at_ms, start_ms), f.trade.price_e4, f.trade.count_e2, int(f.order.side == "bid")]
            for f in fills
        ],
        "strip": _changes(words.index(word) for word in strip),
        "settled": None if settled is None else [_seconds(settled[0], start_ms), settled[1]],
    }


def _changes(values: Iterable[Any]) -> list[Any]:
    """[place, value, place, value, ...] of each value that differs from the one before it."""
    told: list[Any] = []
    for place, value in enumerate(values):
        number = float(value) if hasattr(value, "denominator") and not isinstance(value, int) else value
        if not told or number != told[-1]:
            told += [place, number]
    return told


def _seconds(at_ms: int, start_ms: int) -> float:
    seconds = (at_ms - start_ms) / 1000
    return int(seconds) if seconds.is_integer() else round(seconds, 1)
