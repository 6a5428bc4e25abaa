"""Scenario 81: an hour in which every market moves every minute, on the smallest tier."""

from io import StringIO

import pytest

from tests.bench.case import MovingBook
from tests.bench.pacing import SIDES, Demand, longest_wait, moved_cycle, open_demand
from tests.world.output import printed_to
from tests.world.world import World

HOUR, WARM_UP = 60, 6
"""Cycles; in the first ones volatility is not known yet, and the first quotes are still being placed."""


def wrong_side(world: World, books: dict[str, MovingBook]) -> list[str]:
    """Quotes that would lose at the mid of the book."""
    found = []
    for ticker, book in books.items():
        bids, asks = book.sides()
        mid_e4 = (bids[0][0] + asks[0][0]) // 2
        found += [f"bid of {ticker}" for order in world.resting(ticker, "bid") if order.price_e4 >= mid_e4]
        found += [f"ask of {ticker}" for order in world.resting(ticker, "ask") if order.price_e4 <= mid_e4]
    return found


@pytest.mark.long
def test_scenario_81_an_hour_of_demand_above_the_budget_leaves_no_more_slots_empty() -> None:
    demand = Demand("basic", "50", cycles=HOUR)
    with printed_to(StringIO()), open_demand(demand) as world:
        world.start()
        books = {ticker: MovingBook(demand.seed, ticker) for ticker in world.setup.items}
        filled = []
        for _ in range(HOUR):
            filled.append(moved_cycle(world, books))
            assert not wrong_side(world, books)
        refused = sum(world.exchange.venue.stats.too_many_requests.values())
        assert not world.exchange.invariants.broken

    slots = [(ticker, side) for ticker in books for side in SIDES]
    empty = [len(slots) - len(own) for own in filled[WARM_UP:]]
    earlier, later = empty[: len(empty) // 2], empty[len(empty) // 2 :]
    fair_share = len(slots) / (sum(map(len, filled[WARM_UP:])) / len(filled[WARM_UP:]))
    assert refused == 0
    assert sum(later) / len(later) <= sum(earlier) / len(earlier) + 1
    assert longest_wait(filled[WARM_UP:], slots) <= 2 * fair_share
