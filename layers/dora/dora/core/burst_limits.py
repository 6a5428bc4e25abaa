"""Burst limits of single strategy tags, contracts by tag, as people write them: `calm 500; fast 2000`."""

from dora.core.errors import ConfigInvalid, NumberInvalid
from dora.core.units import Count, parse_count

LEAST, MOST = "1", "1000000"
"""Contracts that a group's burst limit may be set to."""
_SHAPE = 'write each tag with its contracts, as "calm 500; fast 2000"'
_WORDS = 2


def parse_burst_limits(text: str) -> dict[str, Count]:
    """By strategy tag; none for no text. Raises ConfigInvalid."""
    limits: dict[str, Count] = {}
    for part in text.split(";") if text else ():
        words = part.split()
        if len(words) != _WORDS:
            raise _invalid(f"holds {part.strip()!r}", _SHAPE)
        tag, contracts = words
        if tag in limits:
            raise _invalid(f"holds tag {tag!r} twice", "write one limit for each tag")
        limits[tag] = _limit(tag, contracts)
    return limits


def _limit(tag: str, contracts: str) -> Count:
    fix = f"write a number from {LEAST} to {MOST}"
    try:
        limit = parse_count(contracts)
    except NumberInvalid as error:
        raise _invalid(f"holds {contracts!r} for tag {tag!r}", fix) from error
    if not parse_count(LEAST) <= limit <= parse_count(MOST):
        raise _invalid(f"holds {contracts} for tag {tag!r}", fix)
    return limit


def _invalid(problem: str, fix: str) -> ConfigInvalid:
    return ConfigInvalid("GLOBAL", f"group_burst_limits {problem}", fix)
