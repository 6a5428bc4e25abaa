"""What a cycle begins with: its right to write, its times, and what was loaded."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Limits
from dora.core.orders.journal import Journal
from dora.core.state import BotState, Configs, LeaseGrant, ReferenceData
from dora.core.units import TimeMs
from dora.flow.shared.fee_changes import NOTHING_READ, FeeChanges


class CycleContext(NamedTuple):
    """This cycle's right to write and its times, by our clock."""

    cycle_id: str
    grant: LeaseGrant
    began_ms: TimeMs
    deadline_ms: TimeMs
    calls_before: Counter[str]
    """The exchange client's count so far: a warm environment has served other cycles."""


class LoadedState(NamedTuple):
    """What was loaded: configs, state, and the journal with every cut-short plan folded in."""

    configs: Configs
    globals_: GlobalConfig
    """The built-in values where there is no valid GLOBAL item."""
    state: BotState
    limits: Limits
    """This bot's share of what the key may spend."""
    limits_learned_ms: int
    journal: Journal
    reference: ReferenceData
    wanted: Mapping[str, MarketConfig]
    events: tuple[EventGroup, ...] = ()
    """The order groups of single events, where there may be any."""
    fee_changes: FeeChanges = NOTHING_READ
    """What was announced when it was last read."""
    reads_percent: int = 0
    """Of the read bucket, what was spent when this cycle's reads of the account were reserved."""
