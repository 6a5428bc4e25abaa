"""The yardstick: compute and diff as an earlier system did them, written anew from a description.

That system looped over markets. For each it fetched the book and the last fifty public trades as JSON, and
worked on them with floats, datetimes and dicts:

- a volatility gate: the deviation of the last five trades, or of those of twelve hours where there are more,
  above the spread (held between 3 and 8 cents) means no quotes, unless a position can be left at a profit;
- fair value: up to five trades of a day, weighted by the root of their size and a half-life of twelve hours;
  else the last trade, else the mid;
- a skew by inventory, then a price one tick inside a spread of six cents or more, else at the touch; never
  worse than the touch after skew, never past fair value; less than the least spread leaves one side, or an
  exit only;
- a size that tapers near the limit, and the larger of base and position on the side that reduces it;
- a record of each decision, and a diff of wanted against live orders by market and side, price and exact
  size.

Nothing is slowed down on purpose and nothing is tuned. What it read over HTTP is not counted, as it is not
counted for the product; the parsing of fifty trades a market is, because its compute step did it.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import pstdev
from typing import Any

TRADES_WEIGHED = 5
TICK, WIDE_SPREAD = 0.01, 0.06
LEAST_GATE, MOST_GATE = 0.03, 0.08
HALF_LIFE_H, VOLATILITY_H, FAIR_VALUE_H = 12.0, 12.0, 24.0
TAPER_FROM = 0.8
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@dataclass
class Params:
    """What a market's item configures."""

    min_spread: float = 0.02
    quote_size: int = 10
    max_inventory: int = 100
    skew_factor: float = 0.25


@dataclass
class Trade:
    """One public trade."""

    trade_id: str
    ticker: str
    price: float
    count: int
    taker_side: str
    at: datetime


@dataclass
class Book:
    """Levels of both sides as (price in dollars, count), best first; asks are made of NO bids."""

    bids: list[tuple[float, int]]
    asks: list[tuple[float, int]]

    @property
    def spread(self) -> float:
        """In dollars; both sides must be there."""
        return round(self.asks[0][0] - self.bids[0][0], 4)

    @property
    def mid(self) -> float:
        """In dollars."""
        return (self.asks[0][0] + self.bids[0][0]) / 2


@dataclass
class Order:
    """A wanted or a live order."""

    ticker: str
    side: str
    price: float
    size: int
    order_id: str = ""

    def matches(self, other: "Order") -> bool:
        """Same price to half a tenth of a cent, and exactly the same size."""
        return abs(self.price - other.price) < 0.0005 and self.size == other.size


@dataclass
class Position:
    """Net contracts (YES above zero) and what one cost on average."""

    net: int = 0
    average: float = 0.0


@dataclass
class Decision:
    """What was wanted in one market, and all of why."""

    market_id: str
    decision_id: str
    book: dict[str, Any]
    trades: list[dict[str, Any]]
    inventory: dict[str, Any]
    price_calc: dict[str, Any]
    targets: list[Order] = field(default_factory=list)


def parse_book(text: str, own: list[Order]) -> Book:
    """The book of an answer without our own live orders."""
    raw = json.loads(text)["orderbook"]
    bids = [(level[0] / 100, level[1]) for level in sorted(raw["yes"], reverse=True)]
    asks = [(1 - level[0] / 100, level[1]) for level in sorted(raw["no"], reverse=True)]
    sides = {"bid": bids, "ask": asks}
    for order in own:
        side = sides[order.side]
        side[:] = [
            (price, count - order.size if abs(price - order.price) < 0.0005 else count)
            for price, count in side
        ]
    return Book([own for own in bids if own[1] > 0], [own for own in asks if own[1] > 0])


def parse_trades(text: str) -> list[Trade]:
    """The trades of an answer, newest first."""
    return [
        Trade(
            trade_id=raw["trade_id"],
            ticker=raw["ticker"],
            price=raw["yes_price"] / 100,
            count=raw["count"],
            taker_side=raw["taker_side"],
            at=datetime.fromisoformat(raw["created_time"].replace("Z", "+00:00")),
        )
        for raw in json.loads(text)["trades"]
    ]


