"""One replay: a strategy over a tape, minute by minute, under one fill model.

A cycle begins at a whole minute t. The bot reads the books and its own orders as they stand at t; what it
sends arrives a second later: every order is decided on a book that is a second old by then. In between, its
old orders may still fill. An order that would cross the book on arrival is refused, as post-only orders are.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dora.core.calendar import exchange_day
from dora.core.exchange.market import Book
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.units import Count, TimeMs
from dora.flow.cycle.inputs import Choice
from tests.replay.bot import Bot, with_ours
from tests.replay.desk import Desk, Filled
from tests.replay.fill_models import FillModel
from tests.replay.order_groups import GroupRule, OrderGroups
from tests.replay.roster import Roster
from tests.replay.settings import Setting
from tests.replay.situations import ByMinute, Situation
from tests.replay.tape import Stretch, Tape
from tests.simulator.tape import MINUTE_MS

LATENCY_MS = 1_000
WAITS = "placed next minute"
CROSSED, TRIPPED = "post_only_refused", "group_tripped"
E7_PER_MONEY = 10
"""Equity counts 1e-7 $: a count times a mark is exact in it."""


@dataclass(slots=True)
class MarketDay:
    """One market on one day of the exchange."""

    minutes: int = 0
    quoted: int = 0
    """Of these, minutes with at least one order resting."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why in the other minutes nothing rested."""
    largest: Count = Count(0)
    """Largest net position either way."""
    fills: list[Filled] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)
    """(time, change of equity in 1e-7 $)"""


class Brake:
    """The limit of a day's loss: once reached, nothing is quoted until a person comes the next morning."""

    def __init__(self, most_e7: int) -> None:
        self._most_e7 = most_e7
        self._day, self._began_e7, self._stopped = "", 0, False

    def holds(self, day: str, equity_e7: Mapping[str, int]) -> bool:
        """Whether the day's loss, realised and marked, has reached its limit. Asked once a cycle."""
        total_e7 = sum(equity_e7.values())
        if day != self._day:
            self._day, self._began_e7, self._stopped = day, total_e7, False
        self._stopped = self._stopped or self._began_e7 - total_e7 >= self._most_e7
        return self._stopped


Days = Mapping[tuple[str, str], MarketDay]


@dataclass(frozen=True)
class Played:
    """A finished replay. `days` by (ticker, day); `quoted_in` counts quoted minutes by situation."""

    days: Days
    quoted_in: Counter[Situation]
    cpu_s: float
    trips: int = 0
    """Times that an order group tripped."""


def play(
    tape: Tape,
    setting: Setting,
    model: FillModel,
    known: Mapping[str, ByMinute],
    groups: GroupRule | None = None,
) -> Played:
    """The strategy over the whole tape. `known`: what its markets were like, for the account of it only.

    `groups` None: no order group ever trips.
    """
    began = time.process_time()
    replay = _Replay(tape, setting, model, known, groups)
    for stretch in tape.stretches:
        replay.play(stretch)
    return Played(replay.days, replay.quoted_in, time.process_time() - began, replay.groups.trips)


