"""Rows of one key add, whatever their order."""

from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.row_sums import added
from dora.core.units import Count, Money

ROWS = st.lists(
    st.builds(
        ProfitRow,
        day=st.sampled_from(["2026-11-20", "2026-11-21"]),
        ticker=st.sampled_from(["A", "B"]),
        strategy=st.just("reservation"),
        session_id=st.just("s"),
        fills=st.integers(0, 3),
        traded=st.integers(0, 9).map(Count),
        realised=st.integers(-9, 9).map(Money),
        rewards_estimated=st.integers(0, 9).map(Money),
    ),
    max_size=12,
)


@given(ROWS, st.integers(0, 12))
def test_sums_of_sums_are_the_sum(rows: list[ProfitRow], at: int) -> None:
    halves = [*added(rows[:at]).values(), *added(rows[at:]).values()]
    assert added(halves) == added(rows) == added(reversed(rows))
    for key, row in added(rows).items():
        own = [one for one in rows if one.key == key]
        assert row.realised == sum(one.realised for one in own)
        assert row.rewards_estimated == sum(one.rewards_estimated for one in own)
        assert not row.empty
