"""The incentive strategy: rests where a liquidity program pays, in the size that is worth its fills.

    price   the reference price of each side: the deepest of full weight; left there while its weight is full,
            less than two ticks further in, and not ahead of the best price of others
    size    the best of `core/incentives/worth`; none below the least that is paid
    sides   one whose fill would earn less than `min_edge` at fair value stands aside, and one that fights
            a configured fair value
    when    `core/quoting/reward_standing`

Where nothing is to be earned any more it only closes what it holds, at the best price of others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from dora.core.config_fields import Checked, dollars, whole_number
from dora.core.errors import StrategyInvalid
from dora.core.exchange.book import without
from dora.core.exchange.fees import maker_fee_per_contract
from dora.core.exchange.market import Book, Side, slot_of
from dora.core.incentives.programs import Reward
from dora.core.incentives.score import TICK, Score, score
from dora.core.incentives.worth import Outlook, Worth, worth
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.fair_value import FairValue
from dora.core.quoting.ladder import NANO, NANO_PER_PRICE, ladder
from dora.core.quoting.memory import recall
from dora.core.quoting.outside_value import fights
from dora.core.quoting.reward_standing import (
    Seen,
    Standing,
    judged_worth,
    looked,
    recall_standing,
    without_standing,
)
from dora.core.quoting.strategy import StoredMemory
from dora.core.quoting.watch import Unquoted, Watched, skipped, watch
from dora.core.reasons import Reason
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Money, Price

TOO_FAR_TICKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class IncentiveSettings(Checked):
    """What a market's item sets for this strategy."""

    entry_margin: Money = dollars("0", "1000", "0.50")
    """How much more than its cost a program must be worth before its market is entered."""
    strikes_per_event: int = whole_number("1", "3000", "3")
    """So many markets of an event at most are quoted for their programs: those that leave most per dollar."""

    implied: ClassVar[Mapping[str, str]] = {
        "refill_below_percent": "60",
        "price_tolerance_ticks": "0",
        "min_book_width_dollars": "0",
        "min_price_dollars": "0.05",
        "max_price_dollars": "0.90",
    }


