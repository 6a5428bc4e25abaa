"""Numbers and times as the exchange writes them, parsed to and printed from plain ints.

Prices are 1e-4 $, counts 0.01 contract, money 1e-6 $: price x count is money, exactly.
"""

import re
from datetime import UTC, datetime
from functools import cache, lru_cache

DOLLAR_E4 = 10_000
DOLLAR_E6 = 1_000_000
CENT_E4 = 100
CENT_E6 = 10_000
CONTRACT_E2 = 100
PRICE_DECIMALS = 4
COUNT_DECIMALS = 2

_FIXED = re.compile(r"(-?)(\d+)(?:\.(\d+))?")


class TooPreciseError(ValueError):
    """The text carries more decimals than the field allows."""


def parse_fixed(text: str, decimals: int) -> int:
    """Scale a decimal string to an int. ValueError: no number; TooPreciseError: too many decimals."""
    match = _FIXED.fullmatch(text)
    if match is None:
        raise ValueError(text)
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > decimals:
        raise TooPreciseError(text)
    scaled = int(whole + fraction.ljust(decimals, "0"))
    return -scaled if sign else scaled


@cache
def price_text(price_e4: int) -> str:
    """A price in dollars, four decimals."""
    return f"{price_e4 // DOLLAR_E4}.{price_e4 % DOLLAR_E4:04d}"


def count_text(count_e2: int) -> str:
    """A count of contracts, two decimals, signed."""
    whole, part = divmod(abs(count_e2), CONTRACT_E2)
    return f"{'-' if count_e2 < 0 else ''}{whole}.{part:02d}"


def money_text(money_e6: int) -> str:
    """Money in dollars: four decimals, or six where four would lose something."""
    whole, part = divmod(abs(money_e6), DOLLAR_E6)
    sign = "-" if money_e6 < 0 else ""
    if part % 100:
        return f"{sign}{whole}.{part:06d}"
    return f"{sign}{whole}.{part // 100:04d}"


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def time_text(at_ms: int) -> str:
    """RFC 3339 in UTC, trailing zeros of the fraction left out as the exchange does."""
    second, milli = divmod(at_ms, 1000)
    fraction = f".{milli:03d}".rstrip("0") if milli else ""
    return f"{_second_text(second)}{fraction}Z"
