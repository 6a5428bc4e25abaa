"""`top`: one line for each market; what is quoted, what it stands against, what it earned, or why not."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import click

from dora.core.calendar import format_time, parse_time
from dora.core.cycle_record import CycleRecord
from dora.core.exchange.market import Book, Side
from dora.core.orders.journal import TrackedOrder
from dora.core.quoting.decision import Decision
from dora.core.units import Count, Money, TimeMs, format_count, format_price
from dora_operator.desk import Desk, command, table
from dora_operator.failures import OperatorError
from dora_operator.money import cents, exact, total
from dora_operator.reading import Reading
from dora_operator.reason_words import explained
from dora_operator.suggesting import near

COLUMNS = ("market", "position", "our bid", "our ask", "book", "fair value", "today $", "not quoted", "since")
FIGURES = ("position", "fair value", "today $")
CYCLES_BACK = 30
"""How many archived cycles are read to say since when the whole bot has placed nothing."""
UNTOLD = "-"
"""Instead of since when, where no archived cycle tells it: of a market that none has decided on."""
EVERY_S = 5


@dataclass(frozen=True)
class Line:
    """One market. None is what is not known."""

    market: str
    position: str
    bid: str
    ask: str
    book: str | None
    fair_value: str | None
    today: Money | None
    reason: str
    since: str

    @property
    def cells(self) -> tuple[object, ...]:
        shown = (self.market, self.position, self.bid, self.ask, self.book, self.fair_value)
        return (*shown, cents(self.today), self.reason, self.since)


@command("top")
@click.option("--watch", is_flag=True, help=f"Again every {EVERY_S} s, until Ctrl-C.")
@click.option("--market", "wanted", multiple=True, help="These markets only; may be repeated.")
def top(desk: Desk, watch: bool, wanted: tuple[str, ...]) -> None:
    """One line for each market: position, quotes, book, profit, or why not.

    Quotes are what the journal holds now; book, fair value and reasons are of the latest archived cycle.
    """
    while True:
        _once(desk, wanted)
        if not watch:
            return
        time.sleep(EVERY_S)
        click.clear()


def _once(desk: Desk, wanted: tuple[str, ...]) -> None:
    reading = Reading(desk.target)
    known = {own.market: own for own in lines(reading)}
    for name in wanted:
        if name not in known:
            raise OperatorError(f"no market {name}", near(name, known))
    found = [own for own in known.values() if not wanted or own.market in wanted]
    record, session = reading.latest_cycle, reading.state.session
    head = (
        f"{desk.target}: session {session.status if session else 'none'}; "
        f"last cycle {reading.state.progress.cycle_id or 'none'} ({reading.last_came_to}); "
        f"today {cents(total([own.today for own in found])) or '?'} $"
    )
    seen = f"book, fair value and reasons as of {record.cycle_id}" if record else "nothing is archived"
    data = {
        "session": str(session.status) if session else None,
        "cycle": record.cycle_id if record else None,
        "markets": [{**vars(own), "today": exact(own.today)} for own in found],
    }
    why = explained(word for own in found for word in own.reason.split(", "))
    if any(own.since == UNTOLD for own in found):
        why.append(f"since {UNTOLD}: no archived cycle tells it")
    desk.show(data, head, table("", COLUMNS, [own.cells for own in found], FIGURES), *why, seen)


def lines(reading: Reading) -> list[Line]:
    """Every market that is configured, decided on, held, or has an order."""
    record = reading.latest_cycle
    decisions = {own.ticker: own for own in record.decided.decisions} if record else {}
    books = record.seen.snapshot.books if record and record.seen else {}
    orders = reading.open_orders
    held = {ticker: own.net for ticker, own in reading.state.positions.items() if own.net}
    tickers = {*reading.configs.markets, *decisions, *held, *(own.slot.ticker for own in orders)}
    today, blocked_since = todays_profit(reading), _blocked_since(reading)
    reasons = {ticker: _reason(record, decisions.get(ticker)) for ticker in tickers}
    return [
        Line(
            market=ticker,
            position=format_count(held.get(ticker, Count(0))),
            bid=_quote(orders, ticker, Side.BID),
            ask=_quote(orders, ticker, Side.ASK),
            book=_touch(books.get(ticker)),
            fair_value=_fair(decisions.get(ticker)),
            today=today.get(ticker, Money(0)),
            reason=reasons[ticker],
            since=reasons[ticker] and _since(decisions.get(ticker), blocked_since, reading.now_ms),
        )
        for ticker in sorted(tickers)
    ]


def todays_profit(reading: Reading) -> Mapping[str, Money | None]:
    """By market: today's rows, and what open positions gained since the rows last marked them."""
    booked: dict[str, Money] = {}
    for row in reading.profit_rows(reading.today):
        booked[row.ticker] = Money(booked.get(row.ticker, 0) + row.profit)
    found: dict[str, Money | None] = dict(booked)
    for ticker, gained in reading.open_profit().items():
        found[ticker] = None if gained is None else Money(booked.get(ticker, 0) + gained)
    return found


