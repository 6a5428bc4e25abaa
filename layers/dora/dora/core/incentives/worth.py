"""What is still to be earned of a program, what the fills on the way will cost, and the size between both.

    x(q)      banked + for each side pool/2 x q / (others + q) x left / period x counted x presence
    value(q)  paid(banked + 0.67 (x - banked)) - paid(banked)
    cost(q)   loss of a contract-day x q on each side x days left

`paid` is nothing below a dollar. Two thirds, because others come when a market pays. Amounts are 1e-6 $,
sizes 0.01 contracts; the model's quotients are floats, earnings rounded down, costs up.
"""

from bisect import bisect_left
from math import ceil
from typing import NamedTuple

from dora.core.incentives.score import paid
from dora.core.units import CONTRACT, Count, Money
from dora.core.zones import DAY_MS

BELIEVED_PERCENT = 67
LOSS_PRIOR = Money(17_000)
"""1.7 cents that a contract which rests for a day loses by its fills, until our own fills say otherwise."""


class Outlook(NamedTuple):
    """The rest of a program's period as we see it."""

    pool: Money
    """Of the whole period and both sides."""
    period_ms: int
    left_ms: int
    """In which we may rest."""
    others: tuple[int, ...]
    """Of each side that we would quote, the score of everybody else: 0.01 contracts of full weight."""
    banked: Money = Money(0)
    counted: float = 1.0
    """The part of looks that count."""
    presence: float = 1.0
    """The part of looks at which we rest where we want to."""
    most: Money | None = None
    """What one account may get."""
    loss: Money = LOSS_PRIOR
    """Of a contract that rests for a day."""


class Worth(NamedTuple):
    """The best size on each side, and what it is worth."""

    size: Count
    floor: Count
    """The least size that is paid anything; larger than the largest allowed one where none is."""
    value: Money
    cost: Money

    @property
    def gain(self) -> Money:
        """What is left of the value."""
        return Money(self.value - self.cost)


def projected(outlook: Outlook, size: int) -> Money:
    """What the period ends with, at this size from now on, before anything is cut."""
    left = outlook.left_ms / outlook.period_ms * outlook.counted * outlook.presence
    shares = sum([size / (others + size) for others in outlook.others]) if size > 0 else 0.0
    return Money(outlook.banked + int(outlook.pool / 2 * left * shares))


def believed(outlook: Outlook, size: int) -> Money:
    """Of the projection, what is counted on."""
    more = projected(outlook, size) - outlook.banked
    return Money(outlook.banked + more * BELIEVED_PERCENT // 100)


def value(outlook: Outlook, size: int) -> Money:
    """What this size adds to the payout."""
    before = paid(outlook.banked, outlook.most)
    return Money(paid(believed(outlook, size), outlook.most) - before)


def cost(outlook: Outlook, size: int) -> Money:
    """What fills lose on the way."""
    contracts = size * len(outlook.others) / CONTRACT
    return Money(ceil(outlook.loss * contracts * max(outlook.left_ms, 0) / DAY_MS))


def floor_size(outlook: Outlook, most: Count) -> Count:
    """The least whole contracts that are paid anything at all; beyond `most` where nothing is."""
    sizes = range(CONTRACT, most + 1, CONTRACT)
    at = bisect_left(sizes, True, key=lambda size: paid(believed(outlook, size), outlook.most) > 0)
    return Count(sizes[at] if at < len(sizes) else most // CONTRACT * CONTRACT + CONTRACT)


def worth(outlook: Outlook, most: Count) -> Worth:
    """The size of whole contracts up to `most` that leaves most, none below the floor.

    Past the floor each further contract adds less than the one before and costs the same.
    """
    floor = floor_size(outlook, most)
    if floor > most or not outlook.others:
        return Worth(Count(0), floor, Money(0), cost(outlook, most))
    sizes = range(floor, most - CONTRACT + 1, CONTRACT)
    size = floor + CONTRACT * bisect_left(sizes, True, key=lambda size: not _grows(outlook, size))
    return Worth(Count(size), floor, value(outlook, size), cost(outlook, size))


def _grows(outlook: Outlook, size: int) -> bool:
    """Whether one more contract on each side adds more than it costs."""
    capped = projected(outlook, size)
    if outlook.most is not None and capped >= outlook.most:
        return False
    left = outlook.left_ms / outlook.period_ms * outlook.counted * outlook.presence
    now = [(others, others + size) for others in outlook.others]
    more = sum([CONTRACT * others / (there * (there + CONTRACT)) for others, there in now])
    added = outlook.pool / 2 * left * more * BELIEVED_PERCENT / 100
    return added > cost(outlook, size + CONTRACT) - cost(outlook, size)
