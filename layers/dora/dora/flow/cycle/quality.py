"""How good our quotes were, on our own data: time quoted, contracts ahead, and markouts of our own fills."""

from collections.abc import Iterable, Iterator, Mapping

from dora.core.accounts.markout_memory import from_memory, to_memory
from dora.core.accounts.markouts import LAST_MARK_MS, mid_price, take_marks, with_fills
from dora.core.accounts.quote_quality import QualityTally, QuoteQuality, contracts_ahead, time_between
from dora.core.calendar import exchange_day
from dora.core.exchange.book import Resting, without
from dora.core.exchange.snapshot import Snapshot
from dora.core.failures import told
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.ports import Facts
from dora.core.quoting.cool_off import STRIKES, read_strikes, struck
from dora.core.units import Price, TimeMs, format_count, format_money
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.shared.accounting import Accounts
from dora.flow.shared.earners import UNCONFIGURED
from dora.flow.shared.universe import strategies_of

QUALITY, MARKOUTS = "#quality", "#markouts"
"""Where memory keeps today's sums, and fills that wait for marks. Losing them costs a day's statistics."""
STATISTICS = (QUALITY, MARKOUTS)
"""Nothing is decided by them, so no decision's inputs hold them."""
LEARNED = (*STATISTICS, STRIKES)
MINUTE_MS = 60_000
Own = Mapping[str, tuple[Resting, ...]]


def judge_quotes(
    facts: Facts,
    loaded: LoadedState,
    snapshot: Snapshot,
    accounts: Accounts,
    view: ReconciledOrders,
    after: Journal,
) -> dict[str, Mapping[str, object]]:
    """What memory keeps of it from now on; days that are over are told. `after`: the orders as they are now.

    Whatever goes wrong here costs statistics, and no cycle.
    """
    try:
        return _judged(facts, loaded, snapshot, accounts, view, after)
    except Exception as error:
        facts.emit("ERROR", what="statistics of our quotes", why=told(error))
        return {name: loaded.state.memory[name] for name in LEARNED if name in loaded.state.memory}


def _judged(
    facts: Facts,
    loaded: LoadedState,
    snapshot: Snapshot,
    accounts: Accounts,
    view: ReconciledOrders,
    after: Journal,
) -> dict[str, Mapping[str, object]]:
    now_ms, strategies = snapshot.began_ms, strategies_of(loaded.wanted)
    tally = QualityTally(loaded.state.memory.get(QUALITY, {}))
    own = view.resting_by_ticker()
    stood = _stood(loaded.state.journal, view.journal)
    _add_time(tally, strategies, stood, loaded.state.progress.completed_ms, now_ms)
    _add_joined(tally, strategies, snapshot, own, [*_new(view.journal, after)])
    waiting = from_memory(loaded.state.memory.get(MARKOUTS, {}))
    waiting = with_fills(waiting, accounts.new_fills, accounts.earners)
    mids = _mids(snapshot, own, {one.ticker for one in waiting})
    waiting, rows = take_marks(waiting, mids, now_ms)
    for row in rows:
        tally.marked(row)
    for ended in tally.take_before(exchange_day(TimeMs(now_ms - LAST_MARK_MS))):
        _tell(facts, ended)
    strikes = struck(read_strikes(loaded.state.memory.get(STRIKES, {})), rows, snapshot.markets, now_ms)
    return {QUALITY: tally.stored(), MARKOUTS: to_memory(waiting), **({STRIKES: strikes} if strikes else {})}


def _stood(stored: Journal, now: Journal) -> Iterator[TrackedOrder]:
    """Orders that rested when the last cycle ended, and still do."""
    for name, order in now.orders.items():
        before = stored.orders.get(name)
        if before is not None and before.state is order.state is OrderState.LIVE:
            yield order


def _add_time(
    tally: QualityTally,
    strategies: Mapping[str, str],
    stood: Iterable[TrackedOrder],
    from_ms: TimeMs,
    to_ms: TimeMs,
) -> None:
    """All the time between two cycles, for each order that rested all of it."""
    times = time_between(from_ms, to_ms)
    if not times:
        return
    sides: dict[str, set[str]] = {}
    for order in stood:
        sides.setdefault(order.slot.ticker, set()).add(order.slot.side)
    for ticker, found in sides.items():
        tally.quoted(strategies.get(ticker, UNCONFIGURED), ticker, times, two_sided=len(found) > 1)


def _new(before: Journal, after: Journal) -> Iterator[TrackedOrder]:
    """Orders that this cycle placed, as far as they were answered."""
    for name, order in after.orders.items():
        if name not in before.orders and order.state is OrderState.LIVE:
            yield order


def _add_joined(
    tally: QualityTally,
    strategies: Mapping[str, str],
    snapshot: Snapshot,
    own: Own,
    placed: Iterable[TrackedOrder],
) -> None:
    """Queues as the books showed them that the prices were made from."""
    day = exchange_day(snapshot.began_ms)
    for order in placed:
        ticker, side, _ = order.slot
        book = snapshot.books.get(ticker)
        if book is not None:
            ahead = contracts_ahead(book, own.get(ticker, ()), side, order.price)
            tally.joined(day, strategies.get(ticker, UNCONFIGURED), ticker, ahead)


def _mids(snapshot: Snapshot, own: Own, tickers: Iterable[str]) -> dict[str, Price]:
    """Of others' quotes; absent where there is none."""
    found = {}
    for ticker in tickers:
        book = snapshot.books.get(ticker)
        mid = None if book is None else mid_price(without(book, own.get(ticker, ()), 1))
        if mid is not None:
            found[ticker] = mid
    return found


def _tell(facts: Facts, own: QuoteQuality) -> None:
    """`MARKET_QUALITY`: a gain above zero is a market that went our way after our fills."""
    marks = zip(("1m", "5m", "30m"), own.marked, own.gains, own.missed, strict=True)
    figures: dict[str, object] = {}
    for name, contracts, gain, missed in marks:
        figures |= {
            f"marked_{name}": format_count(contracts),
            f"markout_{name}_dollars": format_money(gain),
            f"missed_{name}": format_count(missed),
        }
    facts.emit(
        "MARKET_QUALITY",
        market=own.ticker,
        strategy=own.strategy,
        day=own.day,
        quoted_minutes=own.quoted_ms // MINUTE_MS,
        two_sided_minutes=own.two_sided_ms // MINUTE_MS,
        orders_joined=own.joined,
        contracts_ahead=format_count(own.ahead),
        **figures,
    )
