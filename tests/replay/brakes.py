"""Whether an order group for each event pays: the same quotes with and without, event-day by event-day."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dora.core.risk.event_brakes import event_burst_limit
from dora.core.units import CONTRACT, Count
from tests.replay.desk import Filled
from tests.replay.order_groups import WINDOW_MS, GroupRule
from tests.replay.play import Days, play
from tests.replay.report import Row, table
from tests.replay.run import Outcome, Progress, models_for, outcome_of
from tests.replay.score import E7_PER_DOLLAR, Score, cents_per_hour, drawn
from tests.replay.settings import Setting
from tests.replay.situations import situations
from tests.replay.tape import Tape

UNQUOTED = Score()


class Pair(NamedTuple):
    """One event-day: with the brake of its shard alone, and with one of its own."""

    shard: Score
    event: Score


@dataclass(frozen=True)
class Braked:
    """One fill model, with the brake of the shard alone and by a rule."""

    model: str
    rule: GroupRule
    shard: Outcome
    event: Outcome

    @property
    def pairs(self) -> Sequence[Pair]:
        """Event-days that were quoted."""
        shard, event = self.shard.by_event_day, self.event.by_event_day
        names = sorted(shard.keys() | event.keys())
        pairs = [Pair(shard.get(name, UNQUOTED), event.get(name, UNQUOTED)) for name in names]
        return [pair for pair in pairs if pair.shard.quoted or pair.event.quoted]

    def more(self, value: Callable[[Sequence[Score]], float]) -> str:
        """What a value of all event-days is more with the brake, with its 95 % interval."""

        def difference(pairs: Sequence[Pair]) -> float:
            return value([pair.event for pair in pairs]) - value([pair.shard for pair in pairs])

        between = drawn(self.pairs, difference)
        told = f" ({between[0]:.2f} .. {between[1]:.2f})" if between else ""
        return f"{difference(self.pairs):+.2f}{told}"


def braked(tape: Tape, made: Setting, rests_s: Iterable[int], progress: Progress) -> Iterator[Braked]:
    """Every fill model by every rule: either reading of the limit, and each of these rests.

    The brake of the shard never trips here; `busiest` says from which limit on that is true.
    """
    known = situations(tape)
    smallest = min(made.market_config(ticker).quote_size for ticker in tape.tracks)
    limit = event_burst_limit(smallest, Count(0))
    rules = [
        GroupRule(limit, seconds * 1000, at_limit=at_limit)
        for seconds in rests_s
        for at_limit in (False, True)
    ]
    for model in models_for(tape):
        progress(made.strategy, model.name)
        shard = outcome_of(tape, made, play(tape, made, model, known))
        for rule in rules:
            event = outcome_of(tape, made, play(tape, made, model, known, rule))
            yield Braked(model.name, rule, shard, event)


def busiest(days: Days) -> Count:
    """The most contracts that filled within the exchange's window, in all markets together."""
    window: deque[Filled] = deque()
    most = 0
    for filled in sorted((own for day in days.values() for own in day.fills), key=lambda own: own.at_ms):
        window.append(filled)
        while window[0].at_ms <= filled.at_ms - WINDOW_MS:
            window.popleft()
        most = max(most, sum(own.count for own in window))
    return Count(most)


def brake_table(found: Sequence[Braked]) -> str:
    """The plain replay of each fill model, and what each rule makes of it."""
    heads = [
        "orders grouped by",
        "fills",
        "trips",
        "contracts",
        "in 15 s",
        "quoted",
        "c/qh",
        "30 min $",
        "end $",
    ]
    heads += ["c/qh more", "30 min $ more", "end $ more"]
    rows: list[Row] = []
    for one in found:
        if not rows or rows[-1][1] != one.model:
            rows.append(["shard", one.model, *_figures(one.shard), "", "", ""])
        more = [one.more(_cents(one.shard.setting.side_contracts)), one.more(_after_30), one.more(_at_end)]
        rows.append([f"event, {one.rule}", one.model, *_figures(one.event), *more])
    notes = (
        "more: than with the brake of the shard alone; 95 % by drawing event-days, each with and without.\n"
        "in 15 s: contracts at most, in all markets; a shard's brake with a limit above that never trips."
    )
    return f"{table(heads, rows)}\n{notes}"


def _figures(outcome: Outcome) -> Row:
    total = outcome.total
    return [
        str(outcome.played.trips),
        f"{total.contracts / CONTRACT:.0f}",
        f"{busiest(outcome.played.days) / CONTRACT:.0f}",
        f"{total.quoted_share:.1%}",
        f"{outcome.cents:.2f}",
        f"{_after_30([total]):.2f}",
        f"{_at_end([total]):.2f}",
    ]


def _after_30(scores: Sequence[Score]) -> float:
    return sum(score.after_30 for score in scores) / E7_PER_DOLLAR


def _at_end(scores: Sequence[Score]) -> float:
    return sum(score.ended for score in scores) / E7_PER_DOLLAR


def _cents(side_contracts: float) -> Callable[[Sequence[Score]], float]:
    def cents(scores: Sequence[Score]) -> float:
        profit, quoted = sum(own.after_30 for own in scores), sum(own.quoted for own in scores)
        return cents_per_hour(profit, quoted, side_contracts)

    return cents
