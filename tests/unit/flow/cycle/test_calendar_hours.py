"""Blackouts and the exchange's maintenance in a running bot: off before, on after, and what is said of it."""

from dora.core.reasons import Reason
from dora.core.units import TimeMs
from tests.support.small_world import (
    DAY_MS,
    START_MS,
    TICKERS,
    Seen,
    resting,
    set_book,
    setup,
    small_world,
    spec,
)
from tests.world import config_items

A = TICKERS[0]
MINUTE_MS = 60_000
ALL_QUOTES = 2 * len(TICKERS)
THURSDAY_2_58_ET = TimeMs(1_795_679_880_000)


def items(**changes: str) -> dict[str, dict[str, object]]:
    return dict.fromkeys(TICKERS, {**config_items.MARKET, **changes})


def rests_through(seen: Seen, minutes: int) -> list[int]:
    """How many orders rest after each cycle."""
    found = []
    for _ in range(minutes):
        seen.world.cycle()
        found.append(len(resting(seen.world)))
    return found


def test_quotes_are_off_before_a_blackout_and_at_once_on_again_after_it() -> None:
    with small_world(setup(items=items(blackouts="14:05-14:08 UTC"))) as seen:
        for ticker in TICKERS:
            set_book(seen.world, ticker)
        seen.world.start()
        found = rests_through(seen, 10)
        said = [fact for fact in seen.facts("DECISION_MADE") if fact["market"] == A]

        assert set(found) == {0, ALL_QUOTES}
        assert found[-1] == ALL_QUOTES
        assert [fact["skip_reason"] for fact in said if fact["skip_reason"]] == [Reason.BLACKOUT]
        assert [fact["until"] for fact in said if "until" in fact] == ["2026-11-20T14:08:00.000Z"]
        assert {fact["reason"] for fact in seen.facts("BATCH_CANCEL")} <= {Reason.BLACKOUT}


def test_the_bot_is_off_before_the_exchanges_maintenance_and_warms_up_after_it() -> None:
    later = tuple(
        spec(ticker, shard, close_ms=START_MS + 30 * DAY_MS) for shard, ticker in enumerate(TICKERS)
    )
    chosen = setup(markets=later, items=items(warm_up_minutes="2"), start_ms=THURSDAY_2_58_ET - 5 * MINUTE_MS)
    with small_world(chosen) as seen:
        world = seen.world
        for ticker in TICKERS:
            set_book(world, ticker)
        world.start()
        found = rests_through(seen, 8)
        assert found[3] == ALL_QUOTES
        assert found[-1] == 0
        assert {order.expiration_s for order in world.member.resting.values()} == set()
        world.clock.advance_ms(2 * 60 * MINUTE_MS)
        assert rests_through(seen, 4)[0] == 0
        assert len(resting(world)) == ALL_QUOTES
        reasons = [f["skip_reason"] for f in seen.facts("DECISION_MADE") if f["market"] == A]
        assert [why for why in reasons if why] == [
            Reason.WARMING_UP,
            Reason.MAINTENANCE,
            Reason.WARMING_UP,
        ]
        assert not seen.facts("BATCH_PLACE_FAILED")