class Incentive:
    """`Strategy`. Memory counts looks and what they earned also while the market is not quoted."""

    settings = IncentiveSettings

    def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        """Both sides at their reference prices, what closes a position, or why there is nothing."""
        settings = _settings(inputs)
        stored = memory or {}
        seen = watch(inputs, without_standing(stored))
        looks = _look(inputs)
        before = recall_standing(stored)
        standing = before if looks is None else _counted(before, looks, inputs)
        if isinstance(seen, Unquoted):
            return seen.decision, {**seen.stored, **_unpinned(standing).stored()}
        decision, standing = _decided(inputs, settings, seen, looks, standing)
        return decision, {**seen.memory.stored(), **standing.stored()}

    def mark(self, memory: StoredMemory) -> Price | None:
        """Fair value at the last look, rounded down to a price."""
        remembered = recall(without_standing(memory))
        return None if remembered is None else Price(remembered.fair_e9 * ONE_DOLLAR // NANO)


class _Looks(NamedTuple):
    """A look at a market with a program."""

    reward: Reward
    seen: Seen


def _settings(inputs: QuoteInputs) -> IncentiveSettings:
    own = inputs.config.settings
    if not isinstance(own, IncentiveSettings | None):
        raise StrategyInvalid(f"settings of kind {type(own).__name__}")
    return own or IncentiveSettings()


def _look(inputs: QuoteInputs) -> _Looks | None:
    """None: no program is known, or the book is not."""
    reward, book = inputs.reward, inputs.book
    if reward is None or book is None or book.ticker != inputs.market.ticker or not _in_cents(inputs):
        return None
    alone = score(_others(inputs, book), (), reward.terms)
    return _Looks(reward, Seen(score(book, inputs.own, reward.terms), alone))


def _others(inputs: QuoteInputs, book: Book) -> Book:
    return without(book, inputs.own, max(len(book.bids), len(book.asks)))


def _in_cents(inputs: QuoteInputs) -> bool:
    return all(row.step == TICK for row in inputs.market.grid.ranges)


def _counted(before: Standing, looks: _Looks, inputs: QuoteInputs) -> Standing:
    program = looks.reward.program
    period_ms = program.end_ms - program.start_ms
    return looked(before, program.program_id, program.reward, period_ms, looks.seen, inputs.now_ms)


def _unpinned(standing: Standing) -> Standing:
    return standing._replace(bid=0, ask=0)


def _decided(
    inputs: QuoteInputs, settings: IncentiveSettings, seen: Watched, looks: _Looks | None, standing: Standing
) -> tuple[Decision, Standing]:
    if looks is None:
        if not _in_cents(inputs):
            return _closing(inputs, seen, Reason.GRID_TOO_FINE), _unpinned(standing)
        out = _unpinned(standing)._replace(entered=0, worth_ms=0)
        return _closing(inputs, seen, Reason.NO_PROGRAM), out
    prices = _prices(inputs, seen.fair, looks.seen.alone, standing)
    found = _worth(inputs, looks.reward, standing, prices)
    before = standing.entered
    standing = judged_worth(
        standing, value=found.value, cost=found.cost, margin=settings.entry_margin, now_ms=inputs.now_ms
    )
    if not standing.entered:
        why = _not_entered(standing, found, settings, left=bool(before))
        return _told(_closing(inputs, seen, why), found, 0), _unpinned(standing)
    if not prices:
        return _closing(inputs, seen, Reason.NO_EDGE), _unpinned(standing)
    pinned = standing._replace(bid=prices.get(Side.BID, 0), ask=prices.get(Side.ASK, 0))
    return _quotes(inputs, seen, prices, found), pinned


def _prices(inputs: QuoteInputs, fair: FairValue, alone: Score, standing: Standing) -> dict[Side, Price]:
    """Where each side would rest; without those that stand aside."""
    found = {}
    for side, of, best, pinned in (
        (Side.BID, alone.bid, fair.bid, standing.bid),
        (Side.ASK, alone.ask, fair.ask, standing.ask),
    ):
        if of.reference is not None:
            price = _pinned(side, pinned, of.reference, best)
            fought = fights(side, price, inputs.config, inputs.now_ms)
            if not fought and _edge(inputs, fair, side, price) >= inputs.config.min_edge:
                found[side] = price
    return found


def _pinned(side: Side, pinned: int, reference: Price, best: Price) -> Price:
    """The price of before where it still has full weight and is not too far in; else the reference."""
    forward = side.sign * (pinned - reference)
    ahead = side.sign * (pinned - best) > 0
    return Price(pinned) if pinned and 0 <= forward < TOO_FAR_TICKS * TICK and not ahead else reference


def _edge(inputs: QuoteInputs, fair: FairValue, side: Side, price: Price) -> int:
    """What a full fill earns per contract at fair value, after fees; fair value is rounded against it."""
    fair_e9 = round(fair.value * NANO)
    value = fair_e9 // NANO_PER_PRICE if side is Side.BID else -(-fair_e9 // NANO_PER_PRICE)
    fee = maker_fee_per_contract(inputs.fees, price, inputs.config.quote_size, side)
    return side.sign * (value - price) - fee


def _worth(inputs: QuoteInputs, reward: Reward, standing: Standing, prices: Mapping[Side, Price]) -> Worth:
    others, most = standing.others, inputs.config.quote_size // CONTRACT * CONTRACT
    if others is None or not prices:
        return Worth(Count(0), Count(0), Money(0), Money(0))
    program = reward.program
    sides = [score for score, side in zip(others, (Side.BID, Side.ASK), strict=True) if side in prices]
    outlook = Outlook(
        pool=program.reward,
        period_ms=program.end_ms - program.start_ms,
        left_ms=max(reward.until_ms - inputs.now_ms, 0),
        others=tuple(sides),
        banked=Money(standing.banked),
        counted=standing.counted_part,
        presence=standing.presence,
        most=program.most,
        loss=reward.loss,
    )
    return worth(outlook, Count(most))


def _not_entered(standing: Standing, found: Worth, settings: IncentiveSettings, *, left: bool) -> Reason:
    if standing.gateless or not standing.held:
        return Reason.REWARD_GATE
    if left or found.value < found.cost + settings.entry_margin:
        return Reason.REWARD_TOO_LOW
    return Reason.REWARD_WAITING


def _quotes(inputs: QuoteInputs, seen: Watched, prices: Mapping[Side, Price], found: Worth) -> Decision:
    ticker, config, fair = inputs.market.ticker, inputs.config, seen.fair
    floor = Count(min(found.floor, config.quote_size) or CONTRACT)
    wanted = max(found.size, floor)
    targets, dropped, at_risk = [], [], 0
    for side in Side:
        slot, price = slot_of(ticker, side, 0), prices.get(side)
        if price is None:
            dropped.append((slot, Reason.NO_EDGE))
            continue
        room = max(config.max_position - side.sign * inputs.net, 0)
        count = Count(wanted if wanted <= room else room // CONTRACT * CONTRACT)
        if count < floor:
            dropped.append((slot, Reason.INCENTIVE_FLOOR))
            continue
        targets.append(TargetOrder(slot, price, count, Price(_edge(inputs, fair, side, price))))
        at_risk += count * (price if side is Side.BID else ONE_DOLLAR - price)
    decision = Decision(
        ticker=ticker,
        targets=tuple(targets),
        dropped=tuple(dropped),
        fair_value=fair.value,
        fair_value_source=fair.source,
        spread=Price(fair.ask - fair.bid),
        speed=seen.memory.speed,
        position=inputs.net,
        reward_floor=floor,
    )
    return _told(decision, found, at_risk)


def _told(decision: Decision, found: Worth, at_risk: int) -> Decision:
    """With what it is worth; the gain per dollar at risk ranks it among others, and is 0 where none rests."""
    rate = found.gain * 10**6 // at_risk if at_risk else 0
    return decision._replace(reward_value=found.value, reward_cost=found.cost, reward_rate=rate)


def _closing(inputs: QuoteInputs, seen: Watched, why: Reason) -> Decision:
    """What brings the position nearer to zero, and nothing else."""
    net, ticker, fair = inputs.net, inputs.market.ticker, seen.fair
    if not net:
        return skipped(inputs, why, fair, seen.memory)
    out, back = (Side.ASK, Side.BID) if net > 0 else (Side.BID, Side.ASK)
    fair_e9 = round(fair.value * NANO)
    made, lacking = ladder(out, inputs, fair, fair_e9, fair.ask if out is Side.ASK else fair.bid)
    if not made:
        return skipped(inputs, lacking or why, fair, seen.memory)
    first = made[0]._replace(count=Count(min(made[0].count, abs(net))))
    dropped = tuple((slot_of(ticker, back, level), why) for level in range(inputs.config.levels))
    rest = tuple((slot_of(ticker, out, level), why) for level in range(1, inputs.config.levels))
    return Decision(
        ticker=ticker,
        targets=(first,),
        dropped=(*dropped, *rest),
        fair_value=fair.value,
        fair_value_source=fair.source,
        spread=Price(fair.ask - fair.bid),
        speed=seen.memory.speed,
        position=net,
    )
