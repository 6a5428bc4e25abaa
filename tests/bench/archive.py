"""What the archive adds to a cycle: CPU to make its object and to pack it, and the object's bytes; the same
together where a recorder adds what is public.

The cycle is one of daily use: a quote on both sides of every market, a tenth of the markets moved, and half
an hour's worth of closed orders in the journal, with ids that do not compress.
"""

import random
from statistics import median
from time import process_time
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from dora.core.config_items import parse_market
from dora.core.exchange.account import (
    ExchangePosition,
    Limits,
    Order,
    OrderGroup,
    OrderStatus,
    ShardStatus,
)
from dora.core.exchange.market import Book, Event, Level, Market, MarketStatus, Series, Side, Slot
from dora.core.exchange.public_data import IncentiveProgram, PublicData, PublicTrade
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.write_tally import WriteTally
from dora.core.risk.gates import Permission
from dora.core.state import BotState, Configs, ReferenceData
from dora.core.units import Count, Money, Price, TimeMs
from dora.edge.archive.packing import pack
from dora.flow.cycle.archive import Basis, Finished, cycle_record
from dora.flow.cycle.choose import choose
from dora.flow.cycle.inputs import Inputs
from tests.bench.case import MARKET, START_MS, Case, MovingBook
from tests.simulator.model import MarketSpec
from tests.support.examples import CENT_GRID, limits

CLOSED_PER_MARKET = 6
MOVED_ONE_IN = 10
ACCOUNT = Limits(
    tier="bench", read_rate=10_000, read_capacity=10_000, write_rate=10_000, write_capacity=10_000
)
NOW = TimeMs(START_MS)
ITEM = {name: value if isinstance(value, bool) else str(value) for name, value in MARKET.items()}
"""As the config table hands it over."""


def archive_cpu(markets: int, times: int) -> dict[str, Any]:
    """Medians in CPU milliseconds, and the size of one object."""
    finished = busy_cycle(markets)
    spent: list[tuple[float, float]] = []
    for _ in range(times):
        began = process_time()
        record = cycle_record(finished, dry_run=False)
        made = process_time()
        body = pack(record)
        spent.append((made - began, process_time() - made))
    making, packing = (round(median(own) * 1000, 1) for own in zip(*spent, strict=True))
    recorded, recorded_bytes = _recorded(finished, times)
    return {
        "making_cpu_ms": making,
        "packing_cpu_ms": packing,
        "bytes": len(body),
        "recorder_cpu_ms": recorded,
        "recorder_bytes": recorded_bytes,
    }


def _recorded(finished: Finished, times: int) -> tuple[float, int]:
    """Making and packing, CPU milliseconds, and bytes where what is public is recorded too."""
    public, spent = public_minute(list(finished.basis.inputs.wanted)), list[float]()
    for _ in range(times):
        began = process_time()
        body = pack(cycle_record(finished, dry_run=True, public=public))
        spent.append(process_time() - began)
    return round(median(spent) * 1000, 1), len(body)


def public_minute(tickers: list[str]) -> PublicData:
    """Two trades and a program in each market."""
    trades = [
        PublicTrade(
            str(UUID(int=random.getrandbits(128))),
            ticker,
            random.choice(list(Side)),
            Price(random.randrange(10, 90) * 100),
            Count(random.randrange(1, 5_000)),
            TimeMs(NOW - random.randrange(60_000)),
        )
        for ticker in tickers * 2
    ]
    span = (NOW, TimeMs(NOW + 86_400_000))
    programs = [
        IncentiveProgram(
            str(UUID(int=random.getrandbits(128))),
            ticker,
            "liquidity",
            *span,
            Money(20_000_000),
            Count(100_000),
            5_000,
        )
        for ticker in tickers
    ]
    return PublicData(since_ms=NOW, until_ms=NOW, trades=tuple(trades), programs=tuple(programs))


def busy_cycle(markets: int) -> Finished:
    """A finished cycle; its state is as it was loaded, so nothing of it is kept twice."""
    before = _inputs(Case(markets), {}, moved=False)
    resting = _resting(before)
    inputs = _inputs(Case(markets), resting | _closed(before), moved=True)
    context: Any = SimpleNamespace(cycle_id="2026-03-02T15:00:00.000Z", began_ms=NOW)
    state = BotState(journal=inputs.view.journal, positions=inputs.positions, memory=inputs.memory)
    configs = Configs(globals_=inputs.globals_, markets=inputs.wanted, series={}, problems=())
    loaded: Any = SimpleNamespace(state=state, configs=configs)
    execution: Any = SimpleNamespace(journal=inputs.view.journal, tally=WriteTally(), stopped=None)
    return Finished(
        context=context,
        loaded=loaded,
        basis=Basis(inputs=inputs, triggered=frozenset()),
        choice=choose(inputs, ()).choice,
        execution=execution,
        record={},
    )


