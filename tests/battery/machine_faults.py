"""What a walk lets go wrong."""

from dataclasses import replace

from hypothesis import strategies as st

from tests.simulator.fault_draw import Rates, draw
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.soak.day import kinds
from tests.support.small_world import TICKERS
from tests.world.disruption import KILL
from tests.world.world import MINUTE_MS

KINDS = sorted(set(kinds()) - {KILL})
"""A kill is a step of its own."""


def one(kind: str, seed: int, minutes: int) -> Fault:
    """A fault of that kind, aimed by the seed; it strikes the next so many cycles."""
    (fault,) = draw(seed, 1, Rates(percent=100), tickers=TICKERS, shards=(0, 1, 2), kinds=[kind]).faults
    return replace(fault, for_ms=minutes * MINUTE_MS + MINUTE_MS // 2)


def faults(minutes: st.SearchStrategy[int]) -> st.SearchStrategy[list[Fault]]:
    """One or two of any kind."""
    drawn = st.builds(one, st.sampled_from(KINDS), st.integers(0, 99), minutes)
    return st.lists(drawn, min_size=1, max_size=2)


EXCHANGES = st.builds(
    Knobs,
    write_latency_ms=st.sampled_from([0, 40]),
    clock_skew_ms=st.sampled_from([20_000, 60_000]),
    client_id_scope=st.sampled_from(["ever", "open_only"]),
    refused_spends_client_id=st.booleans(),
    batch_reply=st.sampled_from(["request", "reversed", "shuffled"]),
    failed_entry_echoes_client_id=st.booleans(),
    fills_sorted=st.sampled_from(["descending", "ascending"]),
    min_ts_inclusive=st.booleans(),
    balance_counts_resting_as_spent=st.booleans(),
    post_only_cross_leaves_row=st.booleans(),
    killed_echoes_count=st.booleans(),
)
"""The exchange may be any of these."""
