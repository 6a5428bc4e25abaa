"""The liquidity programs that the bot knows of, as memory keeps them, and the one that counts in a market.

A program that was read once holds to its end, whatever later reads say or fail to say.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from dora.core.calendar import quote_end_ms
from dora.core.config import MarketConfig
from dora.core.exchange.market import Market
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.incentives.score import Terms, terms_of
from dora.core.incentives.worth import LOSS_PRIOR
from dora.core.session import SessionMetadata
from dora.core.units import Money, TimeMs

PROGRAMS = "#programs"
"""Where memory keeps them. Losing them costs one read."""
INCENTIVE = "incentive"
"""The strategy that is paid by them."""
_KINDS: tuple[frozenset[type], ...] = (
    *[frozenset({str})] * 3,
    *[frozenset({int})] * 3,
    *[frozenset({int, type(None)})] * 3,
)
_DUE_KINDS: tuple[frozenset[type], ...] = (*[frozenset({str})] * 2, *[frozenset({int})] * 3)


class Due(NamedTuple):
    """What a program has earned that is over, or whose market was left: no profit row holds it yet."""

    program_id: str
    ticker: str
    shard: int
    end_ms: TimeMs
    """It is booked then."""
    amount: Money
    """An estimate, of which only `paid` is."""


class Programs(NamedTuple):
    """What is known. `tried_ms`: when they were last asked for; `read_ms`: when that was answered."""

    tried_ms: int = 0
    read_ms: int = 0
    rows: tuple[IncentiveProgram, ...] = ()
    loss: Money = LOSS_PRIOR
    """Of a contract that rests for a day, by our own fills."""
    due: tuple[Due, ...] = ()

    def stored(self) -> dict[str, object]:
        """For memory."""
        rows, due = [list(row) for row in self.rows], [list(own) for own in self.due]
        return {**self._asdict(), "rows": rows, "due": due}


class Reward(NamedTuple):
    """What a market's strategy is told of its program."""

    program: IncentiveProgram
    terms: Terms
    until_ms: TimeMs
    """Until when a quote there can earn: the end of the period, of the session, or of quoting."""
    loss: Money


def read_programs(stored: Mapping[str, object]) -> Programs:
    """As memory keeps them; where that is not understood nothing was ever read."""
    tried_ms, read_ms, rows, loss, due = (stored.get(name) for name in Programs._fields)
    if not (isinstance(tried_ms, int) and isinstance(read_ms, int) and isinstance(loss, int)):
        return Programs()
    if not isinstance(rows, list) or not all(_is_of(_KINDS, row) for row in rows):
        return Programs()
    known = tuple(IncentiveProgram(*row) for row in rows)
    owed = due if isinstance(due, list) and all(_is_of(_DUE_KINDS, own) for own in due) else []
    return Programs(tried_ms, read_ms, known, Money(loss), tuple(Due(*own) for own in owed))


def _is_of(kinds: tuple[frozenset[type], ...], row: object) -> bool:
    if not isinstance(row, list) or len(row) != len(kinds):
        return False
    return all(type(part) in own for part, own in zip(row, kinds, strict=True))


def rewarded(wanted: Mapping[str, MarketConfig]) -> frozenset[str]:
    """The markets whose quotes are placed for a reward."""
    return frozenset(t for t, own in wanted.items() if own.strategy == INCENTIVE and own.quoted)


def merged(
    before: Iterable[IncentiveProgram],
    found: Iterable[IncentiveProgram],
    tickers: Collection[str],
    now_ms: TimeMs,
) -> tuple[IncentiveProgram, ...]:
    """Those that were known, and of those found now the ones of these markets that are not over, by id."""
    new = (row for row in found if row.end_ms > now_ms and row.ticker in tickers)
    known = {row.program_id: row for row in (*before, *new)}
    return tuple(known[program_id] for program_id in sorted(known))


class Running(NamedTuple):
    """By ticker the richest program that runs now and says what it asks for."""

    by_ticker: Mapping[str, tuple[IncentiveProgram, Terms]]
    loss: Money


def running(memory: Mapping[str, Mapping[str, object]], now_ms: TimeMs) -> Running | None:
    """Of what memory knows, what counts now; None: nobody asks for any."""
    if PROGRAMS not in memory:
        return None
    programs = read_programs(memory[PROGRAMS])
    found: dict[str, tuple[IncentiveProgram, Terms]] = {}
    for row in programs.rows:
        terms = terms_of(row)
        if terms is None or not row.start_ms <= now_ms < row.end_ms:
            continue
        if row.ticker not in found or row.reward > found[row.ticker][0].reward:
            found[row.ticker] = row, terms
    return Running(found, programs.loss)


def reward_of(
    now: Running | None, market: Market, config: MarketConfig, session: SessionMetadata | None
) -> Reward | None:
    """What one market's strategy is told; None where no program runs that can be scored."""
    if now is None or market.ticker not in now.by_ticker:
        return None
    program, terms = now.by_ticker[market.ticker]
    ends = [program.end_ms, market.close_ms - config.close_guard_s * 1000]
    if market.expected_expiration_ms is not None:
        ends.append(market.expected_expiration_ms - config.close_guard_s * 1000)
    last_ms = quote_end_ms(config.quote_until, config.ticker) if config.quote_until else None
    if last_ms is not None:
        ends.append(last_ms)
    if session is not None and session.ends_at_ms is not None:
        ends.append(session.ends_at_ms)
    return Reward(program, terms, TimeMs(min(ends)), now.loss)
