"""What the books cost: CPU of the pure ledger alone, fill by fill as a cycle posts them."""

import random
from time import process_time

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import Attribution, post_fills
from dora.core.accounts.stored_books import FILLS_PER_TRANSACTION
from dora.core.exchange.account import Fill
from dora.core.exchange.market import Side
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs

MARKETS = 300
ORDERS = 500
OF_OURS = 400
LATE_PERCENT = 5
START_MS = 1_795_183_200_000
SPACING_MS = 2_000


def books_cpu(fills: int) -> dict[str, float]:
    """CPU seconds for so many fills, ledgers and profit rows included, and microseconds for each."""
    listed = _listed(fills)
    ours = {f"o{number}": Attribution("reservation", "s") for number in range(OF_OURS)}
    ledgers: dict[str, MarketLedger] = {}
    began = process_time()
    for first in range(0, fills, FILLS_PER_TRANSACTION):
        ledgers |= post_fills(ledgers, listed[first : first + FILLS_PER_TRANSACTION], (), ours).ledgers
    spent = process_time() - began
    return {"fills": fills, "cpu_s": round(spent, 2), "us_a_fill": round(spent / fills * 1e6, 1)}


def _listed(fills: int) -> list[Fill]:
    """Fills of both sides over many markets, some of them listed a good while late."""
    chance = random.Random(1)
    made = [_fill(number, chance) for number in range(fills)]
    lag = MARKETS * FILLS_PER_TRANSACTION
    delay = [chance.randrange(lag) if chance.randrange(100) < LATE_PERCENT else 0 for _ in made]
    return [made[at] for at in sorted(range(fills), key=lambda at: (at + delay[at], at))]


def _fill(number: int, chance: random.Random) -> Fill:
    return Fill(
        fill_id=f"f{number}",
        order_id=f"o{chance.randrange(ORDERS)}",
        ticker=f"KXBOOKS-26NOV21-T{chance.randrange(MARKETS)}",
        shard=0,
        side=chance.choice(list(Side)),
        price=Price(chance.randrange(1, ONE_DOLLAR)),
        count=Count(chance.randrange(1, 5_000)),
        is_taker=False,
        fee=Money(chance.randrange(20_000)),
        at_ms=TimeMs(START_MS + SPACING_MS * number),
    )
