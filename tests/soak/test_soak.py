"""Scenario 54: virtual time under all faults, beside a twin; and what the soak itself must be able to see."""

import re
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest

from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange
from tests.simulator.fault_draw import Rates, draw
from tests.simulator.fault_plan import Fault, FaultPlan
from tests.simulator.fault_script import FaultScript
from tests.simulator.fault_stage import STAGE_KINDS
from tests.simulator.invariants import Breach
from tests.simulator.knobs import Knobs
from tests.simulator.model import Event
from tests.simulator.plant import Plant
from tests.soak.day import LEVELS, START_MS, Day, Outcome, kinds, play
from tests.soak.faulty_bot import MemoryDisruption
from tests.soak.quoting import Quoting, compare
from tests.soak.report import LEAST_RATIO, passed, summarize
from tests.soak.seeds import SeedResult, run_seed, run_seeds
from tests.soak.shorten import shorten
from tests.soak.witness import LOOKED_AFTER_MS, Sample, Seen, Witness
from tests.world.cloud_faults import KINDS as CLOUD_KINDS
from tests.world.disruption import KILL
from tests.world.world import open_world

SHORT = Day(seed=1, minutes=60, markets=6)


def unheard(_: int) -> None:
    """Nobody watches the progress."""


@pytest.fixture(scope="module")
def soaked() -> SeedResult:
    return run_seed(SHORT, unheard, shorten_s=0)


def test_scenario_54_an_hour_under_all_faults_breaks_nothing(soaked: SeedResult) -> None:
    assert soaked.outcome.broken == ()
    assert soaked.outcome.closed
    assert soaked.outcome.struck.total() > 20
    assert soaked.outcome.fills > 0
    assert soaked.quoting.ratio >= LEAST_RATIO


@pytest.mark.parametrize("group_by", ["shard", "event"])
def test_scenario_54_markets_that_are_quoted_for_a_reward_break_nothing_either(group_by: str) -> None:
    day = replace(SHORT, minutes=40, paid=True, group_by=group_by)
    outcome = play(day, day.plan(), unheard)
    paid = {program.ticker for program in day.programs()}

    assert outcome.broken == ()
    assert outcome.closed
    assert any(slot[0] in paid for sample in outcome.seen.samples for slot in sample.quoted)


def test_a_day_is_drawn_from_every_kind_of_every_layer() -> None:
    exchange = Exchange(clock=VirtualClock(START_MS), knobs=Knobs(), seed=1)
    layers = {*FaultScript(exchange).kinds, *STAGE_KINDS, *CLOUD_KINDS, KILL}

    assert set(kinds()) == layers - {"settle", "amend-settlement", "aws-refuse"}


@pytest.mark.parametrize(
    "kind", ["null-lists", "foreign-rows", "late-groups", "trickle", "dead-connections", "no-cash"]
)
def test_a_kind_strikes_a_day_of_its_own_and_breaks_nothing(kind: str) -> None:
    day = replace(SHORT, minutes=12)
    tickers = [spec.ticker for spec in day.setup().markets]
    outcome = play(day, draw(1, 12, Rates(percent=100), tickers=tickers, kinds=[kind]), unheard)

    assert outcome.struck.keys() == {kind}
    assert outcome.broken == ()
    assert outcome.closed


@pytest.mark.long
def test_the_same_plan_is_the_same_day_bit_for_bit(soaked: SeedResult) -> None:
    again = play(SHORT, FaultPlan.parse(SHORT.plan().text()), unheard)

    assert again.seen == soaked.outcome.seen
    assert again.seen.digest != play(SHORT, FaultPlan(), unheard).seen.digest


def test_a_breach_comes_with_the_shortest_list_of_faults_that_replays_it() -> None:
    day, culprit = replace(SHORT, minutes=8), Fault(kind="close", where="*", at_ms=180_000)
    first = Outcome(Seen(), broken=(Breach("I1", 200_000, "two orders"),))
    calm = Outcome(Seen())
    plan = FaultPlan((Fault(kind="slow"), culprit, Fault(kind="lag", at_ms=190_000)), seed=7)

    def player(_: Day, shorter: FaultPlan) -> Outcome:
        return first if culprit in shorter.faults else calm

    assert shorten(day, plan, first, 10, player) == (FaultPlan((culprit,), 7), first)


