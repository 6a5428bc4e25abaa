"""Batches side by side: sent in order, whatever their answers do, and folded in batch order."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.units import TimeMs
from dora.flow.cycle.send import MOST_UNDER_WAY, Phase, Sender
from tests.support.kalshi_fakes import FakeClock

START_MS = TimeMs(1_000_000)


class Shuffled(Executor):
    """Work is done when somebody waits for it or chance lets it: in any order, always the same for a seed."""

    def __init__(self, chance: Random) -> None:
        self._chance, self._open = chance, list[Callable[[], None]]()
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done = Answer(self)

        def work() -> None:
            try:
                done.set_result(fn(*args, **kwargs))
            except Exception as error:
                done.set_exception(error)

        self._open.append(work)
        self.most = max(self.most, len(self._open))
        while self._open and self._chance.random() < 0.4:
            self.step()
        return done

    def step(self) -> None:
        self._open.pop(self._chance.randrange(len(self._open)))()


class Answer(Future[Any]):
    """A future that does the work of others until its own is done."""

    def __init__(self, workers: Shuffled) -> None:
        super().__init__()
        self._workers = workers

    def result(self, timeout: float | None = None) -> Any:
        while not self.done():
            self._workers.step()
        return super().result(timeout)


class Outbox:
    """A phase that keeps what was sent, and what was folded in which order."""

    def __init__(self, clock: FakeClock, *, fails: int | None = None, stops_after: int | None = None) -> None:
        self.clock, self.fails, self.stops_after = clock, fails, stops_after
        self.begun: list[int] = []
        self.sent: list[int] = []
        self.sent_ms: list[int] = []
        self.folded: list[tuple[int, int]] = []
        self.phase = Phase(send=self.send, fold=self.fold, begins=self.begins, stops=self.stops)

    def begins(self, number: int, batch: int) -> None:
        assert number == len(self.begun)
        self.begun.append(batch)
        self.sent_ms.append(self.clock.at_ms)

    def send(self, batch: int) -> int:
        self.sent.append(batch)
        if batch == self.fails:
            raise ValueError(f"batch {batch}")
        return 10 * batch

    def fold(self, number: int, result: int) -> None:
        self.folded.append((number, result))

    def stops(self) -> bool:
        return self.stops_after is not None and len(self.folded) >= self.stops_after


def run(seed: int, number: int, **outbox: int) -> tuple[Outbox, Shuffled, int]:
    clock, workers = FakeClock(START_MS), Shuffled(Random(seed))
    box = Outbox(clock, **outbox)
    sent = Sender(clock, workers, START_MS).send([(START_MS, n) for n in range(number)], box.phase)
    return box, workers, sent


@given(st.integers(), st.integers(0, 30))
def test_every_answer_is_folded_once_and_in_batch_order(seed: int, number: int) -> None:
    box, workers, sent = run(seed, number)
    assert box.folded == [(n, 10 * n) for n in range(number)]
    assert (sent, box.begun, sorted(box.sent)) == (number, list(range(number)), list(range(number)))
    assert workers.most <= MOST_UNDER_WAY


@given(st.integers(), st.integers(1, 30), st.integers(0, 10))
def test_what_stops_a_phase_stops_what_was_not_sent_and_folds_what_was(
    seed: int, number: int, after: int
) -> None:
    box, _, sent = run(seed, number, stops_after=after)
    assert box.folded == [(n, 10 * n) for n in range(sent)]
    assert sent == number or sent >= after


@given(st.integers(), st.integers(1, 30), st.data())
def test_an_exception_is_raised_when_all_that_is_under_way_is_folded(
    seed: int, number: int, data: st.DataObject
) -> None:
    fails = data.draw(st.integers(0, number - 1))
    clock, workers = FakeClock(START_MS), Shuffled(Random(seed))
    box = Outbox(clock, fails=fails)
    with pytest.raises(ValueError, match=f"batch {fails}"):
        Sender(clock, workers, START_MS).send([(START_MS, n) for n in range(number)], box.phase)
    assert sorted(box.sent) == sorted(box.begun)
    assert [result // 10 for _, result in box.folded] == [n for n in box.begun if n != fails]


def test_an_exception_of_a_stop_sign_waits_for_the_answers_too() -> None:
    clock, workers = FakeClock(START_MS), Shuffled(Random(1))
    box = Outbox(clock)

    def stops() -> bool:
        if len(box.begun) == 3:
            raise RuntimeError("the kill flag cannot be read")
        return False

    phase = Phase(send=box.send, fold=box.fold, begins=box.begins, stops=stops)
    with pytest.raises(RuntimeError):
        Sender(clock, workers, START_MS).send([(START_MS, n) for n in range(9)], phase)
    assert box.folded == [(0, 0), (1, 10), (2, 20)]


def test_no_send_that_needs_refilled_tokens_leaves_before_a_first_answer_has_come() -> None:
    clock, workers = FakeClock(START_MS), Shuffled(Random(0))
    workers._chance.random = lambda: 1.0  # type: ignore[method-assign] # nothing is done unless waited for
    box = Outbox(clock)
    times = [START_MS, START_MS, START_MS + 100]
    Sender(clock, workers, START_MS).send([(TimeMs(at), n) for n, at in enumerate(times)], box.phase)
    assert box.sent_ms == times
    assert box.folded[0] == (0, 0)