def _inputs(case: Case, orders: dict[str, TrackedOrder], *, moved: bool) -> Inputs:
    specs = list(case.specs())
    view = ReconciledOrders(
        journal=Journal(orders),
        external=(),
        frozen=frozenset(),
        blocked=frozenset(),
        resolutions=(),
        shown=frozenset(name for name, order in orders.items() if order.open),
    )
    return Inputs(
        now_ms=NOW,
        globals_=limits(max_event_loss=Money(10**12), max_total_loss=Money(10**12), max_open_orders=200_000),
        wanted={s.ticker: parse_market(f"MARKET#{s.ticker}", s.ticker, ITEM) for s in specs},
        reference=_reference(specs),
        snapshot=_snapshot(case, orders, moved=moved),
        view=view,
        positions={},
        nets={},
        permission=Permission(),
        memory={s.ticker: _memory() for s in specs},
        limits=ACCOUNT,
    )


def _reference(specs: list[MarketSpec]) -> ReferenceData:
    events = [
        Event(event_ticker=s.event_ticker, series_ticker=s.series_ticker, exclusive=False) for s in specs
    ]
    series = [Series(ticker=s.series_ticker, fee_type="quadratic", fee_multiplier_e4=10_000) for s in specs]
    return ReferenceData(
        events={own.event_ticker: own for own in events}, series={own.ticker: own for own in series}
    )


def _memory() -> dict[str, object]:
    return {
        "at_ms": NOW - 60_000,
        "fair_e9": random.randrange(400_000_000, 600_000_000),
        "mid_e9": 500_000_000,
        "watched_ms": 900_000,
        "variance_e12": random.randrange(10**6),
        "move_e9": random.randrange(10**6),
        "half_e9": 50_000_000,
        "fast": 0,
    }


def _snapshot(case: Case, orders: dict[str, TrackedOrder], *, moved: bool) -> Snapshot:
    rows = tuple(_row(order) for order in orders.values() if order.open)
    return Snapshot(
        began_ms=NOW,
        as_of_ms=NOW,
        fills=(),
        settlements=(),
        positions=tuple(ExchangePosition(t, 0, Count(0)) for t in case.tickers[:1]),
        markets={spec.ticker: _market(spec) for spec in case.specs()},
        resting=rows,
        cash={0: Money(10**13)},
        groups=(OrderGroup("group-0", 0, tripped=False, limit=Count(10**8)),),
        status={0: ShardStatus(0, exchange_active=True, trading_active=True)},
        books={
            ticker: _book(case, ticker, moved=moved and place % MOVED_ONE_IN == 0)
            for place, ticker in enumerate(case.tickers)
        },
    )


def _book(case: Case, ticker: str, *, moved: bool) -> Book:
    moving = MovingBook(case.seed, ticker)
    if moved:
        moving.move()
    bids, asks = (tuple(Level(Price(price), Count(size)) for price, size in side) for side in moving.sides())
    return Book(ticker, bids, asks)


def _market(spec: MarketSpec) -> Market:
    return Market(
        ticker=spec.ticker,
        event_ticker=spec.event_ticker,
        shard=0,
        status=MarketStatus.ACTIVE,
        grid=CENT_GRID,
        open_ms=spec.open_ms,
        close_ms=spec.close_ms,
        plain=True,
    )


def _resting(inputs: Inputs) -> dict[str, TrackedOrder]:
    """What the first cycle would have placed."""
    places = choose(inputs, ()).choice.plan.places
    orders = [_tracked(place.slot, place.price, OrderState.LIVE) for place in places]
    return {order.client_order_id: order for order in orders}


def _closed(inputs: Inputs) -> dict[str, TrackedOrder]:
    slots = [Slot(t, Side.BID) for t in inputs.wanted for _ in range(CLOSED_PER_MARKET)]
    orders = [_tracked(slot, Price(random.randrange(10, 90) * 100), OrderState.CLOSED) for slot in slots]
    return {
        order.client_order_id: order._replace(remaining=Count(0), reduced=order.count) for order in orders
    }


def _tracked(slot: Slot, price: Price, state: OrderState) -> TrackedOrder:
    sent_ms = TimeMs(NOW - random.randrange(1_800_000))
    return TrackedOrder(
        client_order_id=f"dabcdefg-{random.randbytes(12).hex()}",
        slot=slot,
        shard=0,
        price=price,
        count=Count(1_000),
        remaining=Count(1_000),
        state=state,
        sent_ms=sent_ms,
        order_id=str(UUID(int=random.getrandbits(128))),
        write_ms=TimeMs(sent_ms + 40),
        group_id="group-0",
        decision_id=random.randbytes(6).hex(),
        expires_ms=TimeMs(NOW + 21_600_000),
    )


def _row(order: TrackedOrder) -> Order:
    return Order(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        side=order.slot.side,
        price=order.price,
        status=OrderStatus.RESTING,
        initial=order.count,
        remaining=order.remaining,
        filled=Count(0),
        updated_ms=order.write_ms,
        group_id=order.group_id,
        expires_ms=order.expires_ms,
    )
