"""The day's edge: what was earned is told once a day, market by market, and the days add up."""

from decimal import Decimal

from dora.core.calendar import exchange_day
from dora.core.units import TimeMs
from tests.battery.ending_markets import HOUR_MS, A, B
from tests.battery.scene import fill, scene
from tests.support.small_world import START_MS, broken, set_book

DAY = exchange_day(TimeMs(START_MS))


def test_each_day_tells_its_profit_by_market_once_and_in_all() -> None:
    with scene() as stage:
        stage.run(1)
        fill(stage.world, A, "bid", 700)
        set_book(stage.world, A)
        stage.run(1)
        fill(stage.world, B, "ask", 300)
        set_book(stage.world, B)
        stage.run(1)
        early = stage.seen.facts("MARKET_PNL")
        stage.world.clock.advance_ms(16 * HOUR_MS)
        set_book(stage.world, A, 4000, 4300)
        stage.run(3)

        told, (total,) = stage.seen.facts("MARKET_PNL"), stage.seen.facts("DAY_PNL")
        assert early == []
        assert [(fact["market"], fact["day"], fact["fills"]) for fact in told] == [(A, DAY, 1), (B, DAY, 1)]
        assert sum(Decimal(fact["pnl_dollars"]) for fact in told) == Decimal(total["pnl_dollars"])
        stored = stage.world.bot.books()
        assert stored is not None
        marked = sum(own.marked for own in stored.ledgers.values())
        assert Decimal(total["unrealised_dollars"]) == Decimal(marked) / 10**6 != 0
        assert sum(row.profit for row in stored.rows if row.day == DAY) == sum(
            own.realised + own.marked - own.fees for own in stored.ledgers.values()
        )
        assert not broken(stage.world)
