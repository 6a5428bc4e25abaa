"""A plan from a seed: each kind of fault begins in so many of a hundred minutes, aimed at random."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from .fault_answers import TWISTS
from .fault_plan import Fault, FaultPlan

MINUTE_MS = 60_000
BATCH = "* /portfolio/events/orders/batched"
LISTS = ("GET /portfolio/orders", "GET /portfolio/fills", "GET /portfolio/positions")
EMPTY_LISTS = (*LISTS, "GET /portfolio/settlements", "GET /portfolio/order_groups", "GET /markets/orderbooks")
ACCOUNT = (*LISTS, "GET /portfolio/settlements", "GET /portfolio/order_groups", "GET /portfolio/balance")
READS = (*LISTS, "GET /portfolio/orders/*", "GET /portfolio/balance", "GET /portfolio/order_groups",
         "GET /exchange/*", "GET /markets", "GET /markets/orderbooks")  # fmt: skip
WRITES = (f"POST{BATCH[1:]}", f"DELETE{BATCH[1:]}", "POST */decrease", "PUT */trigger", "POST */create")
AWS_WRITES = ("PutItem *", "UpdateItem LEASE", "UpdateItem LIMITER", "TransactWriteItems *")
AWS_CALLS = ("Query", "BatchGetItem *", *AWS_WRITES)
PAGE_TWISTS = ("blank", "loop-cursor")
ERRORS = ((503, ""), (408, ""), (429, ""), (500, ""), (400, "invalid_parameters"))

Draw = Callable[[Random], Fault]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How many of a hundred minutes each kind begins in; `own` overrides the kind it names."""

    percent: float = 2
    own: Mapping[str, float] = field(default_factory=dict)

    def of(self, kind: str) -> float:
        return self.own.get(kind, self.percent)


def draw(
    seed: int,
    minutes: int,
    rates: Rates,
    *,
    tickers: Sequence[str] = (),
    shards: Iterable[int] = (0,),
    kinds: Iterable[str] | None = None,
) -> FaultPlan:
    """A plan for so many minutes; of these kinds only, if any are named. Faults of markets need `tickers`."""
    dice, faults = Random(seed), list[Fault]()
    drawn = {**_requests(), **_stage(sorted(shards)), **_driver(), **(_markets(tickers) if tickers else {})}
    chosen = sorted(drawn.keys() if kinds is None else drawn.keys() & set(kinds))
    for minute in range(minutes):
        for kind in chosen:
            if dice.random() * 100 < rates.of(kind):
                offset_ms = minute * MINUTE_MS
                faults.append(replace(drawn[kind](dice), at_ms=offset_ms))
    return FaultPlan(tuple(faults), seed)


def _requests() -> dict[str, Draw]:
    """Faults of single requests last a minute: one cycle."""
    twists: dict[str, Draw] = {
        kind: _struck(kind, LISTS if kind in PAGE_TWISTS else (*LISTS, BATCH))
        for kind in TWISTS.keys() - {"foreign-rows"}
    }
    return {
        **twists,
        "null-lists": _null_lists,
        "swap-ids": _struck("swap-ids", WRITES[:2]),
        "no-ids": _struck("no-ids", (BATCH,)),
        "slow": lambda dice: Fault(
            kind="slow", where="*", for_ms=MINUTE_MS, times=1, amount=dice.choice((200, 1_000, 4_000))
        ),
        "lose-request": _struck("lose-request", (*READS, *WRITES)),
        "lose-answer": _struck("lose-answer", (*READS, *WRITES)),
        "trickle": _struck("trickle", (*READS, *WRITES)),
        "dead-connections": lambda dice: Fault(
            kind="dead-connections",
            where=dice.choice(("GET *", "*")),
            for_ms=MINUTE_MS,
            amount=dice.choice((0, 1)),
            code=dice.choice(("", "silence")),
        ),
        "no-cash": lambda dice: replace(
            _lasting("no-cash", dice), amount=dice.choice((503, 429)), code=dice.choice(("", "lost"))
        ),
        "hold": lambda dice: replace(_struck("hold", WRITES)(dice), amount=dice.randrange(60_001), times=1),
        "refuse": _error("refuse", (*READS, *WRITES)),
        "error-after": _error("error-after", WRITES, ERRORS[:2]),
        "part-batch": lambda dice: replace(
            _struck("part-batch", (BATCH,))(dice), code=dice.choice(("prefix", ""))
        ),
        "fail-page": _struck("fail-page", LISTS),
        "twice": lambda dice: replace(_struck("twice", WRITES[:3])(dice), code=dice.choice(("", "second"))),
    }


