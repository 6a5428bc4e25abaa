"""How the quotes of one market came about in one cycle, step by step, from what the cycle saw."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from dora.core.calendar import format_time
from dora.core.config import MarketConfig
from dora.core.cycle_record import Decided, Seen
from dora.core.exchange.book import Resting, without
from dora.core.exchange.market import Market, Slot
from dora.core.incentives.programs import reward_of, running
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs, others_in
from dora.core.quoting.fair_value import LEVELS
from dora.core.quoting.memory import Memory, recall
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.reservation_price import skew
from dora.core.quoting.reward_standing import without_standing
from dora.core.quoting.strategies.reservation import DEFAULTS, ReservationSettings
from dora.core.reasons import Reason
from dora.core.units import Count, format_count, format_price
from dora.flow.cycle.archive import inputs_of
from dora.flow.cycle.inputs import Inputs, fees_of
from dora_operator.figure import Figure, decimals, dollars
from dora_operator.reason_words import meanings

Row = tuple[str, ...]
NOTHING = "-"
PAIR: Row = ("what", "value")
BOOK_COLUMNS: Row = ("side", "price", "contracts", "of others")
PRICE_PLACES = 4
MEMORY = {
    "fair_e9": "fair value, dollars",
    "mid_e9": "middle of the book, dollars",
    "half_e9": "half-spread of the book, dollars",
    "move_e9": "move of the middle, dollars a minute",
    "variance_e12": "variance of fair value, squared logits a second",
    "watched_ms": "watched, minutes",
    "fast": "too fast to quote",
}
"""What is remembered of a market, and how a person reads it."""
MEMORY_COLUMNS: Row = ("what", "before", "after")
SLOT_COLUMNS: Row = ("slot", "strategy wants", "edge", "risk", "rests", "plan")


@dataclass(frozen=True)
class Table:
    """A heading, the names of the columns, and the rows."""

    title: str
    columns: Row
    rows: tuple[Row, ...]


class UnknownMarketError(Exception):
    """The cycle neither wanted nor read such a market."""


def explanation(seen: Seen, decided: Decided, ticker: str) -> tuple[Table, ...]:
    """From the book to the slots. Raises UnknownMarketError."""
    config, market = seen.wanted.get(ticker), seen.snapshot.markets.get(ticker)
    if config is None:
        nearest = get_close_matches(ticker.upper(), seen.wanted, n=3)
        known = ", ".join(nearest or sorted(seen.wanted)[:8])
        which = "did you mean" if nearest else "there are"
        raise UnknownMarketError(f"{ticker} is no market of this cycle; {which} {known} ...")
    decision = next((own for own in decided.decisions if own.ticker == ticker), Decision(ticker=ticker))
    inputs = inputs_of(seen)
    own = inputs.view.resting_by_ticker().get(ticker, ())
    asked = None if market is None else _asked(inputs, market, config, own)
    wanted = None if asked is None else _wanted(seen, asked)
    return (
        Table("Verdict", PAIR, tuple(_verdict(seen, market, decision))),
        Table("Book: YES, best first", BOOK_COLUMNS, tuple(_book(seen, ticker, own))),
        Table("Fair value and model, in dollars", PAIR, tuple(_model(config, decision, asked))),
        Table("Memory", MEMORY_COLUMNS, tuple(_memory(seen.memory.get(ticker), wanted))),
        Table("Limits", PAIR, tuple(_limits(seen, config, market, ticker))),
        Table("Slots", SLOT_COLUMNS, tuple(_slots(seen, decided, decision, wanted))),
    )


Wanted = tuple[Decision, Mapping[str, object]]
"""What the strategy answered before risk saw it, and its memory after."""


def _asked(
    inputs: Inputs, market: Market, config: MarketConfig, own: tuple[Resting, ...]
) -> QuoteInputs | None:
    fees = fees_of(inputs, market)
    if fees is None:
        return None
    book = inputs.snapshot.books.get(market.ticker)
    return QuoteInputs(
        market=market,
        config=config,
        book=book,
        own=own,
        others=others_in(book, own),
        net=inputs.nets.get(market.ticker, Count(0)),
        fees=fees,
        now_ms=inputs.now_ms,
        reward=reward_of(running(inputs.memory, inputs.now_ms), market, config, inputs.session),
    )


def _wanted(seen: Seen, asked: QuoteInputs) -> Wanted | None:
    try:
        return STRATEGIES[asked.config.strategy].quote(asked, seen.memory.get(asked.market.ticker))
    except Exception:
        # Its error stands in the verdict.
        return None


def _verdict(seen: Seen, market: Market | None, decision: Decision) -> Iterator[Row]:
    until = "" if decision.until_ms is None else f", until {format_time(decision.until_ms)}"
    if decision.skip:
        yield "quoted", f"no: {_said(decision.skip, until)}"
    else:
        yield "quoted", f"{len(decision.targets)} slots"
    if decision.since_ms is not None:
        yield "not quoted since", format_time(decision.since_ms)
    if decision.error:
        yield "error", decision.error
    blocked = seen.permission.blocked_by
    yield "bot may place", f"no: {_said(blocked)}" if blocked else "yes"
    if market is None:
        yield "market", "could not be read"
        return
    yield "shard", f"{market.shard}: {seen.permission.shards.get(market.shard, 'open')}"
    yield "status", f"{market.status}, closes in {(market.close_ms - seen.now_ms) / 3_600_000:.2f} h"


def _said(reason: str, until: str = "") -> str:
    return f"{reason}{until}. {meanings().get(reason, '')}".strip()


def _book(seen: Seen, ticker: str, own: tuple[Resting, ...]) -> Iterator[Row]:
    book = seen.snapshot.books.get(ticker)
    if book is None:
        yield "could not be read", NOTHING, NOTHING, NOTHING
        return
    others = without(book, own, LEVELS)
    for side, levels, theirs in (("ask", book.asks, others.asks), ("bid", book.bids, others.bids)):
        left = {level.price: level.count for level in theirs}
        for level in levels:
            weighs = format_count(left[level.price]) if level.price in left else "not counted"
            yield side, format_price(level.price), format_count(level.count), weighs


def _model(config: MarketConfig, decision: Decision, asked: QuoteInputs | None) -> Iterator[Row]:
    yield "fair value", _dollars(decision.fair_value)
    yield "source", decision.fair_value_source or NOTHING
    yield "spread of others", NOTHING if decision.spread is None else format_price(decision.spread)
    yield "bid above the best of others, ticks", _ticks(decision.bid_improvement)
    yield "ask below the best of others, ticks", _ticks(decision.ask_improvement)
    if asked is None:
        yield "fees", "not known"
        return
    yield "net position", format_count(asked.net)
    settings = config.settings if isinstance(config.settings, ReservationSettings) else DEFAULTS
    yield "skew, logits", decimals(skew(asked.net, config.max_position, settings.skew_at_max), 2)
    yield "reservation price", _dollars(decision.reservation_price)
    yield "least half-spread", f"{format_price(settings.min_half_spread)}, twice that while memory is cold"
    yield "half-spread", _dollars(decision.half_spread)
    yield "share of a typical move in it", f"{settings.volatility_percent_of_move} %"
    yield "least edge after fees", format_price(config.min_edge)
    yield "widest book", format_price(config.max_spread)
    if decision.reward_value is not None and decision.reward_cost is not None:
        yield "reward expected (estimate)", dollars(decision.reward_value)
        yield "fills expected to cost", dollars(decision.reward_cost)
        yield "least size paid", format_count(decision.reward_floor)
    yield "fair values quoted", f"{format_price(config.min_price)} to {format_price(config.max_price)}"


def _memory(before: Mapping[str, object] | None, wanted: Wanted | None) -> Iterator[Row]:
    old, new = recall(without_standing(before)), recall(without_standing(wanted[1])) if wanted else None
    for name, told in MEMORY.items():
        yield Figure(name, told), _field(old, name), _field(new, name)
    yield "warm", _field(old, "warm"), _field(new, "warm")
    yield "speed, half-spreads a minute", _float(old, "speed", 2), _float(new, "speed", 2)
    yield "typical move, dollars a minute", _float(old, "typical_move"), _float(new, "typical_move")


def _limits(seen: Seen, config: MarketConfig, market: Market | None, ticker: str) -> Iterator[Row]:
    bot = seen.globals_
    yield "largest position", format_count(config.max_position)
    yield "quote size, levels", f"{format_count(config.quote_size)}, {config.levels}"
    yield "worst loss of an event", dollars(bot.max_event_loss)
    yield "worst loss of all", dollars(bot.max_total_loss)
    yield "cash kept back", dollars(bot.cash_reserve)
    cash = (seen.snapshot.cash or {}).get(market.shard) if market else None
    yield "cash of the shard", NOTHING if cash is None else dollars(cash)
    yield "orders at most", str(bot.max_open_orders)
    yield "market blocked", "yes: an order of it is missing" if ticker in seen.blocked else "no"


def _slots(seen: Seen, decided: Decided, decision: Decision, wanted: Wanted | None) -> Iterator[Row]:
    asked = {target.slot: target for target in wanted[0].targets} if wanted else {}
    left = dict(wanted[0].dropped) if wanted else {}
    resting = _resting(seen, decision.ticker)
    for slot in sorted(asked.keys() | left.keys() | resting.keys() | _slots_of(decision, decided)):
        target = asked.get(slot)
        yield (
            f"{slot.side} {slot.level}",
            _quote(target) if target else str(left.get(slot, NOTHING)),
            format_price(target.edge) if target else NOTHING,
            _risk(decision, slot),
            "; ".join(_order(seen, order) for order in resting.get(slot, ())) or NOTHING,
            "; ".join(_planned(decided, slot, resting.get(slot, ()), list(seen.orders))) or NOTHING,
        )


def _resting(seen: Seen, ticker: str) -> dict[Slot, tuple[TrackedOrder, ...]]:
    found: dict[Slot, tuple[TrackedOrder, ...]] = {}
    for order in seen.orders.values():
        if order.open and order.slot.ticker == ticker:
            found[order.slot] = (*found.get(order.slot, ()), order)
    return found


def _slots_of(decision: Decision, decided: Decided) -> set[Slot]:
    named = {target.slot for target in decision.targets} | {slot for slot, _ in decision.dropped}
    return named | {slot for slot, _ in decided.withheld if slot.ticker == decision.ticker}


def _risk(decision: Decision, slot: Slot) -> str:
    cut = {own: (why, wanted) for own, why, wanted in decision.cut}
    if slot in cut:
        why, wanted = cut[slot]
        return f"{why}: cut from {format_count(wanted)} to {_count(decision, slot)}"
    dropped: dict[Slot, Reason] = dict(decision.dropped)
    if slot in dropped:
        return str(dropped[slot])
    return "whole" if any(target.slot == slot for target in decision.targets) else NOTHING


def _count(decision: Decision, slot: Slot) -> str:
    return next((format_count(t.count) for t in decision.targets if t.slot == slot), "nothing")


def _order(seen: Seen, order: TrackedOrder) -> str:
    unproven = ", unproven" if order.slot in seen.frozen else ""
    return f"{format_price(order.price)} x {format_count(order.remaining)}, {order.state}{unproven}"


def _planned(
    decided: Decided, slot: Slot, resting: tuple[TrackedOrder, ...], names: list[str]
) -> Iterator[str]:
    mine, kept = {order.client_order_id for order in resting}, {names[place] for place in decided.kept}
    yield from ("keep" for name in sorted(mine & kept))
    for cut in decided.decreases:
        if cut.client_order_id in mine:
            yield f"decrease to {format_count(cut.reduce_to)}"
    yield from ("extend" for own in decided.extends if own.client_order_id in mine)
    for gone in decided.cancels:
        if gone.client_order_id in mine:
            yield f"cancel ({decided.why.get(gone.client_order_id, 'no reason')})"
    yield from (f"place {_quote(place)}" for place in decided.places if place.slot == slot)
    yield from (f"withhold ({why})" for own, why in decided.withheld if own == slot)


def _quote(target: TargetOrder) -> str:
    return f"{format_price(target.price)} x {format_count(target.count)}"


def _ticks(improvement: int | None) -> str:
    return NOTHING if improvement is None else str(improvement)


def _dollars(value: float | None) -> str:
    return NOTHING if value is None else decimals(value, PRICE_PLACES)


def _field(memory: Memory | None, name: str) -> str:
    if memory is None:
        return NOTHING
    own = getattr(memory, name)
    if name.endswith("_e9"):
        return Figure(str(own), f"{own / 10**9:.{PRICE_PLACES}f}")
    if name.endswith("_e12"):
        return Figure(str(own), f"{own / 10**12:.6f}")
    if name.endswith("_ms"):
        return Figure(str(own), f"{own / 60_000:.1f}")
    return Figure(str(own), "yes" if own else "no")


def _float(memory: Memory | None, name: str, places: int = PRICE_PLACES) -> str:
    return NOTHING if memory is None else decimals(getattr(memory, name), places)
