"""What a person asks for, checked before anything is asked of the exchange."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dora.settings import HOSTS, LOOPBACK

OUT = Path("build/history")
BASE_URL = "https://external-api.kalshi.com/trade-api/v2"
MOST_DAYS = 365
_SERIES = re.compile(r"[A-Z0-9]{2,40}", re.ASCII)
_KNOWN = frozenset[str]().union(*HOSTS.values())


class HistoryError(Exception):
    """Nothing was fetched; the text says why and what to do, in one line."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """One series' last days. `key_file`: with `key_id`, the key that signs; None: unsigned."""

    series: str
    days: int
    base_url: str = BASE_URL
    out: Path = OUT
    key_id: str | None = None
    key_file: Path | None = None


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Options from the command line. Ends the program with status 2 and one line when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.history", description=__doc__)
    parser.add_argument("--series", required=True, type=_series, help="a series' ticker, such as KXHIGHNY")
    parser.add_argument("--days", required=True, type=_days, help=f"how far back, 1 to {MOST_DAYS}")
    parser.add_argument("--base-url", type=_base_url, default=BASE_URL, help=f"default {BASE_URL}")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the recording (build/history)")
    parser.add_argument("--key-id", help="sign the requests: lists are often refused to the unsigned")
    parser.add_argument("--key-file", type=Path, help="with --key-id: the private key, PEM")
    given = parser.parse_args(arguments)
    if (given.key_id is None) != (given.key_file is None):
        parser.error("--key-id and --key-file belong together")
    return Options(**vars(given))


def _series(text: str) -> str:
    if not _SERIES.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no series; write the part before the first hyphen")
    return text


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days; write 1 to {MOST_DAYS}")
    return int(text)


def _base_url(text: str) -> str:
    """Only the exchange's own hosts, or this machine: a key may be shown to nobody else."""
    parts = urlsplit(text)
    if parts.hostname not in _KNOWN:
        known = ", ".join(sorted(_KNOWN))
        raise argparse.ArgumentTypeError(f"{parts.hostname!r} is not the exchange; it knows {known}")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise argparse.ArgumentTypeError("only https, or http on loopback")
    return text.rstrip("/")
