"""When a market closes, as its ticker tells it: known while it traded, unlike the time of its last row.

KXHIGHNY-25DEC05-T37      weather of that day: trading ends at 23:59 Eastern
KXBTC15M-26AUG170145-45   a quarter of an hour that ends at that time, Eastern
"""

import re
from datetime import UTC, datetime

from dora.core.calendar import day_start_ms
from dora.core.units import TimeMs
from dora.core.zones import DAY_MS, HOUR_MS
from tests.simulator.tape import MINUTE_MS

_DAILY = re.compile(r"KX(?:HIGH|LOW)[A-Z]*-(\d\d[A-Z]{3}\d\d)-", re.ASCII)
_QUARTER = re.compile(r"KX[A-Z0-9]+15M-(\d\d[A-Z]{3}\d\d)(\d\d)(\d\d)-", re.ASCII)


def close_ms(ticker: str) -> int | None:
    """The close of a market, None where its ticker does not say."""
    if day := _DAILY.match(ticker):
        return _midnight_ms(day[1], days=1) - MINUTE_MS
    if quarter := _QUARTER.match(ticker):
        return _midnight_ms(quarter[1]) + int(quarter[2]) * HOUR_MS + int(quarter[3]) * MINUTE_MS
    return None


def _midnight_ms(day: str, days: int = 0) -> int:
    """The exchange's midnight with which a day like 25DEC05, or one of the next days, begins."""
    noon = datetime.strptime(day, "%y%b%d").replace(tzinfo=UTC).timestamp() * 1000 + DAY_MS // 2
    return day_start_ms(TimeMs(int(noon) + days * DAY_MS))
