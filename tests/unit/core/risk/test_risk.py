"""No set of fills breaks a cap, compared with brute force over every set of fills and every outcome."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState
from dora.core.orders.requests import TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.event_risk import EventRisk
from dora.core.risk.facts import RiskFacts, RiskResult
from dora.core.units import ONE_DOLLAR, Count, Money, Price, value_of
from tests.reference import caps as reference
from tests.reference.caps import worst_cases
from tests.reference.worst_case import (
    Loss,
    MarketWorst,
    PotentialFill,
    at_worst,
    event_loss,
    fill_loss,
    held_loss,
)
from tests.support.examples import (
    EVENT,
    TICKER,
    cents,
    contracts,
    dollars,
    event,
    limits,
    target,
)
from tests.support.risk_cases import (
    MAKER_FEES,
    OTHER,
    THIRD,
    TICKERS,
    external,
    facts,
    kept,
    order,
    position,
    situations,
)


def sorted_result(result: RiskResult) -> RiskResult:
    """The result with what was kept by slot."""
    return result._replace(kept=tuple(sorted(result.kept)))


BID, ASK = Slot(TICKER, Side.BID), Slot(TICKER, Side.ASK)


# --- one cap at a time ----------------------------------------------------------------------------


def test_harmless_targets_pass_whole() -> None:
    wanted = [target(Side.BID, "0.45", "10"), target(Side.ASK, "0.55", "10")]
    result = apply_caps(wanted, facts())
    assert kept(result) == {BID: contracts("10"), ASK: contracts("10")}
    assert (result.cut, result.refused) == ((), ())
    assert result.total_loss == dollars("4.50")
    assert result.event_losses[EVENT] == dollars("4.50")


@pytest.mark.parametrize(
    ("net", "size", "why"),
    [("90", "10", None), ("93.50", "6", "cut"), ("99.50", None, "refused"), ("140", None, "refused")],
)
def test_the_position_cap_cuts_to_whole_contracts(net: str, size: str | None, why: str | None) -> None:
    held = facts(positions={TICKER: position(net, "0")})
    result = apply_caps([target(Side.BID, "0.45", "10")], held)
    assert kept(result) == ({BID: contracts(size)} if size else {})
    assert result.cut == (((BID, Reason.POSITION_CAP),) if why == "cut" else ())
    assert result.refused == (((BID, Reason.POSITION_CAP),) if why == "refused" else ())


@pytest.mark.parametrize("state", [OrderState.PENDING_NEW, OrderState.PENDING_CHANGE, OrderState.NOT_FOUND])
def test_an_unproven_order_adds_to_its_slot(state: OrderState) -> None:
    stuck = order(Side.BID, "0.44", "95", state=state)
    result = apply_caps([target(Side.BID, "0.45", "10")], facts(orders=(stuck,)))
    assert kept(result) == {BID: contracts("5")}


def test_a_live_order_and_its_replacement_count_once_at_the_larger() -> None:
    live = order(Side.BID, "0.44", "95")
    held = facts(orders=(live,), positions={TICKER: position("5", "0")})
    assert kept(apply_caps([target(Side.BID, "0.45", "10")], held)) == {BID: contracts("10")}


def test_orders_by_hand_count_too() -> None:
    result = apply_caps([target(Side.BID, "0.45", "10")], facts(external=(external(Side.BID, "0.30", "97"),)))
    assert kept(result) == {BID: contracts("3")}


def test_fills_that_are_certain_but_not_booked_count_as_held() -> None:
    filled = order(Side.BID, "0.44", "96", state=OrderState.CLOSED, remaining=Count(0))
    result = apply_caps([target(Side.BID, "0.45", "10")], facts(orders=(filled,)))
    assert kept(result) == {BID: contracts("4")}
    assert result.event_losses[EVENT] == dollars("44.04")


@pytest.mark.parametrize(("gap", "bid", "ask"), [("97", "3", "10"), ("-97", "10", "3")])
def test_both_counts_of_a_position_in_doubt_keep_the_cap(gap: str, bid: str, ask: str) -> None:
    wanted = [target(Side.BID, "0.55", "10"), target(Side.ASK, "0.60", "10")]
    result = apply_caps(wanted, facts(drift={TICKER: contracts(gap)}))
    assert kept(result) == {BID: contracts(bid), ASK: contracts(ask)}
    assert result.event_losses[EVENT] >= dollars("97")


def test_the_way_out_stays_open_above_every_cap() -> None:
    full = facts(
        positions={TICKER: position("500", "-400")},
        limits=limits(max_event_loss=dollars("1"), max_total_loss=dollars("1"), cash_reserve=dollars("100")),
        cash={0: dollars("5")},
    )
    wanted = [target(Side.BID, "0.45", "10"), target(Side.ASK, "0.55", "10")]
    result = apply_caps(wanted, full)
    assert kept(result) == {ASK: contracts("10")}
    assert result.refused == ((BID, Reason.POSITION_CAP),)


def test_the_event_cap_cuts_the_last_contract_that_does_not_fit() -> None:
    tight = facts(limits=limits(max_event_loss=dollars("3")))
    result = apply_caps([target(Side.BID, "0.45", "10")], tight)
    assert kept(result) == {BID: contracts("6")}
    assert result.cut == ((BID, Reason.EVENT_CAP),)
    assert result.event_losses[EVENT] == dollars("2.70")


@pytest.mark.parametrize("cap", ["max_event_loss", "max_total_loss"])
def test_a_loss_cap_is_reached_exactly_and_never_passed(cap: str) -> None:
    wanted = [target(Side.BID, "0.45", "10")]
    room = {"max_event_loss": dollars("100"), "max_total_loss": dollars("100")}
    at = apply_caps(wanted, facts(limits=limits(**{**room, cap: dollars("4.50")})))
    under = apply_caps(wanted, facts(limits=limits(**{**room, cap: dollars("4.499999")})))
    assert (kept(at), kept(under)) == ({BID: contracts("10")}, {BID: contracts("9")})


def test_the_total_cap_spans_events_and_the_better_edge_goes_first() -> None:
    tight = facts(limits=limits(max_event_loss=dollars("100"), max_total_loss=dollars("6")))
    wanted = [
        target(Side.BID, "0.50", "10", edge=100),
        target(Side.BID, "0.50", "10", ticker=THIRD, edge=200),
    ]
    result = apply_caps(wanted, tight)
    assert kept(result) == {Slot(THIRD, Side.BID): contracts("10"), BID: contracts("2")}
    assert result.cut == ((BID, Reason.TOTAL_CAP),)
    assert result.total_loss == dollars("6")


def test_only_one_market_of_an_exclusive_event_can_resolve_yes() -> None:
    wanted = [target(Side.ASK, "0.60", "10"), target(Side.ASK, "0.60", "10", ticker=OTHER)]
    apart = apply_caps(wanted, facts())
    joint = apply_caps(wanted, facts(events={EVENT: event(exclusive=True)}))
    assert apart.event_losses[EVENT] == dollars("8")
    # Both asks in full: 12 received, at most one pays 10 back; alone, one ask loses 4 and the other nothing.
    assert joint.event_losses[EVENT] == dollars("4")


def test_bids_on_every_outcome_of_an_exclusive_event_can_all_lose() -> None:
    wanted = [target(Side.BID, "0.30", "10"), target(Side.BID, "0.40", "10", ticker=OTHER)]
    joint = apply_caps(wanted, facts(events={EVENT: event(exclusive=True)}))
    assert joint.event_losses[EVENT] == dollars("7")


def test_settled_positions_hold_no_risk() -> None:
    paid = facts(positions={TICKER: position("0", "-90", settled=True)})
    assert apply_caps([], paid).total_loss == 0


def test_a_sure_win_in_one_event_pays_for_no_risk_in_another() -> None:
    won = facts(
        positions={TICKER: position("0", "500")},
        limits=limits(max_event_loss=dollars("100"), max_total_loss=dollars("1")),
    )
    result = apply_caps([target(Side.BID, "0.50", "10", ticker=THIRD)], won)
    assert kept(result) == {Slot(THIRD, Side.BID): contracts("2")}


def test_maker_fees_are_part_of_the_loss() -> None:
    result = apply_caps([target(Side.BID, "0.50", "10")], facts(fees={TICKER: MAKER_FEES}))
    assert result.total_loss == dollars("5.04375")


@pytest.mark.parametrize(
    ("net", "bid", "ask"), [("0", "10", "2"), ("20", "10", "10"), ("5", "7", "10"), ("-5", "10", "7")]
)
def test_cash_pays_bids_and_asks_but_not_what_closes_a_position(net: str, bid: str, ask: str) -> None:
    # Three dollars are free, and a contract takes 25 cents on either side.
    poor = facts(positions={TICKER: position(net, "0")}, cash={0: dollars("4")}, limits=limits())
    wanted = [target(Side.BID, "0.25", "10", edge=2), target(Side.ASK, "0.75", "10", edge=1)]
    assert kept(apply_caps(wanted, poor)) == {BID: contracts(bid), ASK: contracts(ask)}


def test_the_cash_that_is_listed_still_has_what_live_orders_hold() -> None:
    live = order(Side.BID, "0.45", "10")
    held = facts(orders=(live,), cash={0: dollars("4.53")}, limits=limits())
    held = held._replace(limits=replace(held.limits, cash_reserve=Money(0)))
    assert kept(apply_caps([target(Side.BID, "0.45", "10")], held)) == {BID: contracts("10")}
    assert kept(apply_caps([target(Side.BID, "0.46", "10")], held)) == {BID: contracts("9")}
    assert kept(apply_caps([target(Side.ASK, "0.98", "10")], held)) == {ASK: contracts("1")}


def test_cash_that_orders_hold_in_a_market_that_is_not_known_is_not_spent_again() -> None:
    by_hand = external(Side.BID, "0.40", "20", "KXBYHAND")
    held = facts(external=(by_hand,), cash={0: dollars("11.25")})
    assert kept(apply_caps([target(Side.BID, "0.45", "10")], held)) == {BID: contracts("5")}


def test_an_order_of_unknown_fate_needs_its_cash() -> None:
    lost = order(Side.BID, "0.45", "10", state=OrderState.PENDING_NEW)
    result = apply_caps([target(Side.ASK, "0.55", "10")], facts(orders=(lost,), cash={0: dollars("7.30")}))
    assert kept(result) == {ASK: contracts("4")}
    assert result.cut == ((ASK, Reason.CASH),)


def test_cash_of_another_shard_is_of_no_use() -> None:
    elsewhere = facts(cash={1: dollars("1000")})
    result = apply_caps([target(Side.BID, "0.45", "10")], elsewhere)
    assert result.refused == ((BID, Reason.READ_UNKNOWN),)


def test_open_orders_are_counted_with_those_that_are_replaced_once() -> None:
    live = order(Side.BID, "0.44", "10")
    few = facts(orders=(live,), limits=limits(max_open_orders=1))
    result = apply_caps([target(Side.BID, "0.45", "10"), target(Side.ASK, "0.55", "10")], few)
    assert kept(result) == {BID: contracts("10")}
    assert result.refused == ((ASK, Reason.OPEN_ORDER_CAP),)


# --- several levels a side ------------------------------------------------------------------------


def ladder(side: Side, *prices: str, ticker: str = TICKER) -> list[TargetOrder]:
    """Levels of ten contracts, inner first; the further out, the more a fill earns."""
    return [
        target(side, price, "10", ticker=ticker, level=level, edge=100 * (level + 1))
        for level, price in enumerate(prices)
    ]


def sizes(result: RiskResult) -> list[str]:
    """Kept sizes of the bids in whole contracts, inner first."""
    found = {(one.slot.level, one.slot.ticker): one.count // 100 for one in result.kept}
    return [f"{size}" for _, size in sorted(found.items())]


@pytest.mark.parametrize(
    ("changes", "left", "why"),
    [
        ({"positions": {TICKER: position("85", "-30")}}, ["10", "5"], Reason.POSITION_CAP),
        ({"positions": {TICKER: position("90", "-30")}}, ["10"], Reason.POSITION_CAP),
        ({"limits": limits(max_event_loss=dollars("6"))}, ["10", "3"], Reason.EVENT_CAP),
        ({"limits": limits(max_total_loss=dollars("6"))}, ["10", "3"], Reason.TOTAL_CAP),
        ({"cash": {0: dollars("7")}}, ["10", "3"], Reason.CASH),
        ({"limits": limits(max_open_orders=1)}, ["10"], Reason.OPEN_ORDER_CAP),
    ],
)  # fmt: skip
def test_every_cap_counts_all_levels_and_cuts_the_outer_one(
    changes: dict[str, Any], left: list[str], why: Reason
) -> None:
    result = apply_caps(ladder(Side.BID, "0.45", "0.44"), facts(**changes))
    assert sizes(result) == left
    assert result.cut + result.refused == ((Slot(TICKER, Side.BID, 1), why),)


def test_the_inner_levels_of_all_markets_come_before_any_outer_one() -> None:
    tight = facts(limits=limits(max_event_loss=dollars("100"), max_total_loss=dollars("9.88")))
    wanted = ladder(Side.BID, "0.45", "0.44") + ladder(Side.BID, "0.45", "0.44", ticker=THIRD)
    assert kept(apply_caps(wanted, tight)) == {
        BID: contracts("10"),
        Slot(THIRD, Side.BID): contracts("10"),
        Slot(TICKER, Side.BID, 1): contracts("2"),
    }


def test_a_level_that_still_rests_holds_its_room_until_its_cancel_is_confirmed() -> None:
    """The inner level filled, and the outer one may fill before it is gone."""
    outer = order(Side.BID, "0.44", "10", level=1)
    held = facts(orders=(outer,), positions={TICKER: position("90", "-40")})
    result = apply_caps([target(Side.BID, "0.45", "10")], held)
    assert result.refused == ((BID, Reason.POSITION_CAP),)


def test_each_level_counts_its_own_live_order_and_target_once() -> None:
    live = (order(Side.BID, "0.44", "10"), order(Side.BID, "0.43", "10", level=1))
    held = facts(orders=live, positions={TICKER: position("80", "-30")}, limits=limits(max_open_orders=2))
    assert sizes(apply_caps(ladder(Side.BID, "0.45", "0.44"), held)) == ["10", "10"]


# --- targets that never leave ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"price": Price(0)}, Reason.TARGET_INVALID),
        ({"price": ONE_DOLLAR}, Reason.TARGET_INVALID),
        ({"price": Price(-300)}, Reason.TARGET_INVALID),
        ({"price": Price(4_550)}, Reason.TARGET_INVALID),
        ({"price": 4_500.0}, Reason.TARGET_INVALID),
        ({"price": float("nan")}, Reason.TARGET_INVALID),
        ({"count": Count(0)}, Reason.TARGET_INVALID),
        ({"count": Count(-100)}, Reason.TARGET_INVALID),
        ({"count": Count(10**11)}, Reason.TARGET_INVALID),
        ({"count": float("nan")}, Reason.TARGET_INVALID),
        ({"count": 1_000.0}, Reason.TARGET_INVALID),
        ({"slot": Slot("KXNOWHERE", Side.BID)}, Reason.MARKET_UNKNOWN),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(changes: dict[str, Any], why: Reason) -> None:
    wanted = target(Side.BID, "0.45", "10")._replace(**changes)
    result = apply_caps([wanted], facts())
    assert (result.kept, result.refused) == ((), ((wanted.slot, why),))


def test_a_market_without_config_is_refused() -> None:
    result = apply_caps([target(Side.BID, "0.45", "10")], facts(configs={}))
    assert result.refused == ((BID, Reason.MARKET_DISABLED),)


def test_a_second_target_for_a_slot_is_refused() -> None:
    result = apply_caps([target(Side.BID, "0.45", "10"), target(Side.BID, "0.44", "5")], facts())
    assert (len(result.kept), result.refused) == (1, ((BID, Reason.TARGET_INVALID),))


@pytest.mark.parametrize(
    "standing",
    [
        {"orders": (order(Side.ASK, "0.45", "1"),)},
        {"orders": (order(Side.ASK, "0.44", "1", level=-1),)},
        {"orders": (order(Side.ASK, "0.45", "1", state=OrderState.PENDING_NEW, order_id=None),)},
        {"external": (external(Side.ASK, "0.45", "1"),)},
    ],
)
def test_a_bid_never_meets_an_ask_of_our_own_account(standing: dict[str, Any]) -> None:
    result = apply_caps([target(Side.BID, "0.45", "10")], facts(**standing))
    assert result.refused == ((BID, Reason.SELF_CROSS),)


def test_of_two_targets_that_cross_the_better_stays() -> None:
    wanted = [target(Side.BID, "0.50", "10", edge=1), target(Side.ASK, "0.50", "10", edge=2)]
    result = apply_caps(wanted, facts())
    assert kept(result) == {ASK: contracts("10")}
    assert result.refused == ((BID, Reason.SELF_CROSS),)


# --- brute force ----------------------------------------------------------------------------------


def _subsets(claims: Sequence[PotentialFill]) -> Iterator[tuple[PotentialFill, ...]]:
    return chain.from_iterable(combinations(claims, size) for size in range(len(claims) + 1))


def _fill_sets(worst: MarketWorst) -> Iterator[tuple[PotentialFill, ...]]:
    """Every set of fills of one market: of each slot some of its live orders, or its target."""
    slots = worst.live.keys() | worst.targets.keys()
    choices: list[list[tuple[PotentialFill, ...]]] = [list(_subsets((*worst.firm, *worst.drift)))]
    for slot in slots:
        options = list(_subsets(worst.live.get(slot, ())))
        if slot in worst.targets:
            options.append((worst.targets[slot],))
        choices.append(options)
    for picked in product(*choices):
        yield tuple(chain.from_iterable(picked))


def _profit(worst: MarketWorst, fills: Iterable[PotentialFill], resolves_yes: bool) -> int:
    """Profit of one market, from the definition: what came in, less fees, plus what the position pays."""
    net, came_in = int(worst.net), -worst.held.no
    for fill in fills:
        came_in -= fill.side.sign * value_of(fill.price, fill.count) + fill.fee
        net += fill.side.sign * fill.count
    return came_in + (ONE_DOLLAR * net if resolves_yes else 0)


def _brute_event_loss(markets: Mapping[str, MarketWorst], exclusive: bool) -> int:
    tickers = list(markets)
    most = 1 if exclusive else len(tickers)
    worst = 0
    for winners in chain.from_iterable(combinations(tickers, n) for n in range(most + 1)):
        least = sum(
            min(_profit(markets[t], fills, t in winners) for fills in _fill_sets(markets[t])) for t in tickers
        )
        worst = max(worst, -least)
    return worst


def _after(result: RiskResult, given_facts: RiskFacts) -> dict[str, MarketWorst]:
    """The worst cases with the kept targets in their slots."""
    worst = worst_cases(given_facts)
    alone = worst_cases(given_facts._replace(positions={}, orders=(), external=(), drift={}))
    assert all(market_worst == MarketWorst() for market_worst in alone.values())
    for wanted in result.kept:
        fees = given_facts.fees.get(wanted.slot.ticker)
        rate = fees.maker_rate_e8 if fees else 0
        fee = -(-rate * wanted.count * wanted.price * (ONE_DOLLAR - wanted.price) // 10**12)
        claim = PotentialFill(wanted.slot.side, wanted.price, wanted.count, Money(fee))
        worst[wanted.slot.ticker] = worst[wanted.slot.ticker].with_target(wanted.slot, claim)
    return worst


def _of_event(worst: Mapping[str, MarketWorst]) -> dict[str, MarketWorst]:
    return {ticker: worst[ticker] for ticker in TICKERS}


@given(situations())
def test_no_set_of_fills_and_no_outcome_loses_more_than_the_caps(
    situation: tuple[list[TargetOrder], RiskFacts],
) -> None:
    wanted, given_facts = situation
    exclusive = given_facts.events[EVENT].exclusive
    before = _brute_event_loss(_of_event(worst_cases(given_facts)), exclusive)

    result = apply_caps(wanted, given_facts)

    loss = _brute_event_loss(_of_event(_after(result, given_facts)), exclusive)
    assert result.event_losses[EVENT] == loss
    assert loss <= max(given_facts.limits.max_event_loss, before)
    assert result.total_loss <= max(given_facts.limits.max_total_loss, before)


@given(situations())
def test_no_set_of_fills_passes_the_largest_position(situation: tuple[list[TargetOrder], RiskFacts]) -> None:
    wanted, given_facts = situation
    before = worst_cases(given_facts)
    result = apply_caps(wanted, given_facts)
    for ticker, worst in _of_event(_after(result, given_facts)).items():
        nets = {worst.net + sum(fill.side.sign * fill.count for fill in fills) for fills in _fill_sets(worst)}
        cap = given_facts.configs[ticker].max_position
        assert max(nets) == worst.most(Side.BID) <= max(cap, before[ticker].most(Side.BID))
        assert -min(nets) == worst.most(Side.ASK) <= max(cap, before[ticker].most(Side.ASK))


def _reserve(net: int, claims: Sequence[PotentialFill]) -> int:
    """What an exchange holds for resting orders when the best-priced ones close the position first."""
    held = 0
    for side in Side:
        mine = sorted((c for c in claims if c.side is side), key=lambda c: -side.sign * c.price)
        closable = max(-side.sign * net, 0)
        for claim in mine:
            closing = min(closable, claim.count)
            closable -= closing
            unit = claim.price if side is Side.BID else ONE_DOLLAR - claim.price
            held += unit * (claim.count - closing)
    return held


@given(situations())
def test_no_choice_of_resting_orders_needs_more_cash_than_is_counted(
    situation: tuple[list[TargetOrder], RiskFacts],
) -> None:
    wanted, given_facts = situation
    worst = _after(apply_caps(wanted, given_facts), given_facts)
    for market_worst in worst.values():
        sets = _fill_sets(replace(market_worst, drift=()))
        assert all(_reserve(market_worst.net, fills) <= market_worst.cash for fills in sets)


@given(situations())
def test_all_cash_needs_together_stay_within_what_is_listed(
    situation: tuple[list[TargetOrder], RiskFacts],
) -> None:
    wanted, given_facts = situation
    before, result = worst_cases(given_facts), apply_caps(wanted, given_facts)
    after = _after(result, given_facts)
    held = sum(before[ticker].cash for ticker in TICKERS)
    needed = sum(after[ticker].cash for ticker in TICKERS)
    assert needed <= max(given_facts.cash[0] - given_facts.limits.cash_reserve, held)


@given(situations())
def test_open_orders_stay_within_their_cap(situation: tuple[list[TargetOrder], RiskFacts]) -> None:
    wanted, given_facts = situation
    result = apply_caps(wanted, given_facts)
    before = sum(worst.open_orders for worst in worst_cases(given_facts).values())
    after = sum(worst.open_orders for worst in _after(result, given_facts).values())
    assert after <= max(given_facts.limits.max_open_orders, before)


@given(situations())
def test_every_target_is_answered_once_and_none_grows(situation: tuple[list[TargetOrder], RiskFacts]) -> None:
    wanted, given_facts = situation
    result = apply_caps(wanted, given_facts)
    asked = {one.slot: one for one in wanted}
    assert sorted([*kept(result), *(slot for slot, _ in result.refused)]) == sorted(asked)
    cut = dict(result.cut)
    for one in result.kept:
        assert one._replace(count=asked[one.slot].count) == asked[one.slot]
        assert (one.count < asked[one.slot].count) == (one.slot in cut)
        assert one.slot not in cut or one.count % 100 == 0


@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_the_facts_does_not_matter(
    situation: tuple[list[TargetOrder], RiskFacts], chance: Any
) -> None:
    wanted, given_facts = situation
    shuffled = [*wanted]
    chance.shuffle(shuffled)
    turned = given_facts._replace(
        orders=given_facts.orders[::-1],
        positions=dict(reversed(given_facts.positions.items())),
        markets=dict(reversed(given_facts.markets.items())),
    )
    assert sorted_result(apply_caps(shuffled, turned)) == sorted_result(apply_caps(wanted, given_facts))


@given(situations())
def test_nothing_that_is_kept_crosses_anything_of_our_own(
    situation: tuple[list[TargetOrder], RiskFacts],
) -> None:
    wanted, given_facts = situation
    result = apply_caps(wanted, given_facts)
    standing = worst_cases(given_facts)
    for one in result.kept:
        worst = standing[one.slot.ticker]
        others = [claim for claims in worst.live.values() for claim in claims]
        rest = [
            PotentialFill(x.slot.side, x.price, x.count)
            for x in result.kept
            if x.slot.ticker == one.slot.ticker
        ]
        for claim in (*worst.firm, *others, *rest):
            if claim.side is not one.slot.side:
                assert one.slot.side.sign * (claim.price - one.price) > 0


@given(situations())
def test_a_second_pass_over_what_was_kept_changes_nothing(
    situation: tuple[list[TargetOrder], RiskFacts],
) -> None:
    wanted, given_facts = situation
    once = apply_caps(wanted, given_facts)
    again = apply_caps(once.kept, given_facts)
    assert kept(again) == kept(once)
    assert (again.cut, again.refused) == ((), ())


# --- the pieces -----------------------------------------------------------------------------------


def test_a_fill_loses_its_price_or_the_rest_to_a_dollar() -> None:
    assert fill_loss(PotentialFill(Side.BID, cents("0.45"), contracts("10"))) == Loss(-5_500_000, 4_500_000)
    assert fill_loss(PotentialFill(Side.ASK, cents("0.45"), contracts("10"))) == Loss(5_500_000, -4_500_000)


def test_the_worst_of_two_sides_is_never_the_sum_of_both() -> None:
    pair = [
        PotentialFill(Side.BID, cents("0.45"), contracts("10")),
        PotentialFill(Side.ASK, cents("0.55"), contracts("10")),
    ]
    assert at_worst(pair) == Loss(4_500_000, 4_500_000)


def test_a_flat_position_loses_what_it_lost() -> None:
    assert held_loss(Count(0), dollars("-3")) == Loss(3_000_000, 3_000_000)


def test_an_empty_event_loses_nothing() -> None:
    assert event_loss([], exclusive=True) == event_loss([], exclusive=False) == 0


# --- the fast way and the obvious one --------------------------------------------------------------------


@settings(max_examples=400)
@given(situations(), st.none() | st.integers(-500, 9_000))
def test_running_sums_give_what_summing_everything_gives(
    situation: tuple[list[TargetOrder], RiskFacts], contracts_free: int | None
) -> None:
    wanted, given_facts = situation
    free = None if contracts_free is None else Count(contracts_free)
    given_facts = given_facts._replace(contracts_free=free)
    fast, obvious = apply_caps(wanted, given_facts), reference.apply_caps(wanted, given_facts)
    assert sorted_result(fast) == sorted_result(obvious)


@given(situations(), st.sampled_from([None, "7"]))
def test_an_odd_value_costs_the_same_market_either_way(
    situation: tuple[list[TargetOrder], RiskFacts], odd: object
) -> None:
    wanted, given_facts = situation
    spoilt = tuple(
        order._replace(price=odd) if order.slot.ticker == TICKER else order for order in given_facts.orders
    )
    given_facts = given_facts._replace(orders=spoilt)
    fast, obvious = apply_caps(wanted, given_facts), reference.apply_caps(wanted, given_facts)
    assert fast.failed.keys() == obvious.failed.keys()
    if not fast.failed:
        assert sorted_result(fast) == sorted_result(obvious)


LOSSES = st.tuples(st.integers(-5, 5), st.integers(-5, 5))


@given(
    st.booleans(),
    st.lists(LOSSES, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), LOSSES, st.booleans()), max_size=8),
)
def test_the_running_loss_of_an_event_is_the_loss_of_all_its_markets(
    exclusive: bool, markets: list[tuple[int, int]], changes: list[tuple[int, tuple[int, int], bool]]
) -> None:
    running, losses = EventRisk(exclusive=exclusive), dict[str, Loss]()
    for number, (yes, no) in enumerate(markets):
        losses[str(number)] = Loss(yes, no)
        running.add(str(number), yes, no)
        assert running.loss == event_loss(losses.values(), exclusive=exclusive)
    for number, (yes, no), stays in changes:
        ticker = str(number % len(markets))
        after = losses | {ticker: Loss(yes, no)}
        assert running.loss_with(ticker, yes, no) == event_loss(after.values(), exclusive=exclusive)
        if stays:
            losses = after
            running.update(ticker, yes, no)
            assert running.loss == event_loss(losses.values(), exclusive=exclusive)
