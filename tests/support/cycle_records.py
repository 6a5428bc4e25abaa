"""A cycle as the archive keeps it: two markets, an order kept and one replaced, something of every kind."""

from dora.core.accounts.ledger import Position
from dora.core.config import MarketConfig, SeriesConfig
from dora.core.cycle_record import Asked, CycleRecord, Decided, Done, Loaded, Seen
from dora.core.exchange.account import Limits, ShardStatus
from dora.core.exchange.market import Book, Level, Side, Slot, Trade
from dora.core.exchange.public_data import IncentiveProgram, PublicData, PublicTrade
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.requests import ApprovedOrder, CancelRequest, TargetOrder
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.risk.gates import Permission
from dora.core.state import Cursors, KillSwitch, Progress, ReferenceData
from dora.core.units import Count, Money, Price
from tests.support.dynamo_values import order
from tests.support.examples import EVENT, NOW, SERIES, config, event, limits, market, series

CYCLE_ID = "2026-11-21T00:01:00.000Z"
TICKER, OTHER = "KXA-0", "KXA-1"
SLOT = Slot(TICKER, Side.BID)
TARGET = TargetOrder(slot=SLOT, price=Price(4_400), count=Count(1_000), edge=Price(120))
KEY_LIMITS = Limits(tier="basic", read_rate=20, read_capacity=20, write_rate=10, write_capacity=10)


def cycle_record(*, dry_run: bool = False) -> CycleRecord:
    """The same record every time."""
    return CycleRecord(
        cycle_id=CYCLE_ID,
        began_ms=NOW,
        dry_run=dry_run,
        loaded=_loaded(),
        seen=_seen(),
        asked=Asked(
            tapes={TICKER: (Trade(TICKER, Side.BID, Price(4_400), NOW),)},
            since_ms=NOW,
            tokens=90,
            most_places=4,
        ),
        decided=_decided(),
        done=Done(
            orders=(order(2),), codes={"order_not_found": 1}, stopped=Reason.DEADLINE, record={"kept": 1}
        ),
        public=PublicData(
            since_ms=NOW,
            until_ms=NOW,
            trades=(PublicTrade("trade-1", TICKER, Side.ASK, Price(4_400), Count(250), NOW),),
            programs=(
                IncentiveProgram("p-1", TICKER, "liquidity", NOW, NOW, Money(20_000_000), None, 5_000),
            ),
        ),
    )


def _loaded() -> Loaded:
    return Loaded(
        globals_=None,
        series=(SeriesConfig(ticker="KXA", enabled=True, template={"quote_size": "10"}),),
        problems=("MARKET#KXB: levels is 9; write 1 to 5",),
        orders=(order(0),),
        new_orders=(1,),
        plans=(),
        positions=(Position(ticker=TICKER, shard=0),),
        new_positions=(OTHER,),
        cursors=Cursors(fills_ms=NOW),
        progress=Progress(cycle_id="before", day_profit=Money(-5)),
        control=KillSwitch(),
        limits=KEY_LIMITS,
    )


def _seen() -> Seen:
    wanted: dict[str, MarketConfig] = {
        TICKER: config(ticker=TICKER, max_speed_percent=70),
        OTHER: config(ticker=OTHER, enabled=False),
    }
    return Seen(
        now_ms=NOW,
        globals_=limits(),
        wanted=wanted,
        reference=ReferenceData(events={EVENT: event()}, series={SERIES: series()}),
        snapshot=_snapshot(),
        orders={own.client_order_id: own for own in (order(0), order(1))},
        shown=(1,),
        external=(),
        frozen=frozenset({Slot(OTHER, Side.ASK, 1), SLOT}),
        blocked=frozenset({OTHER}),
        positions={OTHER: Position(ticker=OTHER, shard=1, net=Count(-300), cash=Money(7))},
        permission=Permission(None, {2: Reason.SHARD_CLOSED}),
        memory={TICKER: {"fast": 0, "at_ms": 5}, "#said": {TICKER: "bid0@4400x1000"}},
        session=None,
        limits=KEY_LIMITS,
        triggered=frozenset({"group-1"}),
    )


def _snapshot() -> Snapshot:
    return Snapshot(
        began_ms=NOW,
        as_of_ms=NOW,
        fills=(),
        markets={TICKER: market(ticker=TICKER), OTHER: market(ticker=OTHER)},
        cash={0: Money(20_000_000_000)},
        status={0: ShardStatus(0, exchange_active=True, trading_active=False)},
        books={
            TICKER: Book(TICKER, (Level(Price(4_400), Count(5)), Level(Price(4_300), Count(6))), ()),
            OTHER: Book(OTHER, (), (Level(Price(4_700), Count(7)),)),
        },
        failures={"positions": "no answer"},
    )


def _decided() -> Decided:
    decision = Decision(
        ticker=TICKER,
        targets=(TARGET,),
        dropped=((Slot(TICKER, Side.ASK), Reason.CASH),),
        cut=((SLOT, Reason.EVENT_CAP, Count(2_000)),),
        fair_value=0.1 + 0.2,
        fair_value_source="book",
        reservation_price=1 / 3,
        half_spread=0.01,
        bid_improvement=-2,
        ask_improvement=1,
        reward_value=Money(1_010_000),
        reward_cost=Money(660_000),
        reward_rate=30_000,
        reward_floor=Count(2_000),
    )
    gone = order(1)
    return Decided(
        decisions=(decision, Decision(ticker=OTHER, skip=Reason.MARKET_DISABLED)),
        failed={},
        kept=(0,),
        decreases=(),
        extends=(),
        cancels=(
            CancelRequest(
                order_id="order-1",
                client_order_id=gone.client_order_id,
                ticker=gone.slot.ticker,
                shard=gone.shard,
                remaining=gone.remaining,
            ),
        ),
        places=(ApprovedOrder(TARGET),),
        withheld=((Slot(OTHER, Side.BID), Reason.BUDGET),),
        why={gone.client_order_id: "repriced"},
    )
