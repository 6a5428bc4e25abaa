"""What a bot recorded with, market by market, as the settings of a replay, and what SET puts over them.

A recording bot may quote nothing, so every market that it wanted is quoted. Caps of loss are an account's:
like in any replay none holds unless it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dora.core.config import DEFAULT_STRATEGY, GlobalConfig, MarketConfig
from dora.core.config_fields import keys_of
from dora.core.config_items import parse_market
from dora.core.units import CONTRACT
from tests.replay.settings import Raw, Setting, flagged, setting
from tests.replay.tape import Archived, Tape

RECORDED = "recorded"
"""Stands for a strategy: whichever each market was recorded with."""


@dataclass(frozen=True, slots=True)
class RecordedSetting(Setting):
    """As recorded; `market` and `globals_` hold what was asked for instead."""

    recorded: Mapping[str, MarketConfig]
    recorded_global: GlobalConfig

    def market_config(self, ticker: str) -> MarketConfig:
        """One market's config. Raises ConfigInvalid."""
        own = self.recorded[ticker]
        raw = {key: flagged(value) for key, value in self.market.items()}
        asked = parse_market("SET", ticker, {**raw, "strategy": own.strategy})
        settings = _over(own.settings, asked.settings, raw)
        return replace(_over(own, asked, raw), enabled=True, record_only=False, settings=settings)

    def global_config(self) -> GlobalConfig:
        """The GLOBAL item: of the recorded one how long an order lives. Raises ConfigInvalid."""
        asked, recorded = Setting.global_config(self), self.recorded_global
        lives = {"order_life_s": recorded.order_life_s, "extend_expiry": recorded.extend_expiry}
        return replace(asked, **{key: own for key, own in lives.items() if key not in self.globals_})


def _over(recorded: Any, asked: Any, raw: Mapping[str, object]) -> Any:
    """The recorded value with those fields of the other that were asked for."""
    if recorded is None:
        return asked
    named = {key: spec.name for key, spec in keys_of(type(recorded)).items() if key in raw}
    return replace(recorded, **{name: getattr(asked, name) for name in named.values()})


def setting_for(tape: Tape, strategy: str, raw: Raw) -> Setting:
    """A strategy with these keys for this recording, or what it was recorded with. Raises ConfigInvalid."""
    if strategy != RECORDED or tape.archived is None:
        return setting(DEFAULT_STRATEGY if strategy == RECORDED else strategy, raw)
    return _recorded(tape.archived, raw)


def _recorded(archived: Archived, raw: Raw) -> RecordedSetting:
    asked = setting(DEFAULT_STRATEGY, {key: own for key, own in raw.items() if key in keys_of(GlobalConfig)})
    market = {key: own for key, own in raw.items() if key not in asked.globals_}
    made = RecordedSetting(RECORDED, market, asked.globals_, 0.0, archived.configs, archived.globals_)
    made.global_config()
    configs = [made.market_config(ticker) for ticker in archived.configs]
    sides = [own.quote_size * own.levels / CONTRACT for own in configs]
    return replace(made, side_contracts=sum(sides) / len(sides))


def told(result_names: Mapping[str, object], tape: Tape) -> str | None:
    """What the result says of the settings that it took over; None where it took none."""
    if RECORDED not in result_names or tape.archived is None:
        return None
    names = sorted({own.strategy for own in tape.archived.configs.values()})
    return (
        f"{RECORDED}: the settings of {len(tape.archived.configs)} markets as they were last recorded "
        f"({', '.join(names)}), and how long orders live; SET goes over them, caps of loss hold by SET alone."
    )
