"""What a report tells of a stretch of a bot's life, out of its state and its archive.

A day has 1,440 archived cycles: so many are read, evenly spread, the first and the last among them, and the
page says how many there were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.calendar import day_start_ms, exchange_day, parse_time
from dora.core.cycle_record import CycleRecord
from dora.core.exchange.account import Fill
from dora.core.exchange.market import Side
from dora.core.quoting.decision import Decision
from dora.core.units import Count, Money, Price, TimeMs, parse_money
from dora.core.zones import DAY_MS
from dora_operator.reading import Reading

BOTH, ONE = "both sides", "one side"
SIDES = 2


@dataclass(frozen=True)
class Glance:
    """One market in one cycle. None: not known, or nobody there. `word`: how it was quoted, or why not."""

    word: str
    bid: Price | None
    ask: Price | None
    our_bid: Price | None
    our_ask: Price | None
    net: Count | None


@dataclass(frozen=True)
class Moment:
    """One archived cycle. `profit`: by the books since they began; None where a position had no mark."""

    cycle_id: str
    at_ms: TimeMs
    status: str
    reason: str
    profit: Money | None
    counts: Mapping[str, int]
    markets: Mapping[str, Glance]


@dataclass(frozen=True)
class Story:
    """A stretch of time: what was read of it, and what was booked in it."""

    since_ms: TimeMs
    until_ms: TimeMs
    archived: int
    moments: tuple[Moment, ...]
    rows: tuple[ProfitRow, ...]
    gained: Mapping[str, Money | None]
    """What open positions gained since the last day's edge, by market."""
    fills: tuple[Fill, ...]

    @property
    def tickers(self) -> list[str]:
        """All markets that anything is told of, those with most contracts first."""
        traded: dict[str, int] = {}
        for own in self.fills:
            traded[own.ticker] = traded.get(own.ticker, 0) + own.count
        seen = {ticker for own in self.moments for ticker in own.markets}
        booked = {row.ticker for row in self.rows} | self.gained.keys()
        return sorted(seen | booked | traded.keys(), key=lambda own: (-traded.get(own, 0), own))

    def words(self, ticker: str) -> list[str]:
        """One word a cycle."""
        return [own.markets[ticker].word if ticker in own.markets else own.reason for own in self.moments]

    def profit(self, ticker: str) -> Money | None:
        """Of the stretch; None: an open position has no price."""
        gained = self.gained.get(ticker, Money(0))
        booked = sum(row.profit for row in self.rows if row.ticker == ticker)
        return None if gained is None else Money(booked + gained)

    def rewards(self, ticker: str = "") -> Money:
        """What the exchange credited in the stretch, for one market or all: part of the profit."""
        return Money(sum(row.rewards for row in self.rows if ticker in ("", row.ticker)))

    def rewards_estimated(self, ticker: str = "") -> Money:
        """What programs were expected to pay, for one market or all: part of no profit."""
        return Money(sum(row.rewards_estimated for row in self.rows if ticker in ("", row.ticker)))


def story(reading: Reading, days: int, most: int) -> Story:
    """Of the exchange's last days, today's among them."""
    until_ms = reading.now_ms
    since_ms = day_start_ms(TimeMs(day_start_ms(until_ms) - (days - 1) * DAY_MS + DAY_MS // 2))
    first_day = exchange_day(since_ms)
    archived, records = reading.cycles_between(since_ms, until_ms, most)
    return Story(
        since_ms=since_ms,
        until_ms=until_ms,
        archived=archived,
        moments=tuple(map(moment, records)),
        rows=tuple(row for row in reading.profit_rows() if row.day >= first_day),
        gained=reading.open_profit(),
        fills=tuple(own for own in reading.fills() if own.at_ms >= since_ms),
    )


def moment(record: CycleRecord) -> Moment:
    """What a report takes of an archived cycle."""
    told = record.done.record
    whole = told.get("positions_unmarked") == 0 and isinstance(told.get("pnl_dollars"), str)
    reason = str(told.get("reason") or "")
    decisions = {own.ticker: own for own in record.decided.decisions}
    return Moment(
        cycle_id=record.cycle_id,
        at_ms=parse_time(record.cycle_id),
        status=str(told.get("status") or "unknown"),
        reason=reason or "not decided on",
        profit=parse_money(str(told["pnl_dollars"])) if whole else None,
        counts={name: own for name, own in told.items() if isinstance(own, int)},
        markets={ticker: _glance(record, own) for ticker, own in decisions.items()},
    )


def _glance(record: CycleRecord, decision: Decision) -> Glance:
    seen, ticker = record.seen, decision.ticker
    book = seen.snapshot.books.get(ticker) if seen else None
    held = seen.positions.get(ticker) if seen else None
    blocked = seen.permission.blocked_by if seen else None
    bids = [own.price for own in decision.targets if own.slot.side is Side.BID]
    asks = [own.price for own in decision.targets if own.slot.side is Side.ASK]
    return Glance(
        word=str(blocked) if blocked else _word(decision),
        bid=book.bids[0].price if book and book.bids else None,
        ask=book.asks[0].price if book and book.asks else None,
        our_bid=max(bids, default=None),
        our_ask=min(asks, default=None),
        net=(held.net if held else Count(0)) if seen else None,
    )


def _word(decision: Decision) -> str:
    sides = {own.slot.side for own in decision.targets}
    if sides:
        return BOTH if len(sides) == SIDES else ONE
    if decision.skip:
        return str(decision.skip)
    return str(decision.dropped[0][1]) if decision.dropped else "no target"


def stretches(words: list[str]) -> Iterator[tuple[int, int, str]]:
    """Where each stretch of one word begins and ends (from, to and not with, word)."""
    edges = [at for at, word in enumerate(words) if at == 0 or word != words[at - 1]]
    for first, after in pairwise([*edges, len(words)]):
        yield first, after, words[first]
