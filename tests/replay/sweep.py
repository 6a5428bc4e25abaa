"""Settings chosen on some days and judged once on others.

An event belongs to the day of the exchange on which it was heard of last, with all its markets, so no
position and no memory passes from the days that choose to those that judge. Chosen is what earns most per
quote-hour under the pessimistic fill model; a setting that never trades under it loses nothing and proves
nothing, and is not chosen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from dora.core.calendar import exchange_day
from dora.core.errors import ConfigInvalid
from dora.core.units import TimeMs
from tests.replay.recorded_settings import setting_for
from tests.replay.run import ByModel, Progress, Result, outcomes, replay
from tests.replay.settings import Raw
from tests.replay.situations import situations
from tests.replay.tape import Tape


@dataclass(frozen=True)
class Split:
    """The days of a recording, and the two parts of its tape."""

    choosing_days: tuple[str, ...]
    judging_days: tuple[str, ...]
    choosing: Tape
    judging: Tape


@dataclass(frozen=True)
class Swept:
    """What each candidate came to on the choosing days, which was chosen, and how it was judged."""

    split: Split
    keys: Sequence[str]
    candidates: Sequence[tuple[Raw, ByModel]]
    chosen: Raw
    judged: Result


def split(tape: Tape, first_judging: str | None) -> Split:
    """The recording cut at a day, None: after half of its days. Raises ConfigInvalid."""
    last_ms: dict[str, int] = {}
    for track in tape.tracks.values():
        event = track.market.event_ticker
        last_ms[event] = max(last_ms.get(event, 0), track.last_ms)
    day_of = {event: exchange_day(TimeMs(last)) for event, last in last_ms.items()}
    days = sorted(set(day_of.values()))
    cut = first_judging or days[len(days) // 2]
    choosing, judging = (tuple(d for d in days if (d < cut) is early) for early in (True, False))
    if not choosing or not judging:
        told = f"events of {tape.name} end on {', '.join(days)}"
        raise ConfigInvalid("SPLIT", f"no two parts at {cut}: {told}", "give a later one of these days")
    return Split(choosing, judging, _part(tape, day_of, choosing), _part(tape, day_of, judging))


def _part(tape: Tape, day_of: Mapping[str, str], days: Sequence[str]) -> Tape:
    return tape.only([t for t, track in tape.tracks.items() if day_of[track.market.event_ticker] in days])


def candidates(raw: Raw, sweep: Mapping[str, Sequence[str]]) -> Iterator[Raw]:
    """Every combination of the values."""
    for values in product(*sweep.values()):
        yield {**raw, **dict(zip(sweep, values, strict=True))}


def run_sweep(
    parts: Split, strategy: str, raw: Raw, sweep: Mapping[str, Sequence[str]], progress: Progress
) -> Swept:
    """Choose, and judge once. Raises ConfigInvalid."""
    settings = [(given, setting_for(parts.choosing, strategy, given)) for given in candidates(raw, sweep)]
    known = situations(parts.choosing)
    tried = [(given, outcomes(parts.choosing, made, known, progress)) for given, made in settings]
    trading = [(given, by_model) for given, by_model in tried if by_model["pess"].total.contracts]
    if not trading:
        days = ", ".join(parts.choosing_days)
        raise ConfigInvalid("SWEEP", f"no setting trades on {days}", "choose other values")
    chosen, _ = max(trading, key=lambda pair: pair[1]["pess"].cents)
    return Swept(parts, tuple(sweep), tried, chosen, replay(parts.judging, [strategy], chosen, progress))
