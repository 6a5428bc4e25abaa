"""What a misspelt config key most likely meant: judged by its words before its letters, with its unit.

`max_position_dollars` shares more letters with `max_price_dollars` than with `max_position`, but its words
are those of `max_position`. A unit at the end does not count, for the unit is what people get wrong.
"""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

_UNITS = {
    "dollars": "dollars",
    "contracts": "contracts",
    "percent": "percent",
    "ms": "milliseconds",
    "s": "seconds",
    "minutes": "minutes",
    "hours": "hours",
    "ticks": "ticks",
}
_UNIT_WORDS = _UNITS.keys() | {"cents", "seconds"}


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name with the most words in common; of several the one closest in letters."""
    return max(known, key=lambda own: (_shared_words(name, own), _shared_letters(name, own), own))


def unit_of(name: str, default: str) -> str:
    """The unit that a key's own name states, else the default."""
    return next((_UNITS[word] for word in reversed(_split(name)) if word in _UNITS), default)


def _split(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.casefold()) if word]


def _words(name: str) -> list[str]:
    """Without a unit at the end, unless that is all there is."""
    words = _split(name)
    return words[:-1] if len(words) > 1 and words[-1] in _UNIT_WORDS else words


def _shared_words(one: str, other: str) -> float:
    ours, theirs = set(_words(one)), set(_words(other))
    return len(ours & theirs) / (len(ours | theirs) or 1)


def _shared_letters(one: str, other: str) -> float:
    return SequenceMatcher(None, "_".join(_words(one)), "_".join(_words(other))).ratio()
