"""The obvious version of the reservation strategy, to compare the fast one with: every step by itself.

    bid       floor(min(r - d, f - fee(bid) - least edge, best ask - tick, best bid + n ticks))
    ask       ceil (max(r + d, f + fee(ask) + least edge, best bid + tick, best ask - n ticks))
    level i   i gaps behind level 0, a tick behind level i - 1 at least, and with the least edge too

f is fair value, r the reservation price, d the half-spread, n how far a quote may lead the touch.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dora.core.exchange.book import Resting
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Book, Level, Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.fair_value import LEVELS, FairValue
from dora.core.quoting.ladder import NANO, NANO_PER_PRICE
from dora.core.quoting.memory import SPEED_WINDOW_MS, STALE_MS, VOLATILITY_WINDOW_MS, Memory, judged
from dora.core.quoting.reservation_price import logit, reservation_price, skew
from dora.core.quoting.strategies.reservation import DEFAULTS, ReservationSettings
from dora.core.reasons import Reason
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Price, PriceGrid, TimeMs


class Model(NamedTuple):
    """Fair value, reservation price and half-spread in 1e-9 $."""

    fair: int
    reservation: int
    half: int


Quote = TargetOrder | Reason
"""What one level rests, or why it rests nothing."""

_E9, _E12 = 10**9, 10**12
_LARGEST = 10**18


def quote(inputs: QuoteInputs, stored: Mapping[str, object] | None) -> tuple[Decision, Mapping[str, object]]:
    """The decision of one market whose book was read, and its memory after this look."""
    own = inputs.config.settings
    settings = own if isinstance(own, ReservationSettings) else DEFAULTS
    assert inputs.book is not None
    before = recall(stored)
    fair = fair_value(without(inputs.book, inputs.own), inputs.config.max_spread)
    if isinstance(fair, Reason):
        return Decision(ticker=inputs.market.ticker, skip=fair), dict(before._asdict()) if before else {}
    limits = inputs.config.max_speed_percent, inputs.config.resume_speed_percent
    memory = judged(remember(before, fair, inputs.now_ms), *limits)
    return _decision(inputs, settings, fair, memory), memory._asdict()


# --- the book ---------------------------------------------------------------------------------------------


def without(book: Book, own: Iterable[Resting]) -> Book:
    """The book as others make it: never less than nothing at a price, and nothing at a price not shown."""
    mine: dict[tuple[Side, Price], int] = {}
    for side, price, count in own:
        mine[side, price] = mine.get((side, price), 0) + count
    bids, asks = (
        [Level(level.price, Count(level.count - mine.get((side, level.price), 0))) for level in levels]
        for side, levels in ((Side.BID, book.bids), (Side.ASK, book.asks))
    )
    return Book(book.ticker, tuple(b for b in bids if b.count > 0), tuple(a for a in asks if a.count > 0))


def fair_value(book: Book, max_spread: Price) -> FairValue | Reason:
    """The depth-weighted mid, or why there is none."""
    if not book.bids or not book.asks:
        return Reason.BOOK_ONE_SIDED
    bid, ask = book.bids[0].price, book.asks[0].price
    if bid >= ask:
        return Reason.BOOK_CROSSED
    if ask - bid > max_spread:
        return Reason.BOOK_TOO_WIDE
    bids, asks = (sum(level.count for level in side[:LEVELS]) for side in (book.bids, book.asks))
    return FairValue((bid * asks + ask * bids) / ((bids + asks) * ONE_DOLLAR), "book", bid, ask)


# --- memory -----------------------------------------------------------------------------------------------


def recall(stored: Mapping[str, object] | None) -> Memory | None:
    """The memory as stored, None when there is none or it is not understood."""
    if stored is None or stored.keys() != set(Memory._fields):
        return None
    values = {name: value for name, value in stored.items() if type(value) is int and 0 <= value < _LARGEST}
    if len(values) != len(stored) or not 0 < values["fair_e9"] < _E9:
        return None
    return Memory(**values)


def remember(before: Memory | None, fair: FairValue, now_ms: TimeMs) -> Memory:
    """The memory after this look, before it is judged."""
    looked = Memory(
        at_ms=now_ms,
        fair_e9=min(max(round(fair.value * _E9), 1), _E9 - 1),
        mid_e9=(fair.bid + fair.ask) * (_E9 // ONE_DOLLAR) // 2,
        half_e9=(fair.ask - fair.bid) * (_E9 // ONE_DOLLAR) // 2,
    )
    if before is None or not 0 <= now_ms - before.at_ms <= STALE_MS:
        return looked
    return before if now_ms == before.at_ms else _averaged(before, looked, now_ms - before.at_ms)


def _averaged(before: Memory, looked: Memory, span_ms: int) -> Memory:
    watched = before.watched_ms + span_ms
    square = (logit(looked.fair_e9 / _E9) - logit(before.fair_e9 / _E9)) ** 2
    slow = span_ms / min(watched, max(SPEED_WINDOW_MS, span_ms))
    quick = span_ms / min(watched, max(VOLATILITY_WINDOW_MS, span_ms))
    move = abs(looked.mid_e9 - before.mid_e9) * 60_000 / span_ms
    return looked._replace(
        watched_ms=watched,
        variance_e12=_mixed(before.variance_e12, square * 1000 / span_ms * _E12, quick),
        move_e9=_mixed(before.move_e9, move, slow),
        half_e9=_mixed(before.half_e9, looked.half_e9, slow),
        fast=before.fast,
    )


def _mixed(average: int, sample: float, weight: float) -> int:
    return round(average + (sample - average) * weight)


# --- the ladder -------------------------------------------------------------------------------------------


def _decision(
    inputs: QuoteInputs, settings: ReservationSettings, fair: FairValue, memory: Memory
) -> Decision:
    ticker, config = inputs.market.ticker, inputs.config
    unfit = {
        Reason.FAIR_VALUE_OUT_OF_RANGE: not _in_range(inputs, fair),
        Reason.TOO_FAST: memory.fast == 1,
        Reason.WARMING_UP: memory.watched_ms < config.warm_up_minutes * 60_000,
        Reason.BOOK_TOO_NARROW: fair.ask - fair.bid < config.min_book_width,
    }
    for why in (why for why, holds in unfit.items() if holds):
        skipped = Decision(ticker=ticker, skip=why, fair_value=fair.value, fair_value_source=fair.source)
        return skipped._replace(**_seen(inputs, fair, memory))
    shift = skew(inputs.net, config.max_position, settings.skew_at_max)
    floor = settings.min_half_spread * (1 if memory.warm else 2) / ONE_DOLLAR
    half = floor + memory.typical_move * settings.volatility_percent_of_move / 100
    model = Model(
        round(fair.value * NANO), round(reservation_price(fair.value, shift) * NANO), round(half * NANO)
    )
    quotes = _uncrossed(
        {slot: found for side in Side for slot, found in ladder(side, inputs, fair, model).items()}
    )
    return Decision(
        ticker=ticker,
        targets=tuple(target for target in quotes.values() if isinstance(target, TargetOrder)),
        dropped=tuple((slot, why) for slot, why in quotes.items() if isinstance(why, Reason)),
        fair_value=model.fair / NANO,
        fair_value_source=fair.source,
        reservation_price=model.reservation / NANO,
        half_spread=model.half / NANO,
        **_seen(inputs, fair, memory),
    )


def _seen(inputs: QuoteInputs, fair: FairValue, memory: Memory) -> dict[str, Any]:
    """What a decision tells of its market beside the model."""
    return {"spread": fair.ask - fair.bid, "speed": memory.speed, "position": inputs.net}


def _in_range(inputs: QuoteInputs, fair: FairValue) -> bool:
    return inputs.config.min_price <= fair.value * ONE_DOLLAR <= inputs.config.max_price


def _uncrossed(quotes: Mapping[Slot, Quote]) -> Mapping[Slot, Quote]:
    """Our own best bid meeting our own best ask drops every level."""
    targets = [found for found in quotes.values() if isinstance(found, TargetOrder)]
    bids, asks = ([t.price for t in targets if t.slot.side is side] for side in (Side.BID, Side.ASK))
    if bids and asks and max(bids) >= min(asks):
        return dict.fromkeys(quotes, Reason.SELF_CROSS)
    return quotes


def ladder(side: Side, inputs: QuoteInputs, seen: FairValue, model: Model) -> dict[Slot, Quote]:
    """Every configured level of one side, inner first, each worked out by itself."""
    config, grid = inputs.config, inputs.market.grid
    room = config.max_position - side.sign * inputs.net
    top = price = _touch(side, inputs, seen, model)
    quotes: dict[Slot, Quote] = {}
    for level in range(config.levels):
        slot = Slot(inputs.market.ticker, side, level)
        quotes[slot] = found = _quote(slot, price, _count(inputs, room), inputs, model)
        if isinstance(found, TargetOrder):
            room -= found.count
            top = top if level else found.price
            wanted = Price(top - side.sign * (level + 1) * config.level_gap)
            price = clear(side, grid, wanted, found.price)
    return quotes


def _touch(side: Side, inputs: QuoteInputs, seen: FairValue, model: Model) -> Price:
    grid = inputs.market.grid
    lead = seen.bid if side is Side.BID else seen.ask
    for _ in range(inputs.config.max_improve_ticks):
        lead = grid.above(lead) if side is Side.BID else grid.below(lead)
    if side is Side.BID:
        highest = Price((model.reservation - model.half) // NANO_PER_PRICE)
        return clear(side, grid, min(highest, lead), seen.ask)
    lowest = Price(-((-model.reservation - model.half) // NANO_PER_PRICE))
    return clear(side, grid, max(lowest, lead), seen.bid)


def clear(side: Side, grid: PriceGrid, wanted: Price, of: Price) -> Price:
    """The grid point nearest to `wanted`, outward, that is strictly further out than `of`."""
    if side is Side.BID:
        return min(grid.floor(wanted), grid.below(of))
    return max(grid.ceil(wanted), grid.above(of))


def _count(inputs: QuoteInputs, room: int) -> Count:
    size = inputs.config.quote_size
    return size if size <= room else Count(max(room, 0) // CONTRACT * CONTRACT)


def _quote(slot: Slot, price: Price, count: Count, inputs: QuoteInputs, model: Model) -> Quote:
    """The first price outward from this one whose full fill earns the least edge."""
    if count <= 0:
        return Reason.POSITION_CAP
    while 0 < price < ONE_DOLLAR:
        gain = slot.side.sign * (model.fair - price * NANO_PER_PRICE) // NANO_PER_PRICE
        edge = Price(gain - cost_per_contract(inputs.fees, price, count, slot.side))
        if edge >= inputs.config.min_edge:
            return TargetOrder(slot=slot, price=price, count=count, edge=edge)
        price = clear(slot.side, inputs.market.grid, price, price)
    return Reason.NO_EDGE


def cost_per_contract(terms: FeeTerms, price: Price, count: Count, side: Side) -> Price:
    """The maker's fee and what the balance is rounded down by, per contract, rounded up to 1e-4 $."""
    fee = _ceil_div(terms.maker_rate_e8 * count * price * (ONE_DOLLAR - price), 10**12)
    spent = side.sign * price * count + fee
    return Price(_ceil_div(fee + -spent % terms.balance_step, count))


def _ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
