"""Markets that end while they are quoted."""

from dataclasses import replace
from typing import Any

from tests.support.small_world import TICKERS, setup

A, B, C = TICKERS


MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


OTHERS = {(ticker, side) for ticker in (B, C) for side in ("bid", "ask")}


def ending(close_ms: int) -> Any:
    """The three markets, the first of which closes early."""
    plain = setup()
    return (replace(plain.markets[0], close_ms=close_ms), *plain.markets[1:])
