"""What a replay of a recording cannot prove, in sentences that stand beside every result."""

from collections.abc import Iterator, Mapping

from dora.core.units import CONTRACT
from tests.replay.recorded_settings import told
from tests.replay.run import ByModel, Result
from tests.replay.score import LEAST_CLUSTERS
from tests.replay.tape import Archived, Tape

HOUR_MS = 3_600_000

ALWAYS = (
    "Nobody saw our orders: how others would have answered them is not in any recording.",
    "Tokens, outages, refusals and the account's cash are not replayed; every market is read every minute.",
)


def is_bound(tape: Tape) -> bool:
    """Whether its figures are bounds at best, and no estimates."""
    return tape.traded_only or tape.coarse or tape.candles


def limits(tape: Tape) -> Iterator[str]:
    """What this recording cannot prove, whatever was replayed."""
    if tape.made_up:
        yield "MADE UP: nobody ever traded these prints. They prove that the command runs, and nothing else."
    if tape.traded_only:
        yield (
            "BOUND: only prints were recorded. The book is made of them, its spread is a guess and its depth "
            "unknown; pess fills only where a print goes through a quote, opt also where one meets it."
        )
    if tape.archived:
        yield from _of_a_bot(tape.archived)
    elif tape.coarse:
        yield (
            "BOUND: snapshots minutes apart. What happened in between is unknown: the book is taken to stand "
            "still, an order that the next snapshot passes to have filled at its price."
        )
    if tape.candles:
        yield (
            "BOUND: best prices are those at the end of each minute; where they went in between is unknown, "
            "and a minute without a candle is taken to be like the one before."
        )
    if not tape.sized:
        yield "No sizes at the best prices: no queue, no infer; opt takes steps back of the touch for trades."
    elif not any(track.printed for track in tape.tracks.values()):
        yield "No prints: infer guesses that 10 % of what falls at the touch was trades."
    yield from _gaps(tape)
    yield from _unknowns(tape)


def _of_a_bot(archived: Archived) -> Iterator[str]:
    yield "Books were looked at once a cycle: what was cancelled between two looks is not known."
    if archived.without_trades:
        yield (
            f"BOUND: before {archived.without_trades} of {len(archived.looks)} looks trades may be missing; "
            "fills that only they could prove are left out."
        )
    if archived.filled is not None:
        yield "The bot quoted while it recorded: others may have answered its quotes."


def _against_true_fills(result: Result) -> Iterator[str]:
    """How many contracts filled in truth while a bot recorded, beside what each fill model makes of it."""
    archived = result.tape.archived
    if archived is None or archived.filled is None:
        return
    true = sum(archived.filled.values()) / CONTRACT
    for name, models in result.strategies.items():
        told = ", ".join(
            f"{model} {outcome.total.contracts / CONTRACT:.0f}" for model, outcome in models.items()
        )
        yield f"{name}: {told} contracts; the bot that recorded, as it was set, filled {true:.0f}."


def _gaps(tape: Tape) -> Iterator[str]:
    first, last = tape.stretches[0].start_ms, tape.stretches[-1].end_ms
    off_ms = last - first - sum(stretch.end_ms - stretch.start_ms for stretch in tape.stretches)
    if off_ms:
        yield (
            f"The recorder was off for {off_ms / HOUR_MS:.1f} of {(last - first) / HOUR_MS:.1f} hours; "
            "orders are taken off before it and their fate is left out."
        )


def _unknowns(tape: Tape) -> Iterator[str]:
    tracks = tape.tracks.values()
    unsettled = sum(track.result is None for track in tracks)
    if unsettled:
        yield f"How {unsettled} of {len(tracks)} markets settled is not recorded."
    open_ended = sum(not track.closes for track in tracks)
    if open_ended:
        yield f"When {open_ended} of {len(tracks)} markets close is not known: no quote ends for that."
    if tape.assumed:
        names = ", ".join(tape.assumed[:8]) + (" ..." if len(tape.assumed) > 8 else "")
        yield f"Fees are not recorded and taken for the dearest a maker is known to pay: {names}."


def sign_of_profit(name: str, models: ByModel, *, bound: bool) -> str:
    """Whether this recording proves that the strategy earns or loses: by intervals, not by figures alone.

    `bound`: its figures are bounds, which prove neither.
    """
    pessimistic, optimistic = models["pess"], models["opt"]
    if not any(outcome.total.quoted for outcome in models.values()):
        return f"{name}: never quoted."
    if not bound and pessimistic.interval and pessimistic.interval[0] > 0:
        return f"{name}: earns, even if it fills only where the market trades through."
    if not bound and optimistic.interval and optimistic.interval[1] < 0:
        return f"{name}: loses, even if it stands first in every line."
    figures = ", ".join(f"{model} {outcome.cents:+.2f}" for model, outcome in models.items())
    return f"{name}: the sign of its profit is not proven here ({figures} c/qh)."


def conclusions(result: Result) -> Iterator[str]:
    """What may be said of each strategy, and what of all of them."""
    for name, models in result.strategies.items():
        yield sign_of_profit(name, models, bound=is_bound(result.tape))
    yield from _against_true_fills(result)
    if settings := told(result.strategies, result.tape):
        yield settings
    clusters = _most_event_days(result.strategies)
    if clusters < LEAST_CLUSTERS:
        yield f"{clusters} event-days: no interval is told of fewer than {LEAST_CLUSTERS}."
    yield from limits(result.tape)
    yield from ALWAYS


def _most_event_days(strategies: Mapping[str, ByModel]) -> int:
    counts = [
        sum(score.quoted > 0 for score in outcome.by_event_day.values())
        for models in strategies.values()
        for outcome in models.values()
    ]
    return max(counts, default=0)
