"""Sessions whose order groups trip."""

from typing import Any

from tests.battery.scene import fill
from tests.support.small_world import TICKERS, Seen, set_book
from tests.world import config_items

A, B, C = TICKERS


SMALL = {**config_items.GLOBAL, "group_burst_limit": 10}


def trip(seen: Seen, ticker: str = A) -> None:
    """Both quotes of a market fill at once: more than a burst of ten."""
    for side in ("bid", "ask"):
        if seen.world.resting(ticker, side):
            fill(seen.world, ticker, side)
    set_book(seen.world, ticker)


def pass_minutes(seen: Seen, minutes: int) -> list[dict[str, Any]]:
    """A cycle a minute; the books stand, so nothing changes by itself."""
    return [seen.world.cycle() for _ in range(minutes)]
