"""Scenario 77: cancelling needs orders and books; nothing dangerous rests for want of anything else."""

from collections.abc import Callable

import pytest

from tests.battery.answers import Content, Retold
from tests.battery.scene import CANCEL, HOLD_CYCLES, SLOTS, Scene, fill, scene
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, resting, set_book
from tests.world import config_items

A, B, C = TICKERS
MINUTE_MS, WIDTH_E4 = 60_000, 300
RISEN_E4, FALLEN_E4 = 4_600, 4_200
"""The best bid of books whose middle has passed our asks, or our bids, and which meet none of them."""
UNREADABLE = (
    "/portfolio/balance",
    "/portfolio/order_groups",
    "/portfolio/positions",
    "/portfolio/fills",
    "/exchange/status",
    "/exchange/user_data_timestamp",
)
ORDERS = "GET /portfolio/orders"
BOOKS = "GET /markets/orderbooks"


def show(stage: Scene, bid_e4: int, tickers: tuple[str, ...] = TICKERS) -> None:
    """The others' books, away from our quotes and never through them."""
    for ticker in tickers:
        set_book(stage.world, ticker, bid_e4, bid_e4 + WIDTH_E4)


def dangerous(stage: Scene, bid_e4: int) -> list[tuple[str, str, int]]:
    """Our resting orders whose fill would lose money at the middle of that book."""
    fair_e4 = bid_e4 + WIDTH_E4 // 2
    return [
        (ticker, side, price_e4)
        for (ticker, side), orders in resting(stage.world).items()
        for price_e4, _ in orders
        if (price_e4 > fair_e4 if side == "bid" else price_e4 < fair_e4)
    ]


def looked_at(stage: Scene, bid_e4: int) -> dict[str, object]:
    """One cycle over books that have moved to there."""
    show(stage, bid_e4)
    answer: dict[str, object] = stage.world.cycle()
    assert not broken(stage.world), broken(stage.world)
    return answer


@pytest.mark.parametrize("read", UNREADABLE)
def test_scenario_77_nothing_dangerous_rests_while_a_read_fails_and_books_move(read: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="lose-answer", where=f"GET {read}"))
        sent = stage.world.exchange.stats.orders
        for bid_e4 in (RISEN_E4, RISEN_E4, FALLEN_E4, FALLEN_E4):
            answer = looked_at(stage, bid_e4)
            assert (answer["reason"], answer["placed"]) == ("read_unknown", 0)
            assert not dangerous(stage, bid_e4)
            assert bool(resting(stage.world)) is (bid_e4 == RISEN_E4), "what is not dangerous stays"

        assert stage.world.exchange.stats.orders == sent
        assert stage.world.exchange.stats.cancels_404 == 0
        assert not resting(stage.world)
        stage.faults.clear()
        stage.world.clock.advance_ms(11 * 60_000)
        stage.run(HOLD_CYCLES)
        stage.sound()


def test_scenario_77_a_partly_read_order_list_suffices_to_cancel_what_it_shows() -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="fail-page", where=ORDERS, amount=SLOTS - 1))
        answer = looked_at(stage, RISEN_E4)

        assert (answer["reason"], answer["placed"]) == ("read_unknown", 0)
        assert int(str(answer["cancelled"])) >= 2
        assert len(dangerous(stage, RISEN_E4)) <= 1


def test_scenario_77_a_partly_read_order_list_suffices_for_a_halt() -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="fail-page", where=ORDERS, amount=SLOTS - 1))
        stage.world.session("session_halt")
        answer = stage.world.cycle()

        assert (answer["reason"], answer["cancelled"]) == ("halted", SLOTS - 1)
        assert len(resting(stage.world)) == 1


def test_scenario_77_one_row_that_cannot_be_read_keeps_no_other_from_being_cancelled() -> None:
    with scene() as stage:
        stage.run(1)
        (odd,) = stage.world.resting(A, "bid")

        def spoil(content: Content) -> None:
            for row in content["orders"]:
                if row["order_id"] == odd.id:
                    row["status"] = "paused"

        Retold(stage, ORDERS, spoil)
        answer = looked_at(stage, RISEN_E4)

        assert answer["placed"] == 0
        assert not dangerous(stage, RISEN_E4)


def test_scenario_77_with_the_groups_unknown_nothing_is_cancelled_that_a_trigger_may_have_taken_off() -> None:
    """The watch has triggered every group; the reads are older than that, and the groups do not answer."""
    with scene() as stage:
        stage.run(1)
        stage.world.clock.advance_ms(4 * MINUTE_MS)
        assert stage.world.session("session_watch")["status"] == "triggered"
        stage.faults.now(
            Fault(kind="lose-answer", where="GET /portfolio/order_groups"),
            Fault(kind="lag", where="orders", amount=3 * MINUTE_MS),
        )
        answer = stage.world.cycle()

        assert (answer["reason"], answer["cancelled"]) == ("session_not_active", 0)
        assert stage.world.exchange.stats.cancels_404 == 0


def unread_stamp(stage: Scene, *more: Fault) -> None:
    stage.faults.now(Fault(kind="lose-answer", where="GET /exchange/user_data_timestamp"), *more)


def test_scenario_77_with_groups_and_the_stamp_unreadable_at_once_what_is_dangerous_goes() -> None:
    """No latch: no trigger can have taken anything off, so a row that shows the order suffices."""
    with scene() as stage:
        stage.run(1)
        unread_stamp(stage, Fault(kind="lose-answer", where="GET /portfolio/order_groups"))
        answer = looked_at(stage, RISEN_E4)

        assert (answer["reason"], answer["placed"]) == ("read_unknown", 0)
        assert not dangerous(stage, RISEN_E4)
        assert stage.world.exchange.stats.cancels_404 == 0


