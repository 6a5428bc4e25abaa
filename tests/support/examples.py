"""Small valid values for tests of the core: each takes only what a test wants to be different."""

from dataclasses import fields
from typing import Any

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.exchange.market import Book, Event, Level, Market, MarketStatus, Series, Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.strategies.reservation import ReservationSettings
from dora.core.units import (
    ONE_DOLLAR,
    Count,
    Money,
    Price,
    PriceGrid,
    PriceRange,
    TimeMs,
    parse_count,
    parse_money,
    parse_price,
)

TICKER, EVENT, SERIES = "KXRAIN-26NOV21-T1", "KXRAIN-26NOV21", "KXRAIN"
NOW = TimeMs(1_795_183_200_000)
HOUR_MS = 3_600_000
SETTINGS = {spec.name for spec in fields(ReservationSettings)}


def grid(*rows: tuple[str, str, str]) -> PriceGrid:
    """A price grid from decimal strings (start, end, step)."""
    return PriceGrid(tuple(PriceRange(*(parse_price(text) for text in row)) for row in rows))


CENT_GRID = grid(("0", "1", "0.01"))
DECI_GRID = grid(("0", "1", "0.001"))
TAPERED_GRID = grid(("0", "0.1", "0.001"), ("0.1", "0.9", "0.01"), ("0.9", "1", "0.001"))
GRIDS = {
    "linear_cent": CENT_GRID,
    "deci_cent": DECI_GRID,
    "tapered_deci_cent": TAPERED_GRID,
    "center_0.5_edge_0.1_cent": grid(("0", "0.1", "0.001"), ("0.1", "0.9", "0.005"), ("0.9", "1", "0.001")),
    "center_0.2_edge_0.1_cent": grid(("0", "0.1", "0.001"), ("0.1", "0.9", "0.002"), ("0.9", "1", "0.001")),
    "center_1_edge_0.5_cent": grid(("0", "0.1", "0.005"), ("0.1", "0.9", "0.01"), ("0.9", "1", "0.005")),
    "center_deci_edge_centi": grid(
        ("0", "0.01", "0.0001"), ("0.01", "0.99", "0.001"), ("0.99", "1", "0.0001")
    ),
}


def book(bids: list[tuple[str, str]], asks: list[tuple[str, str]], ticker: str = TICKER) -> Book:
    """A book from (price, contracts) strings, best first."""
    return Book(ticker, _levels(bids), _levels(asks))


def _levels(rows: list[tuple[str, str]]) -> tuple[Level, ...]:
    return tuple(Level(parse_price(price), parse_count(count)) for price, count in rows)


def market(**changes: Any) -> Market:
    """An active plain market on whole cents that closes in a day."""
    values: dict[str, Any] = {
        "ticker": TICKER,
        "event_ticker": EVENT,
        "shard": 0,
        "status": MarketStatus.ACTIVE,
        "grid": CENT_GRID,
        "open_ms": TimeMs(NOW - HOUR_MS),
        "close_ms": TimeMs(NOW + 24 * HOUR_MS),
        "plain": True,
    }
    return Market(**{**values, **changes})


def config(**changes: Any) -> MarketConfig:
    """An enabled market, quoted at once, as far inside as the model says and a cent from fair value.

    Else as the product's defaults are; its strategy's settings may stand beside its own.
    """
    own = {name: changes.pop(name) for name in SETTINGS & changes.keys()}
    settings = ReservationSettings(**{"min_half_spread": parse_price("0.01"), **own})
    values: dict[str, Any] = {
        "ticker": TICKER,
        "enabled": True,
        "warm_up_minutes": 0,
        "max_improve_ticks": 50,
        "min_book_width": 0,
    }
    return MarketConfig(**{**values, "settings": settings, **changes})


def limits(**changes: Any) -> GlobalConfig:
    """GLOBAL with the product's defaults."""
    return GlobalConfig(**{"group_burst_limit": parse_count("100"), **changes})


def series(fee_type: str = "quadratic", multiplier: str = "1") -> Series:
    """The fee terms of the test series."""
    return Series(ticker=SERIES, fee_type=fee_type, fee_multiplier_e4=parse_price(multiplier))


def event(**changes: Any) -> Event:
    """The event of the test market."""
    return Event(**{"event_ticker": EVENT, "series_ticker": SERIES, "exclusive": False, **changes})


def target(
    side: Side, price: str, count: str, ticker: str = TICKER, level: int = 0, edge: int = 0
) -> TargetOrder:
    """A wanted quote from strings."""
    slot = Slot(ticker, side, level)
    return TargetOrder(slot=slot, price=parse_price(price), count=parse_count(count), edge=Price(edge))


def dollars(text: str) -> Money:
    """An amount from a string."""
    return parse_money(text)


def contracts(text: str) -> Count:
    """A count from a string."""
    return parse_count(text)


def cents(text: str) -> Price:
    """A price in dollars from a string, named for what it looks like on screen."""
    return parse_price(text)


def all_prices(of: PriceGrid) -> list[Price]:
    """Every price of a grid, by its definition."""
    points = {
        price
        for row in of.ranges
        for price in range(row.start, row.end + 1, row.step)
        if 0 < price < ONE_DOLLAR
    }
    return [Price(point) for point in sorted(points)]
