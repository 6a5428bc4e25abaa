"""Scenarios 63 and 88: positions that no fill of ours explains, from before the bot or behind its back."""

from typing import Any

import pytest

from tests.battery.ending_markets import A, B
from tests.battery.scene import fill, scene
from tests.simulator.model import leg_price_e4
from tests.support.small_world import broken, set_book
from tests.world import config_items
from tests.world.stored_books import StoredBooks


def moved(stage: Any, ticker: str, side: str, price_e4: int, count_e2: int) -> None:
    """The account's position changes, and no list of fills will ever say why."""
    account, now_ms = stage.world.member.accounts[0], stage.world.clock.now_ms()
    account.position(ticker).trade(side, price_e4, count_e2)
    account.stamp_position(ticker, now_ms)


def books(stage: Any) -> StoredBooks:
    found = stage.world.bot.books()
    assert found is not None
    return found


def sound(stage: Any) -> None:
    """All but I9: the exchange's fills do not tell of these contracts."""
    assert [text for text in broken(stage.world) if not text.startswith("I9 ")] == []


def theirs(stage: Any, ticker: str) -> tuple[int, int]:
    own = stage.world.member.accounts[0].positions[ticker]
    return own.position_e2, own.cost_e6


def ours(stage: Any, ticker: str) -> tuple[int, int]:
    own = books(stage).ledgers.get(ticker)
    return (own.net, own.cost) if own else (0, 0)


def nets(stage: Any, event_type: str) -> list[tuple[str, str, str]]:
    return [(fact["market"], fact["ours"], fact["theirs"]) for fact in stage.seen.facts(event_type)]


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_scenario_88_a_bot_takes_over_what_its_account_held_at_the_exchange_s_cost(side: str) -> None:
    with scene() as stage:
        moved(stage, A, side, 4_000, 700)
        stage.run(3)
        net = "7.00" if side == "bid" else "-7.00"

        assert nets(stage, "POSITION_DRIFT") == [(A, "0.00", net)]
        assert nets(stage, "POSITION_ADJUSTED") == [(A, "0.00", net)]
        assert [fact["opening"] for fact in stage.seen.facts("POSITION_ADJUSTED")] == [True]
        assert ours(stage, A) == theirs(stage, A) == (int(float(net) * 100), 700 * leg_price_e4(side, 4_000))
        own = books(stage).ledgers[A]
        assert (own.realised, own.fees, own.fills, own.unexplained) == (0, 0, 0, 0)
        sound(stage)


@pytest.mark.parametrize("price_e4", [9_900, 100])
def test_scenario_88_what_was_lost_or_earned_before_is_no_loss_of_the_day(price_e4: int) -> None:
    """Taken over in mid-day: the day's limit is neither reached by it nor pushed out."""
    with scene(globals={**config_items.GLOBAL, "max_daily_loss_dollars": 2}) as stage:
        stage.run(1)
        moved(stage, A, "bid", price_e4, 700)
        answers = stage.run(3)

        assert {answer["status"] for answer in answers} == {"completed"}
        assert stage.seen.facts("RISK_HALT") == []
        sound(stage)


@pytest.mark.parametrize(("after", "price_e4"), [(17, 9_900), (18, 100)])
def test_scenario_88_nor_where_the_cycle_dies_beside_its_commit(after: int, price_e4: int) -> None:
    """Between the entry and the commit the day's beginning lacks it; before memory is left it holds it."""
    with scene(globals={**config_items.GLOBAL, "max_daily_loss_dollars": 2}) as stage:
        stage.run(1)
        moved(stage, A, "bid", price_e4, 700)
        stage.run(1)
        assert stage.dies(after)
        assert ours(stage, A) == theirs(stage, A)
        assert len(stage.seen.facts("CYCLE")) == 2
        stage.run(2)

        assert stage.seen.facts("RISK_HALT") == []
        sound(stage)


def test_scenario_88_what_is_sold_of_it_is_earned_against_that_cost() -> None:
    with scene() as stage:
        moved(stage, A, "bid", 4_000, 700)
        stage.run(3)
        fill(stage.world, A, "ask", 300)
        set_book(stage.world, A)
        stage.run(1)
        own = books(stage).ledgers[A]

        assert ours(stage, A) == theirs(stage, A)
        assert own.realised == stage.world.member.accounts[0].positions[A].realized_e6 > 0
        sound(stage)


def test_scenario_88_trades_by_hand_are_booked_as_such() -> None:
    with scene() as stage:
        stage.run(1)
        exchange = stage.world.exchange
        exchange.member_order(stage.world.member, B, "bid", 4_700, 200, time_in_force="immediate_or_cancel")
        (answer,) = stage.run(1)

        assert answer["drift"] == 0
        assert ours(stage, B) == theirs(stage, B)
        assert {row.strategy for row in books(stage).rows} == {"external"}
        assert stage.seen.facts("POSITION_ADJUSTED") == []


def test_scenario_63_drift_heals_by_an_entry_and_a_later_fill_books_on_top() -> None:
    with scene() as stage:
        stage.run(2)
        fill(stage.world, A, "bid", 300)
        set_book(stage.world, A)
        stage.run(2)
        moved(stage, A, "bid", 4_000, 200)
        answers = stage.run(3)
        fill(stage.world, A, "ask", 100)
        set_book(stage.world, A)
        answers += stage.run(2)

        assert [answer["drift"] for answer in answers] == [1, 0, 0, 0, 0]
        assert nets(stage, "POSITION_ADJUSTED") == [(A, "3.00", "5.00")]
        assert [fact["opening"] for fact in stage.seen.facts("POSITION_ADJUSTED")] == [False]
        assert ours(stage, A) == theirs(stage, A) == (400, ours(stage, A)[1])
        assert books(stage).ledgers[A].unexplained == 200
        sound(stage)
