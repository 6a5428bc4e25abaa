"""The first cycle of an exchange day: open positions are marked, and the day that ended is told."""

from collections.abc import Iterable, Mapping

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import post_mark
from dora.core.accounts.profit_rows import ProfitRow, by_market, in_all
from dora.core.accounts.stored_books import MARKETS_PER_TRANSACTION
from dora.core.calendar import day_start_ms, exchange_day
from dora.core.orders.batches import split
from dora.core.ports import Facts, Ports
from dora.core.units import Price, TimeMs, format_count, format_money
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.shared.accounting import Accounts
from dora.flow.shared.bookkeeping import Bookkeeper
from dora.flow.shared.earners import Earners
from dora.flow.shared.universe import strategies_of


def close_day(
    ports: Ports, fence: int, loaded: LoadedState, accounts: Accounts, marks: Mapping[str, Price]
) -> None:
    """Nothing, unless the last finished cycle was one of another day.

    Safe to repeat: a mark adds what it differs by. A day is told again only where the cycle then dies.
    """
    now_ms = ports.clock.now_ms()
    if loaded.state.progress.day in ("", exchange_day(now_ms)):
        return
    edge_ms = day_start_ms(now_ms)
    books = Bookkeeper(ports, fence, accounts.books, accounts.positions)
    earners = Earners(loaded.state.session, accounts.journal, strategies_of(loaded.wanted))
    for part in split(list(_to_mark(accounts, marks)), MARKETS_PER_TRANSACTION):
        books.post([post_mark(own, mark, edge_ms, earners.of_market(own.ticker)) for own, mark in part])
    _tell(ports.facts, ports.state.profit_rows(exchange_day(TimeMs(edge_ms - 1))))


def _to_mark(accounts: Accounts, marks: Mapping[str, Price]) -> Iterable[tuple[MarketLedger, Price]]:
    """What is open or was at the last edge; what nobody can price stays as it was marked."""
    for ticker, own in accounts.books.items():
        mark = marks.get(ticker) if own.net else Price(0)
        known = own.position == accounts.positions.get(ticker)
        if known and mark is not None and own.marked != own.unrealised(mark):
            yield own, mark


def _tell(facts: Facts, rows: Iterable[ProfitRow]) -> None:
    """`MARKET_PNL` for each market of that day, and one `DAY_PNL`."""
    markets = by_market(rows)
    for row in markets:
        facts.emit("MARKET_PNL", market=row.ticker, **_figures(row))
    for row in in_all(markets):
        facts.emit("DAY_PNL", markets=len(markets), **_figures(row))


def _figures(row: ProfitRow) -> dict[str, object]:
    return {
        "day": row.day,
        "fills": row.fills,
        "size": format_count(row.traded),
        "volume_dollars": format_money(row.volume),
        "realised_dollars": format_money(row.realised),
        "settlement_dollars": format_money(row.settlement),
        "unrealised_dollars": format_money(row.unrealised),
        "fees_dollars": format_money(row.fees),
        "rewards_dollars": format_money(row.rewards),
        "rewards_estimated_dollars": format_money(row.rewards_estimated),
        "pnl_dollars": format_money(row.profit),
    }
