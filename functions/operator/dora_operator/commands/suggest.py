"""`suggest`: open markets that may be worth quoting, as a config file to review; none of it enabled."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from dora.core.calendar import parse_time
from dora.core.errors import ExchangeError, NumberInvalid
from dora.core.units import (
    CONTRACT,
    ONE_DOLLAR,
    Count,
    Money,
    Price,
    TimeMs,
    format_count,
    format_price,
    parse_count,
    parse_price,
)
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.pagination import read_list
from dora_operator.config_file import ConfigFile, written
from dora_operator.config_rules import MARKET, Items
from dora_operator.desk import Desk, command, table
from dora_operator.exchange import own_exchange
from dora_operator.failures import Exit, OperatorError
from dora_operator.market_pace import moves, pools
from dora_operator.money import cents
from dora_operator.whole_file import new_place, write_whole

HOUR_MS = 3_600_000
COLUMNS = (
    "market",
    "bid",
    "ask",
    "spread",
    "traded in 24 h",
    "moves a minute",
    "pool a day",
    "closes in h",
    "score",
)
LOOKED_AT = 2
"""So many times as many markets as are shown are looked at for how they move: a request each."""


@dataclass(frozen=True)
class Candidate:
    """An open market with both sides quoted."""

    ticker: str
    bid: Price
    ask: Price
    day_volume: Count
    close_ms: TimeMs
    moves: float | None = None
    """Dollars a minute; None: not known, or not looked at."""
    pool: Money | None = None
    """Dollars a day for all its makers together; None: not known."""

    @property
    def spread(self) -> Price:
        return Price(self.ask - self.bid)

    @property
    def worth(self) -> float:
        """Dollars a day: the spread times what traded, less where it moves, and the pool. No forecast.

        A market that moves by half its spread in a minute counts half.
        """
        earned = self.spread * (self.day_volume + 1) / ONE_DOLLAR / CONTRACT
        slow = 1 / (1 + (self.moves or 0) * ONE_DOLLAR / (self.spread / 2))
        return earned * slow + (self.pool or 0) / 1_000_000


@command("suggest")
@click.option("--count", default=20, show_default=True, type=click.IntRange(min=1), help="How many markets.")
@click.option("--least-spread", default="0.02", show_default=True, help="Dollars.")
@click.option("--most-spread", default="0.15", show_default=True, help="Dollars.")
@click.option("--least-hours", default=2, show_default=True, help="Until the market closes.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a config file, .yaml or .csv.")
def suggest(
    desk: Desk, count: int, least_spread: str, most_spread: str, least_hours: int, out: Path | None
) -> None:
    """Propose markets to quote, never enabled.

    By spread, what traded in a day, how it moved in the last two hours and what programs pay its makers. It
    does not know whether the other side knows more: `make replay` and a dry run tell.
    """
    low, high = _price(least_spread), _price(most_spread)
    if out is not None:
        new_place(out)
    now_ms = desk.target.clock.now_ms()
    exchange = own_exchange(desk.target)
    listed = candidates(exchange)
    found = [
        own for own in listed if low <= own.spread <= high and own.close_ms >= now_ms + least_hours * HOUR_MS
    ]
    paid = pools(exchange, [own.ticker for own in found], now_ms)
    paying = [replace(own, pool=None if paid is None else paid.get(own.ticker, Money(0))) for own in found]
    looked = [
        replace(own, moves=moves(exchange, own.ticker, now_ms)) for own in _best(paying, LOOKED_AT * count)
    ]
    best = _best(looked, count)
    rows = [_row(own, now_ms) for own in best]
    data = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    title = f"{len(best)} of {len(found)} that fit, of {len(listed)} open markets with both sides"
    desk.show(data, table(title, COLUMNS, rows, figures=COLUMNS[1:]), *_wider(listed, found, best))
    if out is not None:
        write_whole(out, _file(desk, best, as_csv=out.suffix == ".csv"))
        desk.note(f"written: {out}; review it, set enabled, then: dora config apply {out}")


def _best(found: list[Candidate], count: int) -> list[Candidate]:
    return sorted(found, key=lambda own: (-own.worth, own.ticker))[:count]


def _wider(listed: list[Candidate], found: list[Candidate], best: list[Candidate]) -> list[str]:
    """What lets more markets in, where any were left out."""
    more = ["--count shows more of those that fit"] if len(best) < len(found) else []
    if len(found) < len(listed):
        more.append("--least-spread, --most-spread and --least-hours let more fit")
    return more


def candidates(exchange: KalshiExchange) -> list[Candidate]:
    """Every open market whose row holds both sides."""
    try:
        rows = read_list(exchange, "/markets", "markets", [("status", "open")])
    except ExchangeError as error:
        raise OperatorError(f"the markets could not be read: {error}", exit_code=Exit.UNKNOWN) from None
    return [own for row in rows if (own := _candidate(row)) is not None]


def _candidate(row: Any) -> Candidate | None:
    try:
        own = Candidate(
            ticker=row.field("ticker", str),
            bid=row.field("yes_bid_dollars", parse_price),
            ask=row.field("yes_ask_dollars", parse_price),
            day_volume=row.field("volume_24h_fp", parse_count),
            close_ms=row.field("close_time", parse_time),
        )
    except (ExchangeError, NumberInvalid):
        return None
    return own if 0 < own.bid < own.ask < parse_price("1") else None


def _price(text: str) -> Price:
    try:
        return parse_price(text)
    except NumberInvalid as error:
        raise OperatorError(str(error), "write dollars, like 0.02", Exit.USAGE) from None


def _row(own: Candidate, now_ms: TimeMs) -> tuple[str | None, ...]:
    prices = (format_price(own.bid), format_price(own.ask), format_price(own.spread))
    moved = None if own.moves is None else f"{own.moves:.4f}"
    hours = f"{(own.close_ms - now_ms) / HOUR_MS:.1f}"
    return (
        own.ticker,
        *prices,
        format_count(own.day_volume),
        moved,
        cents(own.pool),
        hours,
        f"{own.worth:.2f}",
    )


def _file(desk: Desk, best: list[Candidate], *, as_csv: bool) -> str:
    items: Items = {
        MARKET + own.ticker: {"enabled": False, "quote_size": "10", "max_position": "50"} for own in best
    }
    return written(ConfigFile(desk.target.stack, desk.target.stage, items), as_csv=as_csv)