def _quote(orders: Iterable[TrackedOrder], ticker: str, side: Side) -> str:
    """The best price and all contracts of that side; a mark where an order's fate is not proven."""
    own = [order for order in orders if (order.slot.ticker, order.slot.side) == (ticker, side)]
    if not own:
        return "-"
    best = (max if side is Side.BID else min)(order.price for order in own)
    unproven = "" if all(order.state == "live" for order in own) else " ?"
    return f"{format_price(best)} x {format_count(Count(sum(order.remaining for order in own)))}{unproven}"


def _touch(book: Book | None) -> str | None:
    if book is None:
        return None
    bid = format_price(book.bids[0].price) if book.bids else "-"
    ask = format_price(book.asks[0].price) if book.asks else "-"
    return f"{bid} / {ask}"


def _fair(decision: Decision | None) -> str | None:
    if decision is None or decision.fair_value is None:
        return None
    return f"{decision.fair_value:.4f}"


def _reason(record: CycleRecord | None, decision: Decision | None) -> str:
    """Why there is no quote: of the market, else of the whole bot; empty where it is quoted."""
    blocked = _blocked(record)
    if decision is None:
        return blocked or "not decided on"
    if decision.skip or blocked:
        return str(decision.skip or blocked)
    if decision.targets:
        return ""
    return ", ".join(sorted({str(why) for _, why in decision.dropped})) or "nothing wanted"


def _blocked(record: CycleRecord | None) -> str:
    """Why the whole bot placed nothing in that cycle; a cycle that decided nothing says why in its line."""
    if record is None:
        return ""
    if record.decided.decisions and record.seen:
        return str(record.seen.permission.blocked_by or "")
    return "" if record.decided.decisions else str(record.done.record.get("reason") or "")


def _since(decision: Decision | None, blocked_since: str, now_ms: TimeMs) -> str:
    """Since when it is left out for the reason that it has now: by itself, or with the whole bot."""
    if blocked_since and not (decision and decision.skip):
        return blocked_since
    if decision is None or decision.since_ms is None:
        return UNTOLD
    return _moment(decision.since_ms, now_ms)


def _blocked_since(reading: Reading) -> str:
    """The first of the latest cycles that placed nothing, all for the same reason; empty: it may place."""
    latest = reading.latest_cycle
    if latest is None or not _blocked(latest):
        return ""
    first = parse_time(latest.cycle_id)
    for number, record in enumerate(reading.cycles(first)):
        if _blocked(record) != _blocked(latest):
            return _moment(first, reading.now_ms)
        if number == CYCLES_BACK:
            break
        first = parse_time(record.cycle_id)
    return f"before {_moment(first, reading.now_ms)}"


def _moment(at_ms: TimeMs, now_ms: TimeMs) -> str:
    """The minute in UTC, with its day where that is not today."""
    at, now = format_time(at_ms), format_time(now_ms)
    return at[11:16] if at[:10] == now[:10] else at[5:16].replace("T", " ")
