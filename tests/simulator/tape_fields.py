"""Parsers of recorded fields, and the one way a recorded file is opened. No float anywhere."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from .tape import RecordingError
from .units import COUNT_DECIMALS, PRICE_DECIMALS, parse_fixed

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):([0-5]\d)(?:\.(\d+))?Z", re.ASCII)


class BadField(ValueError):
    """A field that is not what its column promises; the reader adds the file and the line."""


def price_e4(text: str) -> int:
    """A price in dollars as 1e-4 $; nothing is rounded.

    Raises:
        BadField: not a plain decimal number, negative, or finer than the unit.
    """
    return _fixed(text, PRICE_DECIMALS)


def count_e2(text: str) -> int:
    """A count of contracts as 0.01 contract; nothing is rounded.

    Raises:
        BadField: not a plain decimal number, negative, or finer than the unit.
    """
    return _fixed(text, COUNT_DECIMALS)


@lru_cache(maxsize=65_536)
def _fixed(text: str, decimals: int) -> int:
    try:
        value = parse_fixed(text, decimals)
    except (TypeError, ValueError) as error:
        raise BadField(f"{text!r} is not a decimal number of at most {decimals} places") from error
    if value < 0:
        raise BadField(f"{text!r} is negative")
    return value


def time_ms(text: str) -> int:
    """An ISO 8601 UTC time with any number of fraction digits (trailing zeros may be cut) as Unix ms.

    Raises:
        BadField: another form, or no such moment.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadField(f"{text!r} is not a UTC time such as 2025-02-03T18:00:00.5Z")
    return _minute_ms(match[1]) + int(match[2]) * 1000 + int((match[3] or "")[:3].ljust(3, "0"))


@lru_cache(maxsize=4_096)
def _minute_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadField(f"{text!r} is not a time: {error}") from error
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECOND


_MILLISECOND = datetime(1970, 1, 1, 0, 0, 0, 1000) - datetime(1970, 1, 1)


@contextmanager
def gzip_lines(path: Path) -> Iterator[Iterator[str]]:
    """The text lines of a gzip file.

    Raises:
        RecordingError: missing, unreadable, not gzip, cut off, or not text.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            yield iter(lines)
    except FileNotFoundError as error:
        raise RecordingError(str(path), "there is no such file", "Check the path") from error
    except EOFError as error:
        raise RecordingError(str(path), "the file is cut off", "Fetch it again whole") from error
    except (OSError, zlib.error) as error:
        raise RecordingError(str(path), f"cannot be read ({error})", "Give a readable gzip file") from error
    except UnicodeDecodeError as error:
        raise RecordingError(str(path), "is not UTF-8 text", "Give a recording, not another file") from error


def json_object(text: str) -> dict[str, Any]:
    """A JSON object. Numbers with a fraction stay text, so that none becomes a float.

    Raises:
        BadField: not JSON, or not an object.
    """
    try:
        value = json.loads(text, parse_float=str)
    except ValueError as error:
        raise BadField(f"not JSON ({error})") from error
    if not isinstance(value, dict):
        raise BadField("not a JSON object")
    return value
