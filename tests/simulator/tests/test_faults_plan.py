"""A plan of faults is a value: printed, read back, drawn from a seed, shortened to what matters."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.fault_aim import Aim
from tests.simulator.fault_draw import Rates, draw
from tests.simulator.fault_plan import Fault, FaultPlan, shortest

LOSE = Fault(kind="lose-answer", where="POST *", at_ms=60_000, for_ms=60_000, times=1)


@given(seed=st.integers(0, 1000), minutes=st.integers(0, 30))
def test_a_printed_plan_reads_back_as_itself(seed: int, minutes: int) -> None:
    plan = draw(seed, minutes, Rates(percent=5), tickers=("A", "B"), shards=(0, 1))

    assert FaultPlan.parse(plan.text()) == plan


def test_a_seed_draws_one_plan_and_another_seed_another() -> None:
    first, again, other = (draw(seed, 200, Rates()) for seed in (1, 1, 2))

    assert first == again
    assert first.faults != other.faults


def test_each_kind_begins_in_its_share_of_the_minutes() -> None:
    plan = draw(3, 5_000, Rates(percent=2, own={"kill": 5, "blank": 0}), tickers=("A",))
    begun = Counter(fault.kind for fault in plan.faults)

    assert "blank" not in begun
    assert 200 < begun["kill"] < 300
    assert all(60 < count < 140 for kind, count in begun.items() if kind != "kill")


def test_a_failing_plan_is_shortened_to_the_faults_that_make_it_fail() -> None:
    plan = draw(5, 60, Rates(percent=5))
    guilty = {plan.faults[7], plan.faults[40]}

    short = shortest(plan, lambda tried: guilty <= set(tried.faults))

    assert set(short.faults) == guilty
    assert short.seed == plan.seed


def aim(*faults: Fault, now: list[int]) -> Aim:
    made = Aim({"lose-answer"}, lambda: now[0], Counter())
    made.load(FaultPlan(faults, 1))
    return made


def test_a_fault_strikes_in_its_time_only_and_as_often_as_it_says() -> None:
    now = [0]
    script = aim(LOSE, now=now)
    struck = []
    for now[0] in (0, 59_999, 60_000, 60_001, 119_999, 120_000):
        struck.append(script.at(["POST /orders"], "POST /orders") is not None)

    assert struck == [False, False, True, False, False, False]


def test_a_share_strikes_about_so_many_requests_whatever_their_order_of_arrival() -> None:
    names = [f"GET /orders/{number}" for number in range(1_000)]
    fault = Fault(kind="lose-answer", share=5)
    forward, backward = (
        {name for name in order if script.at([name], name)}
        for script, order in ((aim(fault, now=[0]), names), (aim(fault, now=[0]), names[::-1]))
    )

    assert forward == backward
    assert 25 < len(forward) < 80
