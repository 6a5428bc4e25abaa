"""The order flow of a recording, played onto a clock: prints are takers, quotes are the book."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter, itemgetter
from typing import Protocol

from .price_grid import ladder
from .proven_book import Marketplace, ProvenBook
from .recordings import within
from .shapes import ShapeSource
from .tape import Print, Quote, Recording, is_open

Action = Callable[[], None]
Timed = tuple[int, Action]

REFORM_AFTER_MS = (200, 5_000)
"""How long after a print the background re-forms: the time in which a quote of ours may be stale."""

STIR_AFTER_MS = (30_000, 300_000)
"""How long a market keeps its best prices between prints. In recorded quotes of weather markets the mid of a
median market moves in a quarter to a third of all minutes."""


class Clock(Protocol):
    """What the order flow needs of a clock."""

    def now_ms(self) -> int: ...
    def at(self, when_ms: int, action: Action) -> None: ...


@dataclass
class FlowTally:
    """What the flow did. `printed_e2 == filled_e2` when every print traded in full."""

    prints: int = 0
    printed_e2: int = 0
    filled_e2: int = 0
    outside_hours: int = 0


class RecordedFlow:
    """Plays the window of a recording for the chosen markets, from the moment it is built.

    The exchange itself closes and settles the markets, as their specifications say.
    At any time only the next row and the re-formings under way are on the clock. The same seed and the same
    calls of the clock give the same flow; each market draws from a random source of its own, so that one
    market's flow does not depend on which others are played.
    """

    def __init__(
        self,
        recording: Recording,
        exchange: Marketplace,
        clock: Clock,
        start_ms: int,
        end_ms: int,
        tickers: Iterable[str],
        seed: int = 0,
    ) -> None:
        self._exchange, self._clock, self._end_ms = exchange, clock, end_ms
        self._markets = {ticker: recording.markets[ticker] for ticker in sorted(tickers)}
        self._rngs = {ticker: random.Random(f"{seed} {ticker}") for ticker in self._markets}
        self._stirs = {ticker: random.Random(f"{seed} {ticker} stir") for ticker in self._markets}
        self._books = {ticker: self._book(recording, ticker) for ticker in self._markets}
        self._reforming: set[str] = set()
        self.tally = FlowTally()
        rows = ((row.at_ms, partial(self._play, row)) for row in self._rows(recording, start_ms, end_ms))
        seeds = self._seeds(recording, start_ms)
        self._timeline: Iterator[Timed] = heapq.merge(seeds, rows, key=itemgetter(0))
        self._step()

    def _book(self, recording: Recording, ticker: str) -> ProvenBook:
        shapes = ShapeSource(recording.shapes, self._rngs[ticker])
        return ProvenBook(self._exchange, ticker, ladder(self._markets[ticker].price_ranges), shapes)

    def _rows(self, recording: Recording, start_ms: int, end_ms: int) -> Iterator[Print | Quote]:
        sources = (within(rows, start_ms, end_ms) for rows in (recording.prints, recording.quotes))
        merged = heapq.merge(*sources, key=attrgetter("at_ms"))
        return (row for row in merged if row.ticker in self._markets)

    def _seeds(self, recording: Recording, start_ms: int) -> list[Timed]:
        """The first book of every market, at the start or when the market opens."""
        rows = self._first_rows(recording, start_ms).values()
        seeds = ((max(start_ms, self._markets[row.ticker].open_ms), partial(self._seed, row)) for row in rows)
        return sorted(seeds, key=itemgetter(0))

    def _first_rows(self, recording: Recording, start_ms: int) -> dict[str, Print | Quote]:
        """For each market its last row before the start; a print may also be its first one after.

        Where quotes were recorded, the first book is the first quote and nothing is known before it.
        """
        rows: dict[str, Print | Quote] = {}
        for row in recording.quotes or recording.prints:
            if row.ticker not in self._markets:
                continue
            if row.at_ms < start_ms or (isinstance(row, Print) and row.ticker not in rows):
                rows[row.ticker] = row
        return {ticker: rows[ticker] for ticker in self._markets if ticker in rows}

    def _step(self) -> None:
        """Play all that is due, then put the next moment on the clock."""
        for at_ms, action in self._timeline:
            if at_ms > self._clock.now_ms():
                self._clock.at(at_ms, partial(self._resume, action))
                return
            action()

    def _resume(self, action: Action) -> None:
        action()
        self._step()

    def _seed(self, row: Print | Quote) -> None:
        if isinstance(row, Quote):
            self._books[row.ticker].follow(row)
        else:
            self._books[row.ticker].seed(row)
            self._stir_later(row.ticker)

    def _stir_later(self, ticker: str) -> None:
        due_ms = self._clock.now_ms() + self._stirs[ticker].randint(*STIR_AFTER_MS)
        if is_open(self._markets[ticker], due_ms) and due_ms < self._end_ms:
            self._clock.at(due_ms, partial(self._stir, ticker))

    def _stir(self, ticker: str) -> None:
        self._books[ticker].stir(self._stirs[ticker])
        self._stir_later(ticker)

    def _play(self, row: Print | Quote) -> None:
        if not is_open(self._markets[row.ticker], row.at_ms):
            self.tally.outside_hours += 1
        elif isinstance(row, Quote):
            self._books[row.ticker].follow(row)
        else:
            self._trade(row)

    def _trade(self, printed: Print) -> None:
        self.tally.prints += 1
        self.tally.printed_e2 += printed.count_e2
        self.tally.filled_e2 += self._books[printed.ticker].trade(printed)
        if printed.ticker not in self._reforming:
            due_ms = printed.at_ms + self._rngs[printed.ticker].randint(*REFORM_AFTER_MS)
            self._reforming.add(printed.ticker)
            self._clock.at(due_ms, partial(self._reform, printed.ticker, due_ms))

    def _reform(self, ticker: str, due_ms: int) -> None:
        self._reforming.discard(ticker)
        if is_open(self._markets[ticker], due_ms):
            self._books[ticker].reform(self._rngs[ticker])