def test_only_what_the_rules_force_is_excused() -> None:
    slots = [(ticker, "bid", 1) for ticker in "ABCDEF"]
    twin = Outcome(Seen([Sample(90_000, frozenset(slots), frozenset())]))
    quoted, frozen = frozenset({("A", "bid", 1)}), frozenset({("B", "bid", 1)})
    bot = Outcome(Seen([Sample(90_000, quoted, frozen, {}, frozenset("F"))]))
    plan = FaultPlan((
        Fault(kind="pause-trading", where="2", for_ms=60_001),
        Fault(kind="close", where="D", at_ms=60_000),
        Fault(kind="close", where="E", for_ms=60_000),
    ))  # fmt: skip

    found = compare(twin, bot, plan, {"A": 0, "B": 0, "C": 2, "D": 1, "E": 1, "F": 1})

    assert found.missed == {"unanswered": 1, "paused": 1, "closed": 1, "resting": 1, "other": 1}
    assert (found.twin, found.quoted, found.forced, found.ratio, found.share) == (6, 1, 4, 0.5, 0.2)


def test_own_rests_are_excused_only_where_a_completed_cycle_decided_them() -> None:
    slots = frozenset((ticker, "bid", 0) for ticker in "ABCD")
    skips = {"A": "cool_off", "B": "too_fast", "C": "reward_gate"}
    twin = Outcome(Seen([Sample(at_ms, slots, frozenset()) for at_ms in (90_000, 150_000)]))
    bot = Outcome(Seen([Sample(at_ms, frozenset(), frozenset(), skips) for at_ms in (90_000, 150_000)]))
    bot.reasons[150_000 - LOOKED_AFTER_MS] = KILL

    found = compare(twin, bot, FaultPlan(), dict.fromkeys("ABCD", 0))

    assert found.aside == {"cool_off": 1, "reward_gate": 1}
    assert found.missed == {"other": 6}


def test_a_bot_that_stands_aside_for_hours_does_not_pass(soaked: SeedResult) -> None:
    aside = Quoting(100, 74, Counter(other=1), Counter(cool_off=25))

    assert aside.ratio > LEAST_RATIO
    assert not passed(summarize([replace(soaked, quoting=aside)], 1))


def test_a_bot_that_stands_still_does_not_pass(soaked: SeedResult) -> None:
    def passes(quoted: int, **missed: int) -> bool:
        return passed(summarize([replace(soaked, quoting=Quoting(100, quoted, Counter(missed)))], 1))

    assert passes(88, unanswered=10, other=2)
    assert not passes(88, unanswered=4, other=8)
    assert not passes(0, unanswered=100)


def test_an_order_without_a_durable_intent_is_a_breach() -> None:
    faults = MemoryDisruption()
    with open_world(SHORT.setup(), faults.deploy, faults.cloud) as world:
        witness = Witness(world, faults, until_ms=0)
        prefix = world.exchange.invariants.expectations.prefix
        world.exchange.venue.emit(Event(0, "order", client_order_id=f"{prefix}1"))
        world.exchange.venue.emit(Event(0, "order", client_order_id="somebody-else"))

        assert [breach.invariant for breach in world.exchange.invariants.broken] == ["I4"]
        assert (witness.seen.events, witness.seen.intents) == (2, 1)


@pytest.mark.parametrize(("planted", "invariant"), [("double-order", "I1"), ("skip-fill", "I9")])
def test_a_cheating_exchange_is_seen(planted: str, invariant: str) -> None:
    day = replace(SHORT, minutes=10, plant=Plant(planted, every=5))

    assert invariant in {breach.invariant for breach in play(day, FaultPlan(), unheard).broken}


def test_two_orders_at_one_level_are_a_breach_of_that_level() -> None:
    day = replace(SHORT, minutes=10, plant=Plant("double-order", every=5))
    texts = [breach.text for breach in play(day, FaultPlan(), unheard).broken]

    assert any(re.search(r"(bid|ask) [01]: 2 live orders, at most 1$", text) for text in texts)


def test_a_day_quotes_both_levels_of_both_sides(soaked: SeedResult) -> None:
    quoted = {slot for sample in soaked.outcome.seen.samples for slot in sample.quoted}

    assert {(side, level) for _, side, level in quoted} == set(product(("bid", "ask"), range(LEVELS)))
    assert soaked.outcome.settled > 0


@pytest.mark.long
def test_scenario_54_twelve_hours_under_all_faults_break_nothing() -> None:
    days = [Day(seed=seed, minutes=180, markets=20) for seed in range(11, 15)]
    results = list(run_seeds(days, processes=2, shorten_s=60, progress=unheard))
    summary = summarize(results, 1)

    assert summary["broken"] == 0, [result.shortest for result in results]
    assert summary["kinds_missing"] == []
    assert passed(summary), summary
