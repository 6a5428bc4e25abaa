"""Events with order groups of their own: a burst in all of them at once costs no more than was allowed."""

from hypothesis import given
from hypothesis import strategies as st

from dora.core.fallbacks import UNLEARNED
from dora.core.risk.event_brakes import EventNeed, admitted, event_burst_limit, most_groups
from dora.core.units import CONTRACT, Count, Money
from tests.support.examples import contracts, dollars

NONE = Count(0)
counts = st.integers(1, 1_000_000).map(Count)


def need(event: str, exposure: str = "0", *, limit: str = "9", sweep: str = "10") -> EventNeed:
    return EventNeed(event, contracts(limit), contracts(sweep), contracts(exposure))


needs = st.lists(
    st.builds(
        EventNeed,
        event=st.text("abcdef", min_size=1, max_size=4),
        limit=counts,
        sweep=counts,
        exposure=st.integers(0, 500_000).map(Count),
        grouped=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one.event,
)
caps = st.integers(0, 10**11).map(Money)


def test_a_limit_is_one_contract_below_the_smallest_quote() -> None:
    assert event_burst_limit(contracts("10"), NONE) == contracts("9")
    assert event_burst_limit(contracts("10.5"), NONE) == contracts("9")
    assert event_burst_limit(contracts("0.5"), NONE) == contracts("1")
    assert event_burst_limit(contracts("10"), contracts("30.7")) == contracts("30")


@given(smallest=counts, configured=st.integers(0, 1_000_000).map(Count))
def test_a_limit_is_whole_contracts_that_a_full_quote_reaches_and_passes(
    smallest: Count, configured: Count
) -> None:
    limit = event_burst_limit(smallest, configured)

    assert limit % CONTRACT == 0
    assert limit >= CONTRACT
    if not configured and smallest > CONTRACT:
        assert limit <= smallest - CONTRACT or limit == CONTRACT


def test_a_burst_costs_the_limit_and_one_sweep_at_a_dollar_a_contract() -> None:
    assert need("A").burst_loss == dollars("19")


def test_the_basic_tier_can_trigger_two_hundred_groups_the_sessions_own_among_them() -> None:
    assert most_groups(UNLEARNED, 0) == 200
    assert most_groups(UNLEARNED, 3) == 197
    assert most_groups(UNLEARNED._replace(write_rate=1), 3) == 0


def test_events_with_the_largest_exposure_are_admitted_first_then_those_that_have_a_group() -> None:
    grouped = need("D")._replace(grouped=True)
    ranked = [need("A"), need("B", "5"), need("C", "7"), grouped]

    assert [one.event for one in admitted(ranked, dollars("57"), 9)] == ["C", "B", "D"]
    assert [one.event for one in admitted(ranked, dollars("57"), 1)] == ["C"]


def test_an_event_that_does_not_fit_leaves_its_place_to_a_smaller_one() -> None:
    ranked = [need("A", "5", sweep="100"), need("B")]

    assert [one.event for one in admitted(ranked, dollars("20"), 9)] == ["B"]


@given(wanted=needs, cap=caps, most=st.integers(0, 40))
def test_all_admitted_events_together_stay_within_the_loss_and_the_number(
    wanted: list[EventNeed], cap: Money, most: int
) -> None:
    chosen = admitted(wanted, cap, most)

    assert sum(one.burst_loss for one in chosen) <= cap
    assert len(chosen) <= most
    assert len({one.event for one in chosen}) == len(chosen)


@given(wanted=needs, cap=caps, most=st.integers(0, 40))
def test_whoever_is_left_out_would_not_have_fitted_beside_those_with_more_exposure(
    wanted: list[EventNeed], cap: Money, most: int
) -> None:
    chosen = admitted(wanted, cap, most)

    for out in set(wanted) - set(chosen):
        before = [one for one in chosen if one.exposure >= out.exposure]
        assert len(before) == most or sum(one.burst_loss for one in before) + out.burst_loss > cap


@given(wanted=needs, cap=caps, most=st.integers(0, 40))
def test_the_order_in_which_events_are_named_does_not_matter(
    wanted: list[EventNeed], cap: Money, most: int
) -> None:
    assert admitted(wanted, cap, most) == admitted(wanted[::-1], cap, most)
