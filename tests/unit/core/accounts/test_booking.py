"""Fills in any order and dated entries: nothing counted twice, nothing lost."""

from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.booking import RECENT, PositionEntry, before_entry, book_fill, enter_position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.exchange.account import Fill
from dora.core.units import Count, Money, TimeMs
from tests.support.account_cases import FLAT, ask, bid, booked, entry, histories
from tests.support.examples import NOW, cents, contracts, dollars


def figures(ledger: MarketLedger) -> tuple[int, ...]:
    return (ledger.net, ledger.cash, ledger.cost, ledger.fees, ledger.traded, ledger.volume, ledger.fills)


def test_a_round_trip_earns_the_spread_less_fees() -> None:
    held = booked([bid("0.44", "10", "0.01")])
    assert (held.net, held.cost, held.realised, held.fees) == (
        contracts("10"),
        dollars("4.40"),
        0,
        dollars("0.01"),
    )
    assert held.unrealised(cents("0.46")) == dollars("0.20")
    assert held.movement == dollars("-4.41")

    flat = book_fill(held, ask("0.46", "10", "0.02", after_ms=1))
    assert (flat.net, flat.cost, flat.realised, flat.fees) == (0, 0, dollars("0.20"), dollars("0.03"))
    assert flat.movement == flat.profit(cents("0.01")) == dollars("0.17")
    assert (flat.fills, flat.traded, flat.volume) == (2, contracts("20"), dollars("9.80"))
    assert flat.filled_ms == NOW + 1


def test_buying_no_while_long_yes_pays_pairs_out_and_opens_the_rest() -> None:
    turned = booked([bid("0.40", "10"), ask("0.60", "30", after_ms=1)])
    assert (turned.net, turned.cost, turned.realised) == (contracts("-20"), dollars("8"), dollars("2"))
    assert turned.movement == dollars("-6")


@given(histories(RECENT), st.randoms(use_true_random=False))
def test_fills_that_are_listed_late_leave_the_same_books(fills: list[Fill], chance: Any) -> None:
    shuffled = [*fills]
    chance.shuffle(shuffled)
    assert booked(shuffled) == booked(fills)


def test_a_fill_later_than_all_kept_events_still_leaves_cash_and_position_exact() -> None:
    fills = [bid("0.40", "1", after_ms=n) if n % 2 else ask("0.43", "1", after_ms=n) for n in range(60)]
    in_time, late = booked(fills), booked([*fills[1:], fills[0]])
    assert (late.net, late.cash, late.fees) == (in_time.net, in_time.cash, in_time.fees)
    assert len(late.recent) == RECENT
    assert late.profit(cents("0.5")) == in_time.profit(cents("0.5"))


def test_an_entry_takes_the_exchange_s_position_over_at_its_cost_and_earns_nothing() -> None:
    after = enter_position(booked([bid("0.40", "10")]), entry("25", "11", after_ms=5))
    assert (after.net, after.cost, after.realised) == (contracts("25"), dollars("11"), 0)
    assert (after.brought, after.unexplained) == (dollars("7"), contracts("15"))
    assert after.movement == dollars("-4")
    assert after.adjusted_ms == NOW + 5


def test_a_short_position_is_taken_over_without_any_movement_of_cash() -> None:
    after = enter_position(FLAT, entry("-30", "16.8", opening=True))
    assert (after.net, after.cost, after.realised, after.movement) == (
        contracts("-30"),
        dollars("16.8"),
        0,
        0,
    )
    assert after.unexplained == 0


def test_a_fill_older_than_the_entry_explains_it_and_a_later_one_is_booked() -> None:
    entered = enter_position(booked([bid("0.40", "10")]), entry("15", "6.25", after_ms=5))
    explained = book_fill(entered, bid("0.45", "5", "0.01", after_ms=5))
    assert (explained.net, explained.cost, explained.brought) == (contracts("15"), dollars("6.25"), 0)
    assert (explained.unexplained, explained.fees) == (0, dollars("0.01"))
    assert explained.movement == dollars("-6.26")

    later = book_fill(explained, bid("0.45", "5", after_ms=6))
    assert (later.net, later.cost) == (contracts("20"), dollars("8.5"))


def test_an_entry_is_explained_by_fills_of_both_sides() -> None:
    entered = enter_position(FLAT, entry("3", "1.2", after_ms=5))
    half = book_fill(entered, ask("0.50", "2", after_ms=4))
    assert (half.net, half.unexplained) == (contracts("3"), contracts("5"))
    whole = book_fill(half, bid("0.40", "5", after_ms=3))
    assert (whole.net, whole.unexplained, whole.brought) == (contracts("3"), 0, 0)
    assert whole.realised == dollars("0.2")


def test_a_fill_older_than_an_opening_is_part_of_it() -> None:
    opened = enter_position(FLAT, entry("10", "4", after_ms=5, opening=True))
    assert book_fill(opened, bid("0.40", "10", "0.05", after_ms=5)) == opened


@given(histories(6), st.data())
def test_after_an_entry_fills_that_were_missing_restore_the_books_as_if_it_had_never_been(
    fills: list[Fill], data: st.DataObject
) -> None:
    missing = data.draw(st.lists(st.sampled_from(fills), unique=True) if fills else st.just([]))
    right = booked(fills)
    at_ms = TimeMs(NOW + 60_000)
    stated = PositionEntry(ticker=FLAT.ticker, shard=0, net=right.net, cost=right.cost, at_ms=at_ms)
    known = booked([one for one in fills if one not in missing])
    entered = enter_position(known, stated)
    assert (entered.net, entered.cost, entered.realised) == (right.net, right.cost, known.realised)
    assert entered.movement == known.movement

    healed = booked(missing, entered)
    assert (healed.brought, healed.unexplained) == (0, 0)
    assert figures(healed) == figures(right)


def test_every_order_of_three_fills_and_an_entry_ends_alike() -> None:
    fills = [bid("0.40", "10", after_ms=1), ask("0.55", "4", after_ms=2), bid("0.30", "3", after_ms=9)]
    events: list[Fill | PositionEntry] = [*fills, entry("6", "2.4", after_ms=5)]
    ends = set()
    for order in permutations(events):
        ledger = FLAT
        for one in order:
            ledger = enter_position(ledger, one) if isinstance(one, PositionEntry) else book_fill(ledger, one)
        ends.add(ledger._replace(unexplained=Count(0), brought=Money(0)))
    (end,) = ends
    assert (end.net, end.realised) == (contracts("9"), dollars("0.6"))


@given(histories(largest=4), histories(largest=4), st.integers(-500, 500), st.integers(0, 10**8))
def test_what_an_entry_brought_in_can_be_told_apart_from_fills_before_and_after_it(
    earlier: list[Fill], later: list[Fill], net: int, cost: int
) -> None:
    late = [own._replace(fill_id=f"late{n}", at_ms=TimeMs(own.at_ms + 90_000)) for n, own in enumerate(later)]
    stated = PositionEntry(
        ticker=FLAT.ticker, shard=0, net=Count(net), cost=Money(cost), at_ms=TimeMs(NOW + 50_000)
    )
    entered = booked(late, enter_position(booked(earlier), stated))

    without = before_entry(entered, stated.net, stated.cost)

    assert without is not None
    assert without.position == booked(late, booked(earlier)).position
    assert before_entry(entered, Count(net + 1), stated.cost) is None
