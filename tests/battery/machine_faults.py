"""What a walk lets go wrong, and what it holds back."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.simulator.fault_draw import Rates, draw
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.soak.day import kinds
from tests.unit.small_world import TICKERS
from tests.world.disruption import KILL
from tests.world.world import MINUTE_MS

BLANK_AFTER_UNANSWERED = "lists come back blank, with 200, while a create is unanswered"
STAMP_AHEAD_OF_OLD_READS = "reads stand still or lag under a stamp that runs ahead"
RENAMED_BY_HAND = "an order of ours is amended by hand under another client order id"
HELD_BACK: Collection[str] = (BLANK_AFTER_UNANSWERED, STAMP_AHEAD_OF_OLD_READS, RENAMED_BY_HAND)
"""What walks leave out: take one out of here once the product holds it, and walks go there too."""

OLD_READS = ("freeze-reads", "lag", "lag-shard")
ORDERS = "GET /portfolio/orders"
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


def held_back(plan: Sequence[Fault], *, unanswered: bool) -> bool:
    """Whether this is a combination that the product does not hold yet."""
    struck = {fault.kind for fault in plan}
    blank = any(fault.kind == "blank" and fault.where == ORDERS for fault in plan)
    return (BLANK_AFTER_UNANSWERED in HELD_BACK and blank and unanswered) or (
        STAMP_AHEAD_OF_OLD_READS in HELD_BACK and "stamp-ahead" in struck and not struck.isdisjoint(OLD_READS)
    )


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
)
"""The exchange may be any of these."""
