"""What a market was like at each minute, to see where a strategy earns and where it loses.

speed R    mean move of the mid per minute over the last 30 minutes, in half-spreads
spread     best ask less best bid
price      the mid
to close   hours, where the close was known
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.replay.tape import Stretch, Tape, Track, minutes_of
from tests.simulator.tape import MINUTE_MS, Quote

WINDOW = 30
"""Minutes over which a market's speed is averaged."""
LEAST = 5
"""Moves without which it has none."""
HOUR_MS = 60 * MINUTE_MS

Scale = Sequence[tuple[int, str]]
"""Upper bounds, not included, and the names of what lies below them."""
ABOVE = 10**18

SPEED_PERCENT: Scale = (
    (25, "R below 0.25"),
    (50, "R 0.25 to 0.5"),
    (100, "R 0.5 to 1"),
    (ABOVE, "R 1 and more"),
)
SPREAD_E4: Scale = (
    (200, "spread below 2 c"),
    (400, "spread 2 to 4 c"),
    (1_000, "spread 4 to 10 c"),
    (ABOVE, "spread 10 c and more"),
)
PRICE_E4: Scale = (
    (1_000, "price below 10 c"),
    (3_000, "price 10 to 30 c"),
    (7_000, "price 30 to 70 c"),
    (9_000, "price 70 to 90 c"),
    (ABOVE, "price 90 c and more"),
)
TO_CLOSE_MS: Scale = (
    (HOUR_MS, "under 1 h to close"),
    (6 * HOUR_MS, "1 to 6 h to close"),
    (24 * HOUR_MS, "6 to 24 h to close"),
    (ABOVE, "over 24 h to close"),
)
NO_SPEED, NO_CLOSE = "R not known yet", "close not known"


class Situation(NamedTuple):
    """The name of a market's minute on each of the four scales."""

    speed: str
    spread: str
    price: str
    to_close: str


ByMinute = Mapping[int, Situation]


def situations(tape: Tape) -> dict[str, ByMinute]:
    """For each market its minutes with both best prices, by their time in ms."""
    return {
        ticker: dict(pair for stretch in tape.stretches for pair in _of_stretch(track, stretch))
        for ticker, track in tape.tracks.items()
    }


def _of_stretch(track: Track, stretch: Stretch) -> Iterator[tuple[int, Situation]]:
    moves: deque[tuple[int, int]] = deque(maxlen=WINDOW)
    before: int | None = None
    for now_ms in minutes_of(
        Stretch(max(stretch.start_ms, track.first_ms), min(stretch.end_ms, track.last_ms))
    ):
        quote = track.quote_at(now_ms)
        if quote is None or quote.at_ms < stretch.start_ms or quote.bid is None or quote.ask is None:
            continue
        twice_mid = quote.bid.price_e4 + quote.ask.price_e4
        if before is not None:
            moves.append((abs(twice_mid - before), quote.ask.price_e4 - quote.bid.price_e4))
        before = twice_mid
        yield now_ms, _situation(track, quote, now_ms, moves)


def _situation(track: Track, quote: Quote, now_ms: int, moves: Sequence[tuple[int, int]]) -> Situation:
    bid, ask = (side.price_e4 if side else 0 for side in (quote.bid, quote.ask))
    left_ms = track.market.close_ms - now_ms
    return Situation(
        speed=_speed(moves),
        spread=_named(ask - bid, SPREAD_E4),
        price=_named((bid + ask) // 2, PRICE_E4),
        to_close=_named(left_ms, TO_CLOSE_MS) if track.closes else NO_CLOSE,
    )


def _speed(moves: Sequence[tuple[int, int]]) -> str:
    """Twice the mid over the whole spread is the mid over the half-spread."""
    if len(moves) < LEAST:
        return NO_SPEED
    moved, spread = (sum(column) for column in zip(*moves, strict=True))
    return _named(moved * 100 // spread, SPEED_PERCENT)


def _named(value: int, scale: Scale) -> str:
    return next(name for below, name in scale if value < below)
