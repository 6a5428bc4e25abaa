"""A strategy and its baselines over one recording, under every fill model that the recording allows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.replay.baselines import baselines, registered
from tests.replay.fill_models import MODELS, FillModel
from tests.replay.play import Played, play
from tests.replay.recorded_settings import setting_for
from tests.replay.score import Score, Scored, event_days, interval, scored, together
from tests.replay.settings import Raw, Setting
from tests.replay.situations import ByMinute, situations
from tests.replay.tape import Tape

Progress = Callable[[str, str], None]
"""(strategy, fill model), before each is played."""


@dataclass(frozen=True)
class Outcome:
    """One strategy under one fill model."""

    setting: Setting
    played: Played
    scored: Scored
    total: Score
    by_event_day: Mapping[str, Score]

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of cents per quote-hour; None: too few event-days."""
        return interval(self.by_event_day.values(), self.setting.side_contracts)

    @property
    def cents(self) -> float:
        """Cents per quote-hour."""
        return self.total.cents_per_quote_hour(self.setting.side_contracts)


ByModel = Mapping[str, Outcome]


@dataclass(frozen=True)
class Result:
    """All that was replayed over one recording; the strategies that were asked for come first."""

    tape: Tape
    known: Mapping[str, ByMinute]
    strategies: Mapping[str, ByModel]


def models_for(tape: Tape) -> Sequence[FillModel]:
    """The fill models that the recording has the figures for."""
    return [model for model in MODELS if tape.sized or not model.needs_sizes]


def replay(tape: Tape, asked: Sequence[str], raw: Raw, progress: Progress) -> Result:
    """The strategies asked for, with these keys, and the baselines. Raises ConfigInvalid."""
    known = situations(tape)
    with registered(tape):
        settings = [*(setting_for(tape, name, raw) for name in asked), *baselines(raw)]
        return Result(
            tape, known, {made.strategy: outcomes(tape, made, known, progress) for made in settings}
        )


def outcomes(
    tape: Tape, made: Setting, known: Mapping[str, ByMinute], progress: Progress
) -> dict[str, Outcome]:
    """One strategy by fill model."""
    found = {}
    for model in models_for(tape):
        progress(made.strategy, model.name)
        found[model.name] = outcome_of(tape, made, play(tape, made, model, known))
    return found


def outcome_of(tape: Tape, made: Setting, played: Played) -> Outcome:
    """What a finished replay came to."""
    given = scored(tape, played.days)
    return Outcome(made, played, given, together(given, given.scores), event_days(tape, given))
