"""The baselines quote as they are described, and are registered only while a recording is replayed."""

from typing import Any

import pytest

from dora.core.exchange.fees import FREE
from dora.core.exchange.market import Book, Level, Side
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import QuoteInputs, others_in
from dora.core.quoting.registry import STRATEGIES
from dora.core.reasons import Reason
from dora.core.units import Count, Price, TimeMs
from tests.replay.baselines import (
    OLDER,
    TOUCH,
    JoinTheTouch,
    OlderSystem,
    Touch,
    baselines,
    older_fair_value,
    registered,
)
from tests.replay.settings import setting
from tests.replay.tapes import TICKER, at, market, quote, tape_with, track_of, trade
from tests.simulator.tape import Print

TAPE = tape_with(track_of([quote(0, (40, 5), (50, 5))]))


def asked(bid: float, ask: float, net: int = 0, strategy: str = TOUCH) -> QuoteInputs:
    book = Book(
        TICKER,
        (Level(Price(round(bid * 100)), Count(5_000)),),
        (Level(Price(round(ask * 100)), Count(5_000)),),
    )
    with registered(TAPE):
        made = {item.strategy: item for item in baselines({})}[strategy]
        config = made.market_config(TICKER)
    return QuoteInputs(
        market=market(),
        config=config,
        book=book,
        own=(),
        others=book,
        net=Count(net * 100),
        fees=FREE,
        now_ms=TimeMs(at(3_600)),
    )


def quotes_of(targets: tuple[TargetOrder, ...]) -> dict[str, tuple[float, float]]:
    """(cents, contracts) by side."""
    return {str(t.slot.side): (t.price / 100, t.count / 100) for t in targets}


def touch_quotes(inputs: QuoteInputs) -> dict[str, tuple[float, float]]:
    return quotes_of(JoinTheTouch().quote(inputs, None)[0].targets)


def older_quotes(inputs: QuoteInputs, *prints: Print) -> dict[str, tuple[float, float]]:
    tape = tape_with(track_of([quote(0, (40, 5), (50, 5))], prints))
    return quotes_of(OlderSystem(tape).quote(inputs, None)[0].targets)


def test_joining_the_touch_is_the_best_price_of_others_on_both_sides() -> None:
    assert touch_quotes(asked(40, 50)) == {"bid": (40, 10), "ask": (50, 10)}


def test_our_own_quote_is_no_touch_to_join() -> None:
    inputs = asked(40, 50)
    assert inputs.book is not None
    book = Book(TICKER, (Level(Price(4_300), Count(1_000)), *inputs.book.bids), inputs.book.asks)
    own = ((Side.BID, Price(4_300), Count(1_000)),)
    ours = inputs._replace(book=book, own=own, others=others_in(book, own))
    assert touch_quotes(ours) == {"bid": (40, 10), "ask": (50, 10)}


@pytest.mark.parametrize(
    ("bid", "ask", "why"),
    [(1, 2, Reason.FAIR_VALUE_OUT_OF_RANGE), (30, 70, Reason.BOOK_TOO_WIDE), (50, 50, Reason.BOOK_CROSSED)],
)
def test_joining_the_touch_keeps_the_markets_bounds(bid: float, ask: float, why: Reason) -> None:
    assert JoinTheTouch().quote(asked(bid, ask), None)[0].skip is why


def test_the_older_system_stands_a_tick_inside_a_wide_book() -> None:
    assert older_quotes(asked(40, 50, strategy=OLDER)) == {"bid": (41, 10), "ask": (49, 10)}


@pytest.mark.parametrize(
    ("bid", "ask", "net", "wanted"),
    [
        # Six cents wide, its quotes would stand four apart: only the side that gets out.
        (40, 46, 0, {}),
        (40, 46, 20, {"ask": (45, 20)}),
        (40, 46, -20, {"bid": (41, 20)}),
        # Narrower: it joins, with the whole position.
        (40, 44, 30, {"ask": (44, 30)}),
        (40, 44, 0, {}),
        # Long: both sides come down, and neither is worse than the touch.
        (40, 50, 100, {"ask": (48, 100), "bid": (40, 0)}),
        (40, 50, 90, {"ask": (48, 90), "bid": (40, 5)}),
        (40, 50, -100, {"bid": (42, 100), "ask": (50, 0)}),
    ],
)
def test_the_older_systems_sides_and_sizes(
    bid: float, ask: float, net: int, wanted: dict[str, tuple[float, float]]
) -> None:
    found = older_quotes(asked(bid, ask, net, OLDER))
    assert found == {side: quote for side, quote in wanted.items() if quote[1]}


def test_the_older_system_never_passes_its_fair_value() -> None:
    late = trade(3_500, 43, 10, buys_yes=False)
    assert older_quotes(asked(40, 50, strategy=OLDER), late)["ask"] == (49, 10)
    early = trade(3_500, 40.5, 10, buys_yes=False)
    assert older_quotes(asked(40, 50, strategy=OLDER), early)["bid"] == (40, 10)


def test_the_older_systems_fair_value_weighs_size_by_its_root_and_age_by_half_days() -> None:
    touch, now_ms = Touch(Price(4_000), Price(5_000)), at(12 * 3_600)
    trades = [trade(0, 40, 4, buys_yes=True), trade(12 * 3_600, 46, 1, buys_yes=True)]
    # Weights: 2 x 1/2 and 1 x 1.
    assert older_fair_value(trades, touch, now_ms) == pytest.approx(4_300)
    assert older_fair_value((), touch, now_ms) == 4_500
    assert older_fair_value(trades[:1], touch, at(25 * 3_600)) == 4_000


def test_the_older_system_leaves_a_market_whose_trades_jump() -> None:
    jumping = [trade(3_000 + n, 30 + 30 * (n % 2), 1, buys_yes=True) for n in range(5)]
    tape = tape_with(track_of([quote(0, (40, 5), (50, 5))], jumping))
    assert OlderSystem(tape).quote(asked(40, 50, strategy=OLDER), None)[0].skip is Reason.TOO_FAST


def test_the_older_system_knows_no_trade_that_is_still_to_come() -> None:
    coming = [trade(3_601 + n, 30 + 30 * (n % 2), 1, buys_yes=True) for n in range(5)]
    tape = tape_with(track_of([quote(0, (40, 5), (50, 5))], coming))
    assert OlderSystem(tape).quote(asked(40, 50, strategy=OLDER), None)[0].skip is None


def test_baselines_are_registered_for_the_time_of_a_replay() -> None:
    before = dict(STRATEGIES)
    with registered(TAPE):
        assert {TOUCH, OLDER} <= STRATEGIES.keys()
    assert before == STRATEGIES


def test_baselines_obey_what_is_set_for_every_market_and_ignore_a_strategys_own_settings() -> None:
    raw = {"quote_size": "20", "min_half_spread_dollars": "0.02", "max_event_loss_dollars": "5"}
    with registered(TAPE):
        touch, older = baselines(raw)
        assert touch.market_config(TICKER).quote_size == 2_000
    assert (touch.side_contracts, older.side_contracts) == (20, 10)
    assert touch.global_config().max_event_loss == older.global_config().max_event_loss == 5_000_000
    own: Any = setting("reservation", raw).market_config(TICKER).settings
    assert own.min_half_spread == 200