def volatility(trades: list[Trade], now: datetime) -> float:
    """Deviation of the last five prices or of twelve hours of them, whichever are more."""
    since = now - timedelta(hours=VOLATILITY_H)
    recent = [trade.price for trade in trades if trade.at >= since]
    latest = [trade.price for trade in trades[:TRADES_WEIGHED]]
    prices = recent if len(recent) > len(latest) else latest
    return pstdev(prices) if len(prices) > 1 else 0.0


def fair_value(trades: list[Trade], book: Book, now: datetime) -> tuple[float, str]:
    """Dollars, and where they come from."""
    since = now - timedelta(hours=FAIR_VALUE_H)
    recent = [trade for trade in trades if trade.at >= since][:TRADES_WEIGHED]
    total = weighed = 0.0
    for trade in recent:
        age_h = (now - trade.at).total_seconds() / 3600
        weight = math.sqrt(trade.count) * math.exp(-math.log(2) / HALF_LIFE_H * age_h)
        total += weight
        weighed += weight * trade.price
    if total > 0:
        return weighed / total, "weighted_trades"
    return (trades[0].price, "last_trade") if trades else (book.mid, "mid")


def can_leave(position: Position, book: Book) -> bool:
    """Whether the position could be left at a profit now."""
    if position.net > 0:
        return book.bids[0][0] > position.average
    return position.net < 0 and book.asks[0][0] < position.average


def quote_size(params: Params, net: int, sign: int) -> int:
    """Contracts of one side; `sign` is what a fill does to the position."""
    if net * sign < 0:
        return max(params.quote_size, abs(net))
    used = abs(net) / params.max_inventory
    if used <= TAPER_FROM:
        return params.quote_size
    return max(int(params.quote_size * (1 - used) / (1 - TAPER_FROM)), 0)


def prices(book: Book, fair: float, skew: float, least: float) -> tuple[float | None, float | None, str]:
    """Bid and ask in dollars (None: none wanted), and by what rule."""
    bid, ask = book.bids[0][0], book.asks[0][0]
    inside = TICK if book.spread >= WIDE_SPREAD else 0.0
    bid_price = round(min(max(bid + inside - skew, bid - skew), fair), 2)
    ask_price = round(max(min(ask - inside - skew, ask - skew), fair), 2)
    if ask_price - bid_price >= least:
        return bid_price, ask_price, "inside" if inside else "join"
    if skew > 0:
        return None, ask_price, "ask_only"
    return (bid_price, None, "bid_only") if skew < 0 else (None, None, "too_tight")


def compute(ticker: str, book: Book, trades: list[Trade], position: Position, params: Params) -> Decision:
    """The quotes of one market."""
    spread, swing = book.spread, volatility(trades, NOW)
    fair, source = fair_value(trades, book, NOW)
    used = max(-1.0, min(1.0, position.net / params.max_inventory))
    skew = used * params.skew_factor * params.min_spread
    gated = swing > min(max(spread, LEAST_GATE), MOST_GATE) and not can_leave(position, book)
    bid, ask, rule = (None, None, "volatile") if gated else prices(book, fair, skew, params.min_spread)
    targets = []
    for side, price, sign in (("bid", bid, 1), ("ask", ask, -1)):
        size = quote_size(params, position.net, sign)
        if price is not None and 0 < price < 1 and size > 0:
            targets.append(Order(ticker, side, price, size))
    return Decision(
        market_id=ticker,
        decision_id=f"run-1:{ticker}:1",
        book={"bid": book.bids[0][0], "ask": book.asks[0][0], "spread": spread, "mid": book.mid}
        | {"top_bids": book.bids[:3], "top_asks": book.asks[:3]},
        trades=[asdict(trade) for trade in trades[:3]],
        inventory={"net": position.net, "average": position.average},
        price_calc={"skew": skew, "fair": fair, "source": source, "volatility": swing, "rule": rule},
        targets=targets,
    )


def diff(wanted: list[Order], live: list[Order]) -> tuple[list[Order], list[Order]]:
    """What to cancel and what to place."""
    targets = {(order.ticker, order.side): order for order in wanted}
    cancels, kept = [], set()
    for order in live:
        target = targets.get((order.ticker, order.side))
        if target is None or not target.matches(order) or (order.ticker, order.side) in kept:
            cancels.append(order)
        else:
            kept.add((order.ticker, order.side))
    return cancels, [order for key, order in targets.items() if key not in kept]
