"""The incentive strategy: when it enters and leaves, where it rests, in which size, what it never does."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.calendar import format_time
from dora.core.config import MarketConfig
from dora.core.config_items import parse_market
from dora.core.exchange.book import without
from dora.core.exchange.market import Book, Side
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.incentives.programs import Reward
from dora.core.incentives.score import Terms
from dora.core.incentives.worth import LOSS_PRIOR
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.checked import checked
from dora.core.quoting.decision import Decision
from dora.core.quoting.reward_standing import recall_standing
from dora.core.quoting.strategies.incentive import Incentive, IncentiveSettings
from dora.core.quoting.strategy import StoredMemory
from dora.core.reasons import Reason
from dora.core.units import Count, Money, Price, TimeMs
from tests.support.examples import DECI_GRID, NOW, TICKER, book, cents, contracts, dollars, market
from tests.support.quoting_cases import MINUTE, Situation, inputs, situations

HOUR_MS = 60 * MINUTE
PROGRAM = IncentiveProgram(
    "program-1",
    TICKER,
    "liquidity",
    TimeMs(NOW - HOUR_MS),
    TimeMs(NOW + 23 * HOUR_MS),
    dollars("25"),
    contracts("300"),
    5_000,
)
FULL = book([("0.45", "100"), ("0.44", "250")], [("0.50", "20"), ("0.52", "400")])
"""References: the bid is the touch, the ask lies two ticks behind it. Others score 225 and 425."""
RULES = {"strategy": "incentive", "quote_size": "100", "max_position": "400", "warm_up_minutes": "0"}


def rules(**changes: str) -> MarketConfig:
    return parse_market("MARKET#T", TICKER, {"enabled": True, **RULES, **changes})


def reward(program: IncentiveProgram = PROGRAM, until_ms: int = PROGRAM.end_ms) -> Reward:
    return Reward(program, Terms(contracts("300"), 5_000), TimeMs(until_ms), LOSS_PRIOR)


class Watcher:
    """Look after look at one market, a minute apart, its memory carried along."""

    def __init__(self, **fixed: Any) -> None:
        self.fixed = {"book": FULL, "config": rules(), "reward": reward(), **fixed}
        self.now_ms, self.memory = NOW, None
        self.decision = Decision(TICKER)

    memory: StoredMemory | None

    def look(self, minutes: int = 1, **changes: Any) -> Decision:
        self.fixed |= changes
        for _ in range(minutes):
            self.now_ms = TimeMs(self.now_ms + MINUTE)
            asked = inputs(**self.fixed, now_ms=self.now_ms)
            self.decision, self.memory = checked(Incentive().quote(asked, self.memory), asked)
        return self.decision

    def entered(self) -> "Watcher":
        self.look(11)
        assert self.decision.targets
        return self


def quotes(decision: Decision) -> dict[Side, tuple[Price, Count]]:
    return {own.slot.side: (own.price, own.count) for own in decision.targets}


def test_it_enters_once_the_reward_has_been_worth_it_for_ten_minutes() -> None:
    watched = Watcher()
    assert watched.look(9).skip is Reason.REWARD_GATE  # Nine looks are not ten.
    assert watched.look().skip is Reason.REWARD_WAITING
    decision = watched.look()
    assert {side: price for side, (price, _) in quotes(decision).items()} == {
        Side.BID: cents("0.45"),
        Side.ASK: cents("0.52"),
    }
    assert decision.reward_value is not None and decision.reward_cost is not None
    assert decision.reward_value >= decision.reward_cost + dollars("0.50")
    assert decision.reward_rate > 0
    assert (decision.spread, decision.position) == (cents("0.05"), 0)


def test_it_starts_its_ten_minutes_anew_when_one_look_is_not_worth_it() -> None:
    watched = Watcher()
    watched.look(9)
    watched.look(reward=reward(PROGRAM._replace(reward=dollars("10"))))
    assert watched.look(9, reward=reward()).skip is Reason.REWARD_WAITING
    assert watched.look(2).targets


def test_a_poor_program_is_not_entered_however_long_it_runs() -> None:
    poor = reward(PROGRAM._replace(reward=dollars("10")))
    assert Watcher(reward=poor).look(30).skip is Reason.REWARD_TOO_LOW


def test_it_waits_until_others_alone_hold_the_target_in_nine_of_ten_looks() -> None:
    short = book([("0.45", "100"), ("0.44", "199")], [("0.50", "20"), ("0.52", "400")])
    watched = Watcher()
    watched.look(10)
    assert watched.look(2, book=short).skip is Reason.REWARD_GATE
    assert watched.look(8, book=FULL).skip is Reason.REWARD_GATE
    assert watched.look(12).targets


def test_it_leaves_after_three_looks_that_did_not_count() -> None:
    watched = Watcher().entered()
    short = book([("0.45", "100"), ("0.44", "150")], [("0.50", "20"), ("0.52", "400")])
    assert watched.look(2, book=short).targets
    assert watched.look().skip is Reason.REWARD_GATE


def test_it_leaves_a_losing_market_after_an_hour_whatever_is_banked() -> None:
    watched = Watcher().entered()
    assert watched.memory is not None
    watched.memory = {**watched.memory, "i_banked": 5_000_000}
    poor = reward(PROGRAM._replace(reward=dollars("5")))
    assert watched.look(60, reward=poor).targets
    assert watched.look().skip is Reason.REWARD_TOO_LOW


def test_it_leaves_after_an_hour_in_which_its_size_is_paid_nothing() -> None:
    watched = Watcher().entered()
    crowded = book([("0.45", "9000")], [("0.50", "9000")])
    assert watched.look(60, book=crowded).targets
    assert watched.look(11).skip is Reason.REWARD_TOO_LOW


def test_when_the_program_is_over_it_says_so_and_closes_what_it_holds() -> None:
    watched = Watcher().entered()
    assert watched.look(reward=None).skip is Reason.NO_PROGRAM
    decision = watched.look(net=contracts("7"))
    assert quotes(decision) == {Side.ASK: (cents("0.50"), contracts("7"))}
    assert (decision.spread, decision.position) == (cents("0.05"), contracts("7"))
    assert decision.dropped[0][1] is Reason.NO_PROGRAM
    assert quotes(watched.look(net=contracts("-3"))) == {Side.BID: (cents("0.45"), contracts("3"))}


def test_it_stays_where_it_is_while_its_weight_is_full_and_it_is_not_two_ticks_too_far_in() -> None:
    watched = Watcher().entered()
    lower = book([("0.45", "50"), ("0.44", "300")], [("0.50", "20"), ("0.52", "400")])
    lowest = book([("0.45", "50"), ("0.43", "300")], [("0.50", "20"), ("0.52", "400")])
    higher = book([("0.46", "60"), ("0.44", "300")], [("0.50", "20"), ("0.52", "400")])
    assert quotes(watched.look(book=lower))[Side.BID][0] == cents("0.45")
    assert quotes(watched.look(book=lowest))[Side.BID][0] == cents("0.43")
    assert quotes(watched.look(book=higher))[Side.BID][0] == cents("0.46")


def test_it_is_never_ahead_of_the_best_price_of_others() -> None:
    watched = Watcher().entered()
    gone = book([("0.44", "350")], [("0.50", "20"), ("0.52", "400")])
    assert quotes(watched.look(book=gone))[Side.BID][0] == cents("0.44")


def test_a_side_that_fair_value_fights_stands_aside_and_the_other_needs_more() -> None:
    both = Watcher().entered()
    # Fair value is drawn to 46 cents: an ask at 46 would earn nothing.
    fought = book([("0.45", "400")], [("0.46", "400")])
    decision = Watcher(book=fought, config=rules(min_edge_dollars="0.006")).look(11)
    assert decision.skip in (Reason.REWARD_TOO_LOW, Reason.NO_EDGE)
    lean = book([("0.45", "1000"), ("0.44", "10")], [("0.47", "100"), ("0.48", "300")])
    one_sided = Watcher(book=lean, config=rules(min_edge_dollars="0.01", quote_size="400")).look(11)
    assert set(quotes(one_sided)) <= {Side.BID, Side.ASK} and len(quotes(one_sided)) <= 1
    assert len(quotes(both.decision)) == 2


def test_a_side_that_fights_a_configured_fair_value_stands_aside() -> None:
    watched = Watcher().entered()
    known = {"fair_value_until": format_time(TimeMs(NOW + HOUR_MS)), "fair_value_gate_dollars": "0.05"}
    assert set(quotes(watched.look(config=rules(fair_value_dollars="0.40", **known)))) == set(Side)
    assert set(quotes(watched.look(config=rules(fair_value_dollars="0.39", **known)))) == {Side.ASK}


def test_what_a_limit_leaves_below_the_least_paid_size_is_not_quoted() -> None:
    watched = Watcher().entered()
    floor = watched.decision.reward_floor
    assert CONTRACTS <= floor < contracts("100")
    near = Count(contracts("400") - floor + 1)
    decision = watched.look(net=near)
    assert (decision.dropped[0][0].side, decision.dropped[0][1]) == (Side.BID, Reason.INCENTIVE_FLOOR)
    assert Side.ASK in quotes(decision)


CONTRACTS = contracts("1")


def test_what_is_banked_is_integrated_look_by_look_and_begun_anew_with_a_program() -> None:
    own = ((Side.BID, cents("0.45"), contracts("25")),)
    watched = Watcher(own=own)
    watched.look(3)
    assert watched.memory is not None
    # Of the bid's half: 25 of the 100 + 125 that count; two minutes, for the first look has no span.
    assert recall_standing(watched.memory).banked == 2 * (25_000_000 // 2 * 2_500 // 22_500 // 1_440)
    watched.look(reward=reward(PROGRAM._replace(program_id="program-2")))
    assert recall_standing(watched.memory).banked < 1_000


def test_grids_finer_than_a_cent_are_not_quoted_for_reward() -> None:
    assert Watcher(market=market(grid=DECI_GRID)).look(12).skip is Reason.GRID_TOO_FINE


def test_its_markets_have_settings_of_their_own_where_their_item_says_nothing() -> None:
    own, said = rules(), rules(refill_below_percent="30")
    assert (own.refill_below, own.price_tolerance_ticks, own.min_book_width) == (60, 0, 0)
    assert (own.min_price, own.max_price, said.refill_below) == (cents("0.05"), cents("0.90"), 30)
    assert parse_market("MARKET#T", TICKER, {}).refill_below == 25


@pytest.mark.parametrize("broken", [{"i_looks": "a:b"}, {"i_banked": -1}, {"i_banked": "1"}, {"i_looks": 3}])
def test_memory_that_is_not_understood_is_begun_anew(broken: dict[str, object]) -> None:
    assert recall_standing({"i_program": "p", **broken}) == recall_standing({})


@given(situations(most_levels=3), st.booleans(), st.integers(0, 4 * 10**8), st.data())
def test_whatever_it_sees_it_is_behind_others_within_its_size_and_earns_at_fair_value(
    situation: Situation, entered: bool, pool: int, data: st.DataObject
) -> None:
    asked, watched = situation
    program = PROGRAM._replace(reward=Money(pool), target=Count(data.draw(st.integers(1, 40_000))))
    assert program.target is not None
    own = replace(asked.config, settings=IncentiveSettings())
    asked = asked._replace(
        config=own, reward=Reward(program, Terms(program.target, 5_000), program.end_ms, LOSS_PRIOR)
    )
    memory = {
        **(watched or {}),
        "i_program": "program-1",
        "i_at_ms": NOW - MINUTE,
        "i_entered": int(entered),
        "i_looks": " ".join(["300:300"] * 10),
    }
    decision, after = checked(Incentive().quote(asked, memory), asked)
    assert Incentive().quote(asked, memory) == (decision, after)
    assert asked.book is not None
    others = without(asked.book, asked.own, 13)
    closing = not decision.reward_rate and bool(decision.targets) and not decision.reward_floor
    for target in decision.targets:
        assert _behind(target, others)
        assert target.edge >= own.min_edge
        assert closing or decision.reward_floor <= target.count


def _behind(target: TargetOrder, others: Book) -> bool:
    touch = others.bids if target.slot.side is Side.BID else others.asks
    return bool(touch) and (touch[0].price - target.price) * target.slot.side.sign >= 0
