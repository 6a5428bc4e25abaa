"""What a program is worth: the cases worked by hand, and what holds for any outlook."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.incentives.score import paid
from dora.core.incentives.worth import Outlook, believed, cost, floor_size, projected, value, worth
from dora.core.units import CONTRACT, Count, Money
from tests.support.examples import contracts, dollars

DAY_MS = 86_400_000
LARGEST = contracts("500")
ENTRY = dollars("0.50")


def daily(pool: str, others: str, sides: int = 2, **more: object) -> Outlook:
    given: dict[str, object] = {"left_ms": DAY_MS, "loss": dollars("0.0165"), **more}
    return Outlook(dollars(pool), DAY_MS, others=(contracts(others),) * sides, **given)  # type: ignore[arg-type]


def test_25_dollars_a_day_beside_312_pay_from_20_contracts_on_and_leave_84_cents() -> None:
    outlook = daily("25", "312")
    assert floor_size(outlook, LARGEST) == contracts("20")
    expected = projected(outlook, contracts("20"))
    assert (expected, cost(outlook, contracts("20"))) == (dollars("1.506024"), dollars("0.66"))
    assert dollars("0.84") <= expected - cost(outlook, contracts("20")) < dollars("0.85")
    assert worth(outlook, LARGEST).gain >= ENTRY


@pytest.mark.parametrize(("pool", "others"), [("10", "312"), ("23", "1000")])
def test_10_dollars_beside_312_and_23_beside_1000_are_worth_no_size(pool: str, others: str) -> None:
    outlook = daily(pool, others)
    sizes = range(CONTRACT, contracts("2000"), CONTRACT)
    assert max(value(outlook, size) - cost(outlook, size) for size in sizes) < 0
    assert worth(outlook, contracts("2000")).gain < 0


@pytest.mark.parametrize("outlook", [daily("25", "312", sides=1), daily("25", "312", left_ms=DAY_MS // 2)])
def test_one_side_or_half_the_period_needs_43_contracts(outlook: Outlook) -> None:
    assert floor_size(outlook, LARGEST) == contracts("43")


def test_with_a_dollar_banked_every_contract_is_paid_and_what_is_banked_keeps_nobody() -> None:
    rich, poor = daily("25", "312", banked=dollars("1")), daily("10", "312", banked=dollars("1"))
    assert floor_size(rich, LARGEST) == CONTRACT
    assert value(rich, contracts("20")) == dollars("1")  # 1 + 0.67 x 1.506, less the dollar, in whole cents
    assert worth(rich, LARGEST).gain >= ENTRY
    assert worth(poor, LARGEST).gain < 0


def test_below_the_cliff_there_is_nothing_and_no_size_where_the_largest_is_not_paid() -> None:
    outlook = daily("25", "312")
    assert (value(outlook, contracts("19")), value(outlook, contracts("20"))) == (0, dollars("1"))
    nothing = worth(outlook, contracts("19"))
    assert (nothing.size, nothing.value, nothing.floor) == (0, 0, contracts("20"))


def test_what_an_account_may_get_bounds_the_size() -> None:
    free, capped = worth(daily("25", "312"), LARGEST), worth(daily("25", "312", most=dollars("2")), LARGEST)
    assert capped.size < free.size
    assert value(daily("25", "312", most=dollars("2")), LARGEST) == dollars("2")


def test_looks_that_do_not_count_and_absence_cost_what_they_take() -> None:
    whole, part = daily("25", "312"), daily("25", "312", counted=0.5, presence=0.5)
    assert projected(part, 2_000) == projected(whole, 2_000) // 4


@dataclass(frozen=True)
class Case:
    outlook: Outlook
    most: Count


@st.composite
def cases(draw: st.DrawFn) -> Case:
    outlook = Outlook(
        pool=Money(draw(st.integers(1, 500_000_000))),
        period_ms=DAY_MS,
        left_ms=draw(st.integers(0, DAY_MS)),
        others=tuple(draw(st.lists(st.integers(0, 500_000), min_size=1, max_size=2))),
        banked=Money(draw(st.integers(0, 5_000_000))),
        counted=draw(st.sampled_from([0.1, 0.9, 1.0])),
        most=draw(st.sampled_from([None, Money(3_000_000)])),
        loss=Money(draw(st.integers(0, 50_000))),
    )
    return Case(outlook, Count(draw(st.integers(1, 60)) * CONTRACT))


@given(cases())
def test_no_other_size_leaves_more_but_for_the_cents_that_are_cut(case: Case) -> None:
    outlook, found = case.outlook, worth(case.outlook, case.most)
    sizes = range(CONTRACT, case.most + 1, CONTRACT)
    paying = [size for size in sizes if paid(believed(outlook, size), outlook.most) > 0]
    assert found.floor == (paying[0] if paying else case.most + CONTRACT)
    if paying:
        best = max(value(outlook, size) - cost(outlook, size) for size in paying)
        assert found.floor <= found.size <= case.most
        assert best - 20_002 <= found.gain <= best


@given(cases(), st.integers(0, 6_000), st.integers(0, 6_000))
def test_more_contracts_never_earn_less_and_never_cost_less(case: Case, one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert value(case.outlook, fewer) <= value(case.outlook, more)
    assert cost(case.outlook, fewer) <= cost(case.outlook, more)
