"""What the markets of a recording charge: as recorded beside it, else the dearest terms known for makers.

`series-*.jsonl.gz` beside a recording says what series charged: one JSON object a line with `series`,
`fee_type` and `fee_multiplier`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from dora.core.errors import NumberInvalid
from dora.core.exchange.market import Series
from dora.core.units import PRICE_DECIMALS, parse_scaled
from tests.simulator.tape import RecordingError
from tests.simulator.tape_fields import BadField, gzip_lines, json_object

UNKNOWN_TYPE, UNKNOWN_MULTIPLIER_E4 = "quadratic_with_maker_fees", 10_000


def recorded_series(folder: Path) -> dict[str, Series]:
    """Every series whose terms lie in this folder; of one that stands in several files, the newest file's.

    Raises:
        RecordingError: a file that is unreadable, or a line that does not say what a series charges.
    """
    found: dict[str, Series] = {}
    for path in sorted(folder.glob("series-*.jsonl.gz")):
        with gzip_lines(path) as lines:
            for number, line in enumerate(lines, start=1):
                series = _series(f"{path}, line {number}", line)
                found[series.ticker] = series
    return found


def _series(where: str, line: str) -> Series:
    try:
        row = json_object(line)
        multiplier = parse_scaled(str(row["fee_multiplier"]), PRICE_DECIMALS)
        return Series(ticker=str(row["series"]), fee_type=str(row["fee_type"]), fee_multiplier_e4=multiplier)
    except (BadField, KeyError, NumberInvalid) as error:
        fix = "Correct the line or take the file away"
        raise RecordingError(where, f"is not the terms of a series ({error!r})", fix) from error


def with_assumed(
    known: Mapping[str, Series], needed: Iterable[str]
) -> tuple[dict[str, Series], tuple[str, ...]]:
    """Terms of every series needed, and the names of those that had to be assumed."""
    wanted = set(needed)
    assumed = tuple(sorted(wanted - known.keys()))
    made_up = {
        name: Series(ticker=name, fee_type=UNKNOWN_TYPE, fee_multiplier_e4=UNKNOWN_MULTIPLIER_E4)
        for name in assumed
    }
    return {name: known[name] for name in wanted & known.keys()} | made_up, assumed
