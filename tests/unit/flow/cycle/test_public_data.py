"""What is public is read when a cycle is over: whole or not at all, paid for, where it is recorded."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from dora.core.config import GlobalConfig
from dora.core.errors import ExchangeUnavailable, ReadIncomplete
from dora.core.exchange.market import Side
from dora.core.exchange.public_data import IncentiveProgram, PublicData, PublicTrade
from dora.core.units import Count, Money, Price, TimeMs
from dora.flow.cycle.public_data import (
    FIRST_MS,
    LONGEST_MS,
    MOST_MARKETS,
    MOST_PAGES,
    MOST_PROGRAM_PAGES,
    PROGRAMS_MS,
    read_public,
)
from tests.support.examples import limits
from tests.support.kalshi_fakes import FakeFacts
from tests.support.ticking_clock import NOW, Clock

HOUR_MS = 3_600_000
TURN = TimeMs(NOW // PROGRAMS_MS * PROGRAMS_MS)
"""A moment at which programs are read again."""
PROGRAM = IncentiveProgram(
    program_id="p",
    ticker="KX-1",
    kind="liquidity",
    start_ms=TURN,
    end_ms=TimeMs(TURN + HOUR_MS),
    reward=Money(20_000_000),
    target=Count(30_000),
    discount_bps=5_000,
)


def printed(number: int, ticker: str = "KX-1") -> PublicTrade:
    return PublicTrade(f"t{number}", ticker, Side.BID, Price(4_400), Count(100), TimeMs(TURN + number))


class Tapes:
    """An exchange that has printed these trades; `error` is what its list of trades raises."""

    def __init__(self, *trades: PublicTrade, error: Exception | None = None) -> None:
        self.trades, self.error = trades, error
        self.asked: list[tuple[Collection[str], int]] = []
        self.since_ms: list[int] = []
        self.programs_asked = 0

    def public_trades(
        self, since_ms: TimeMs, tickers: Collection[str], pages: int
    ) -> tuple[PublicTrade, ...]:
        self.asked.append((tickers, pages))
        self.since_ms.append(since_ms)
        if self.error:
            raise self.error
        return tuple(own for own in self.trades if own.ticker in tickers)

    def incentive_programs(self, tickers: Collection[str], pages: int) -> tuple[IncentiveProgram, ...]:
        self.programs_asked += 1
        if self.error:
            raise self.error
        assert pages == MOST_PROGRAM_PAGES
        return (PROGRAM,) if PROGRAM.ticker in tickers else ()


class Bucket:
    """Read tokens for so many calls, and what was reserved of them."""

    def __init__(self, calls: int = 1_000) -> None:
        self.calls, self.reserved = calls, list[int]()

    def reserve(
        self, bucket: str, costs: Sequence[int], now_ms: TimeMs, _until_ms: TimeMs
    ) -> tuple[TimeMs, ...]:
        assert bucket == "read"
        self.reserved.append(len(costs))
        return (now_ms,) * min(len(costs), self.calls)


class Stage:
    """One finished cycle of a recorder."""

    def __init__(self, exchange: Tapes, workers: ThreadPoolExecutor) -> None:
        self.exchange, self.facts, self.bucket = exchange, FakeFacts(), Bucket()
        self.workers, self.inputs, self.dry_run = workers, True, True
        self.globals: GlobalConfig = limits()

    def read(
        self, markets: int = 1, *, last_ms: int = TURN - 60_000, now_ms: int = TURN
    ) -> PublicData | None:
        clock = Clock()
        clock.now = TimeMs(now_ms)
        ports: Any = SimpleNamespace(
            clock=clock,
            workers=self.workers,
            exchange=self.exchange,
            limiter=self.bucket,
            archive=SimpleNamespace(inputs=self.inputs),
            facts=self.facts,
            dry_run=self.dry_run,
        )
        context: Any = SimpleNamespace(began_ms=TimeMs(now_ms), deadline_ms=TimeMs(now_ms + 40_000))
        loaded: Any = SimpleNamespace(
            wanted={f"KX-{number}": None for number in range(1, markets + 1)},
            globals_=self.globals,
            state=SimpleNamespace(progress=SimpleNamespace(completed_ms=TimeMs(last_ms))),
        )
        return read_public(ports, context, loaded)

    def warnings(self) -> list[tuple[object, object]]:
        return [(own["what"], own["why"]) for kind, own in self.facts.emitted if kind == "WARNING"]


@contextmanager
def stage(*trades: PublicTrade, error: Exception | None = None) -> Iterator[Stage]:
    with ThreadPoolExecutor(4) as workers:
        yield Stage(Tapes(*trades, error=error), workers)


def test_trades_since_the_last_cycle_was_over_come_once_and_in_order() -> None:
    with stage(printed(2), printed(1), printed(2), printed(3, "KX-9")) as scene:
        found = scene.read()

    assert found is not None
    assert found.trades == (printed(1), printed(2))
    assert (found.since_ms, found.until_ms) == (TURN - 60_000, TURN)
    assert scene.exchange.since_ms == [TURN - 60_000]


@pytest.mark.parametrize(
    ("last_ms", "since_ms"), [(0, TURN - FIRST_MS), (TURN - 2 * LONGEST_MS, TURN - LONGEST_MS)]
)
def test_the_first_cycle_and_one_after_a_pause_do_not_look_back_for_ever(last_ms: int, since_ms: int) -> None:
    with stage() as scene:
        found = scene.read(last_ms=last_ms)

    assert found is not None
    assert (found.since_ms, scene.exchange.since_ms) == (since_ms, [since_ms])


def test_few_markets_are_asked_for_one_by_one_and_many_all_at_once() -> None:
    with stage() as scene:
        scene.read(MOST_MARKETS, last_ms=TURN)
        scene.read(MOST_MARKETS + 1, last_ms=TURN)

    *each, whole = scene.exchange.asked
    assert [(len(tickers), pages) for tickers, pages in each] == [(1, 1)] * MOST_MARKETS
    assert (len(whole[0]), whole[1]) == (MOST_MARKETS + 1, MOST_PAGES)
    assert scene.bucket.reserved == [MOST_MARKETS, MOST_PAGES]


def test_trades_that_may_lack_some_are_said_to_be_incomplete_and_are_not_used() -> None:
    with stage(error=ReadIncomplete("GET /markets/trades: more than 5 pages")) as scene:
        found = scene.read(last_ms=TURN)

    assert found is not None
    assert found.trades is None
    ((what, why),) = scene.warnings()
    assert (what, "more than 5 pages" in str(why)) == ("trades_incomplete", True)


def test_without_tokens_nobody_is_asked() -> None:
    with stage(printed(1)) as scene:
        scene.bucket = Bucket(0)
        found = scene.read()

    assert found is not None
    assert (found.trades, found.programs) == (None, None)
    assert (scene.exchange.asked, scene.exchange.programs_asked) == ([], 0)
    assert [what for what, _ in scene.warnings()] == ["trades_incomplete", "incentive programs"]


def test_programs_are_read_every_ten_minutes_and_one_that_fails_is_only_told() -> None:
    with stage() as scene:
        before = scene.read(last_ms=TURN - 120_000, now_ms=TURN - 60_000)
        turn = scene.read(last_ms=TURN - 60_000, now_ms=TURN)
    with stage(error=ExchangeUnavailable("no answer")) as failing:
        failed = failing.read(last_ms=TURN - 60_000, now_ms=TURN)

    assert before is not None
    assert turn is not None
    assert failed is not None
    assert (before.programs, turn.programs, failed.programs) == (None, (PROGRAM,), None)
    assert scene.exchange.programs_asked == 1
    assert "incentive programs" in {what for what, _ in failing.warnings()}


@pytest.mark.parametrize(
    ("word", "dry_run", "recorded"),
    [
        ("dry_run", True, True),
        ("dry_run", False, False),
        ("always", False, True),
        ("never", True, False),
    ],
)
def test_it_is_read_where_recording_asks_for_it(word: str, dry_run: bool, recorded: bool) -> None:
    with stage() as scene:
        scene.globals, scene.dry_run = replace(limits(), record_public=word), dry_run
        found = scene.read()

    assert (found is not None, bool(scene.exchange.asked)) == (recorded, recorded)


def test_an_archive_that_keeps_no_inputs_reads_nothing_for_them() -> None:
    with stage() as scene:
        scene.inputs = False
        assert scene.read() is None
        assert scene.bucket.reserved == []