def traded_before(stage: Scene) -> None:
    """Public trades at both ends of the books, past our prices to be; then our quotes are placed."""
    for ticker in TICKERS:
        for taker, limit_e4 in (("bid", 4_700), ("ask", 4_400)):
            assert stage.world.exchange.background_take(ticker, taker, limit_e4, 100) == 100
    show(stage, 4_400)
    stage.run(1)
    assert stage.slots() == SLOTS


def test_scenario_77_a_trade_from_before_an_order_spares_it_no_cancel_while_the_stamp_is_unread() -> None:
    with scene() as stage:
        traded_before(stage)
        unread_stamp(stage)
        looked_at(stage, RISEN_E4)

        assert not dangerous(stage, RISEN_E4)
        assert stage.world.exchange.stats.cancels_404 == 0


def traded_past_our_quotes(stage: Scene) -> None:
    """One contract of each of our orders is taken: the public trades put them all in doubt."""
    for ticker in TICKERS:
        for side in ("bid", "ask"):
            fill(stage.world, ticker, side, 100)


def test_scenario_77_a_trade_at_its_price_spares_a_dangerous_quote_no_cancel() -> None:
    """It may be gone, or not: a cancel that finds nothing costs less than a quote that rests."""
    with scene() as stage:
        stage.run(1)
        traded_past_our_quotes(stage)
        unread_stamp(stage)
        looked_at(stage, RISEN_E4)

        assert not dangerous(stage, RISEN_E4)


def test_scenario_77_a_trade_at_their_price_spares_no_quote_a_halt() -> None:
    with scene() as stage:
        stage.run(1)
        traded_past_our_quotes(stage)
        unread_stamp(stage)
        stage.world.session("session_halt")
        answer = looked_at(stage, 4_400)

        assert (answer["reason"], resting(stage.world)) == ("halted", {})


@pytest.mark.parametrize("bid_e4", [RISEN_E4, FALLEN_E4])
@pytest.mark.parametrize("close", ["halt", "trading"])
def test_scenario_77_a_halt_that_leaves_quotes_resting_lets_the_dangerous_ones_go(
    close: str, bid_e4: int
) -> None:
    left = {**config_items.GLOBAL, "cancel_on_halt": False}
    with scene(globals=left) as stage:
        stage.run(1)
        if close == "halt":
            stage.world.session("session_halt")
        else:
            stage.world.put_global({**left, "trading_enabled": False})
        stage.run(1)
        assert stage.slots() == SLOTS
        looked_at(stage, bid_e4)

        assert not dangerous(stage, bid_e4)
        assert len(resting(stage.world)) == SLOTS // 2


def test_scenario_77_a_clock_that_is_off_keeps_nothing_dangerous_resting() -> None:
    with scene(skew_ms=1_500) as stage:
        stage.run(1)
        stage.world.put_global({**config_items.GLOBAL, "max_clock_skew_ms": 100})
        answer = looked_at(stage, RISEN_E4)

        assert answer["reason"] == "clock_skew"
        assert not dangerous(stage, RISEN_E4)


def test_scenario_77_reads_that_stand_still_keep_nothing_dangerous_resting() -> None:
    """Quotes placed under reads that show none of them rest by the engine's acknowledgement."""
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="freeze-reads"))
        stage.world.clock.advance_ms(1_000)
        stage.move()
        stage.run(4)
        assert stage.slots() == SLOTS
        bid_e4 = resting(stage.world)[A, "ask"][0][0] - 100
        answer = looked_at(stage, bid_e4)

        assert answer["reason"] == "read_stale"
        assert not dangerous(stage, bid_e4)
        assert stage.world.exchange.stats.cancels_404 == 0


Blind = Callable[[Scene], object]


def one_sided(stage: Scene) -> None:
    for ticker in TICKERS:
        stage.world.exchange.set_background_book(ticker, [(4_400, 50_000)], [])


def unread(stage: Scene) -> None:
    stage.faults.now(
        Fault(kind="lose-answer", where="GET /portfolio/balance"), Fault(kind="lose-answer", where=BOOKS)
    )


@pytest.mark.parametrize("blind", [one_sided, unread])
def test_scenario_77_what_cannot_be_repriced_goes_when_it_is_too_old(blind: Blind) -> None:
    short = {**config_items.GLOBAL, "max_unpriced_age_s": 150}
    with scene(globals=short) as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="lose-answer", where="GET /portfolio/balance"))
        blind(stage)
        early = [answer["cancelled"] for answer in stage.run(2)]
        kept = stage.slots()
        late = [answer["cancelled"] for answer in stage.run(2)]

        assert (early, kept) == ([0, 0], SLOTS)
        assert sum(late) == SLOTS
        assert not resting(stage.world)
        assert stage.world.exchange.stats.calls[CANCEL] == 1


def test_scenario_77_quotes_of_a_market_that_is_not_wanted_go_whatever_else_cannot_be_read() -> None:
    with scene() as stage:
        stage.run(1)
        stage.world.put_market(C, {**config_items.MARKET, "enabled": False})
        answer = stage.struck(Fault(kind="lose-answer", where="GET /portfolio/balance"))

        assert (answer["reason"], answer["cancelled"]) == ("read_unknown", 2)
        assert {ticker for ticker, _ in resting(stage.world)} == {A, B}


def test_scenario_77_quotes_that_are_taken_off_are_told_with_the_reason() -> None:
    with scene(Knobs()) as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="lose-answer", where="GET /portfolio/balance"))
        looked_at(stage, RISEN_E4)

        (told,) = [f for f in stage.seen.facts("WARNING") if f["what"].startswith("quotes cancelled")]
        assert (told["reason"], told["dangerous"], told["unpriced"]) == ("read_unknown", 3, 0)
