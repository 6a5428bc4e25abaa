"""`suggest`: open markets that may be worth quoting, as a config file to review; none of it enabled."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dora.core.calendar import parse_time
from dora.core.errors import ExchangeError, NumberInvalid
from dora.core.units import Count, Price, TimeMs, format_count, format_price, parse_count, parse_price
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.pagination import read_list
from dora_operator.config_file import ConfigFile, written
from dora_operator.config_rules import MARKET, Items
from dora_operator.desk import Desk, command, table
from dora_operator.exchange import own_exchange
from dora_operator.failures import Exit, OperatorError

HOUR_MS = 3_600_000
COLUMNS = ("market", "bid", "ask", "spread", "traded in 24 h", "closes in h", "score")


@dataclass(frozen=True)
class Candidate:
    """An open market with both sides quoted."""

    ticker: str
    bid: Price
    ask: Price
    day_volume: Count
    close_ms: TimeMs

    @property
    def spread(self) -> Price:
        return Price(self.ask - self.bid)

    @property
    def worth(self) -> int:
        """What sorts them: the spread times what traded in a day. No forecast of anything."""
        return self.spread * (self.day_volume + 1)


@command("suggest")
@click.option("--count", default=20, show_default=True, help="How many markets.")
@click.option("--least-spread", default="0.02", show_default=True, help="Dollars.")
@click.option("--most-spread", default="0.15", show_default=True, help="Dollars.")
@click.option("--least-hours", default=2, show_default=True, help="Until the market closes.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a config file, .yaml or .csv.")
def suggest(
    desk: Desk, count: int, least_spread: str, most_spread: str, least_hours: int, out: Path | None
) -> None:
    """Propose markets to quote, never enabled.

    By spread and what traded in a day. It knows neither how fast a market moves nor whether the other side
    knows more: `make replay` and a dry run tell.
    """
    low, high = _price(least_spread), _price(most_spread)
    if out is not None and out.exists():
        raise OperatorError(f"{out} is there already", "name another file with --out", Exit.USAGE)
    now_ms = desk.target.clock.now_ms()
    found = [
        own
        for own in candidates(own_exchange(desk.target))
        if low <= own.spread <= high and own.close_ms >= now_ms + least_hours * HOUR_MS
    ]
    best = sorted(found, key=lambda own: (-own.worth, own.ticker))[:count]
    rows = [_row(own, now_ms) for own in best]
    data = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    desk.show(data, table(f"{len(best)} of {len(found)} that fit", COLUMNS, rows, figures=COLUMNS[1:]))
    if out is not None:
        out.write_text(_file(desk, best, as_csv=out.suffix == ".csv"), encoding="utf-8")
        desk.note(f"written: {out}; review it, set enabled, then: dora config apply {out}")


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


def _row(own: Candidate, now_ms: TimeMs) -> tuple[str, ...]:
    hours = f"{(own.close_ms - now_ms) / HOUR_MS:.1f}"
    prices = (format_price(own.bid), format_price(own.ask), format_price(own.spread))
    return (own.ticker, *prices, format_count(own.day_volume), hours, f"{own.worth / 1_000_000:.2f}")


def _file(desk: Desk, best: list[Candidate], *, as_csv: bool) -> str:
    items: Items = {
        MARKET + own.ticker: {"enabled": False, "quote_size": "10", "max_position": "50"} for own in best
    }
    return written(ConfigFile(desk.target.stack, desk.target.stage, items), as_csv=as_csv)