class _Replay:
    """The state of one replay between two minutes."""

    def __init__(
        self,
        tape: Tape,
        setting: Setting,
        model: FillModel,
        known: Mapping[str, ByMinute],
        groups: GroupRule | None,
    ) -> None:
        self._tape, self._known = tape, known
        self.groups = OrderGroups(groups, tape.tracks)
        self._bot, self._desk = Bot(tape, setting), Desk(model)
        self._brake = Brake(setting.global_config().max_daily_loss * E7_PER_MONEY)
        self._lived_ms = 0
        self._booked = 0
        self._equity: dict[str, int] = {}
        self.days: dict[tuple[str, str], MarketDay] = {}
        self.quoted_in: Counter[Situation] = Counter()

    def play(self, stretch: Stretch) -> None:
        """A time in which the recorder was on. Nobody knows what became of an order that outlived it."""
        roster = Roster(self._tape)
        self._lived_ms = stretch.start_ms
        active: Sequence[str] = ()
        for now_ms in self._tape.cycles_in(stretch):
            before, active = active, roster.at(now_ms)
            if active is not before:
                self._leave([ticker for ticker in before if ticker not in set(active)], now_ms)
            if active:
                self._minute(stretch, TimeMs(now_ms), active)
        self._leave(active, stretch.end_ms)

    def _leave(self, tickers: Sequence[str], until_ms: int) -> None:
        """These markets, or their recording, have ended."""
        self._live({ticker: min(self._tape.tracks[ticker].last_ms, until_ms) for ticker in tickers})
        for ticker in tickers:
            self._desk.withdraw(ticker)
        for ticker in self._desk.positions.keys() & tickers:
            last_ms = min(self._tape.tracks[ticker].last_ms, until_ms)
            self._step(ticker, self._day(ticker, exchange_day(TimeMs(last_ms))), last_ms)

    def _minute(self, stretch: Stretch, now_ms: TimeMs, active: Sequence[str]) -> None:
        self._live_until(now_ms, active)
        day = exchange_day(now_ms)
        if self._brake.holds(day, self._equity):
            self._desk.withdraw()
            decisions: Mapping[str, Decision] = {}
            refused: Mapping[str, str] = {}
        else:
            choice = self._bot.cycle(now_ms, active, self._books(stretch, now_ms, active), self._desk)
            decisions = {decision.ticker: decision for decision in choice.decisions}
            self._live_until(now_ms + LATENCY_MS, active)
            refused = self._carry_out(choice, now_ms + LATENCY_MS)
        for ticker in active:
            self._note(ticker, day, now_ms, decisions.get(ticker), refused.get(ticker))

    def _live_until(self, until_ms: int, active: Sequence[str]) -> None:
        self._live(dict.fromkeys(active, until_ms))
        self._lived_ms = until_ms

    def _live(self, ends_ms: Mapping[str, int]) -> None:
        """Let these markets go on, each to its end, since all were brought on last."""
        resting = [ticker for ticker in ends_ms if self._desk.rests(ticker)]
        for together in self.groups.together(resting):
            after_ms, last_ms = self._lived_ms, max(ends_ms[ticker] for ticker in together)
            for step_ms in self.groups.steps(together, after_ms, last_ms):
                for ticker in together:
                    track, end_ms = self._tape.tracks[ticker], min(ends_ms[ticker], step_ms)
                    self._desk.live_through(track, self._tape.fees[ticker], after_ms, end_ms)
                self._book_fills()
                after_ms = step_ms

    def _books(self, stretch: Stretch, now_ms: int, active: Sequence[str]) -> dict[str, Book]:
        """What the bot reads of each market; nothing where no row has come since the recorder is on again.

        What a bot could not read when it recorded, it cannot read now.
        """
        oldest_ms = now_ms if self._tape.archived else stretch.start_ms
        books = {}
        for ticker in active:
            track = self._tape.tracks[ticker]
            quote = track.seen_at(now_ms)
            if quote is not None and quote.at_ms >= oldest_ms:
                book = track.book(quote)
                ours = self._desk.resting(ticker)
                books[ticker] = with_ours(book, ours) if ours else book
        return books

    def _carry_out(self, choice: Choice, at_ms: int) -> dict[str, str]:
        """Send the plan; returns markets in which an order was refused, and why.

        Where a cancel found less than was seen, nothing is placed: something filled that nobody knew of.
        """
        surprised = self._desk.cancel(choice.plan.cancels)
        self._desk.decrease(choice.plan.decreases)
        self._desk.extend(choice.plan.extends)
        refused = {}
        for target in choice.plan.places:
            ticker = target.slot.ticker
            if ticker in surprised:
                continue
            expires_ms = self._bot.expires_ms(ticker)
            if self.groups.refuses(ticker, at_ms):
                refused[ticker] = TRIPPED
            elif not self._desk.place(target, self._tape.tracks[ticker], at_ms, expires_ms):
                refused[ticker] = CROSSED
        return refused

    def _book_fills(self) -> None:
        fills = self._desk.fills[self._booked :]
        for filled in fills:
            day = self._day(filled.ticker, exchange_day(TimeMs(filled.at_ms)))
            day.fills.append(filled)
            day.largest = max(day.largest, Count(abs(filled.net)))
            self._step(filled.ticker, day, filled.at_ms)
        self._booked = len(self._desk.fills)
        for ticker in self.groups.tripped_by(fills):
            self._desk.withdraw(ticker)

    def _note(
        self, ticker: str, day: str, now_ms: int, decision: Decision | None, refused: str | None
    ) -> None:
        noted = self._day(ticker, day)
        noted.minutes += 1
        if self._desk.rests(ticker):
            noted.quoted += 1
            if situation := self._known[ticker].get(now_ms // MINUTE_MS * MINUTE_MS):
                self.quoted_in[situation] += 1
        else:
            noted.reasons[_why(decision, refused)] += 1
        held = self._desk.positions.get(ticker)
        if held is not None and held.net:  # What is flat moves no equity between two fills.
            self._step(ticker, noted, now_ms)

    def _step(self, ticker: str, day: MarketDay, at_ms: int) -> None:
        """Note how far the market's equity has moved."""
        position = self._desk.positions[ticker]
        mark_e5 = self._tape.tracks[ticker].mark_e5(at_ms)
        equity = (position.cash - position.fees) * E7_PER_MONEY + position.net * mark_e5
        moved = equity - self._equity.get(ticker, 0)
        if moved:
            self._equity[ticker] = equity
            day.steps.append((at_ms, moved))

    def _day(self, ticker: str, day: str) -> MarketDay:
        found = self.days.get((ticker, day))
        if found is None:
            found = self.days[ticker, day] = MarketDay()
        return found


def _why(decision: Decision | None, refused: str | None) -> str:
    if decision is None:
        return Reason.DAILY_LOSS
    if decision.skip is not None:
        return decision.skip
    if refused is not None:
        return refused
    return decision.dropped[0][1] if decision.dropped else WAITS