def _stage(shards: Sequence[int]) -> dict[str, Draw]:
    def lag(dice: Random) -> Fault:
        where = dice.choice(("orders", "fills", "positions", "balance", "groups"))
        return _lasting("lag", dice, where=where, amount=dice.randrange(1_000, 90_000))

    return {
        "lag": lag,
        "lag-shard": lambda dice: _lasting(
            "lag-shard", dice, where=str(dice.choice(shards)), amount=dice.randrange(1_000, 90_000)
        ),
        "late-groups": lambda dice: _lasting("late-groups", dice, amount=dice.randrange(1_000, 15_001)),
        "freeze-reads": lambda dice: _lasting("freeze-reads", dice),
        "stamp-ahead": lambda dice: _lasting("stamp-ahead", dice, amount=dice.randrange(600_001)),
        "stamp-idle": lambda dice: _lasting("stamp-idle", dice),
        "starve": lambda dice: Fault(kind="starve", where=dice.choice(("read", "write", "balance"))),
        "pause-trading": lambda dice: _lasting("pause-trading", dice, where=str(dice.choice(shards))),
        "pause-exchange": lambda dice: _lasting("pause-exchange", dice, where=str(dice.choice(shards))),
    }


def _markets(tickers: Sequence[str]) -> dict[str, Draw]:
    return {
        "ticks": lambda dice: _lasting("ticks", dice, where=dice.choice(tickers), amount=10),
        "close": lambda dice: _lasting("close", dice, where=dice.choice(tickers)),
        "foreign-rows": _foreign_rows(tickers),
    }


def _driver() -> dict[str, Draw]:
    return {
        "aws-throttle": _struck("aws-throttle", AWS_CALLS),
        "aws-conflict": _struck("aws-conflict", AWS_WRITES[3:]),
        "aws-bare-error": _struck("aws-bare-error", AWS_CALLS),
        "aws-bare-answer": _struck("aws-bare-answer", AWS_CALLS),
        "aws-lose-request": _struck("aws-lose-request", AWS_CALLS),
        "aws-lose-reply": _struck("aws-lose-reply", AWS_CALLS),
        "aws-stall": lambda dice: replace(
            _struck("aws-stall", AWS_CALLS)(dice),
            amount=dice.randrange(100, 4_000),
            code=dice.choice(("", "before")),
        ),
        "kill": lambda dice: Fault(kind="kill", where="cycle", amount=dice.randrange(40)),
    }


def _struck(kind: str, places: Sequence[str]) -> Draw:
    """Once, or at every try of that minute."""
    return lambda dice: Fault(
        kind=kind, where=dice.choice(places), for_ms=MINUTE_MS, times=dice.choice((0, 1))
    )


def _null_lists(dice: Random) -> Fault:
    """Of lists that are empty, or of a list that a reader must not believe to be empty."""
    code = dice.choice(("", "absent", "blank", "absent blank"))
    return replace(_struck("null-lists", LISTS if "blank" in code else EMPTY_LISTS)(dice), code=code)


def _foreign_rows(tickers: Sequence[str]) -> Draw:
    """Of a market that nobody quotes, and now and then an order in one of these."""

    def drawn(dice: Random) -> Fault:
        fault = _struck("foreign-rows", ACCOUNT)(dice)
        code = dice.choice((dice.choice(tickers), ""))
        return replace(fault, code=code) if fault.where == LISTS[0] else fault

    return drawn


def _error(kind: str, places: Sequence[str], errors: Sequence[tuple[int, str]] = ERRORS) -> Draw:
    def drawn(dice: Random) -> Fault:
        status, code = dice.choice(errors)
        return replace(_struck(kind, places)(dice), amount=status, code=code)

    return drawn


def _lasting(kind: str, dice: Random, *, where: str = "*", amount: int = 0) -> Fault:
    """One to five minutes."""
    return Fault(kind=kind, where=where, for_ms=dice.randrange(1, 6) * MINUTE_MS, amount=amount)
