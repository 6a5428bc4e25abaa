"""The built artifacts, run as Lambda runs them. `make emulator` builds them first."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import pytest

from tests.artifacts.built import BuiltFunction, built_for_this_machine
from tests.emulator.live_world import TICKERS, LiveWorld, open_live_world
from tests.emulator.runtime import Emulator, cycle, emulate
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request

pytestmark = pytest.mark.long

CYCLES = 10
TIMEOUT_S = 7
"""Of a function that is to be killed: time for a cold start, the reads and the first batch."""
MARGIN_MS = 1000
SLOTS = [(ticker, side) for ticker in TICKERS for side in ("ask", "bid")]

Run = Callable[..., AbstractContextManager[Emulator]]


@pytest.fixture
def world() -> Iterator[LiveWorld]:
    with open_live_world() as live:
        yield live


@pytest.fixture
def functions() -> dict[str, BuiltFunction]:
    return dict(built_for_this_machine().functions)


@pytest.fixture
def run_cycles(world: LiveWorld, functions: dict[str, BuiltFunction]) -> Run:
    return partial(emulate, functions["CycleFunction"], world.variables)


@pytest.fixture
def run_sessions(world: LiveWorld, functions: dict[str, BuiltFunction]) -> Run:
    return partial(emulate, functions["SessionFunction"], world.variables)


def assert_one_order_in_every_slot(world: LiveWorld) -> None:
    resting = world.resting()
    assert sorted(resting) == SLOTS
    assert [prices for prices in resting.values() if len(prices) != 1] == []
    assert world.broken() == []


def test_a_session_and_ten_cycles_run_on_the_built_artifacts(
    world: LiveWorld, run_cycles: Run, run_sessions: Run
) -> None:
    with run_cycles() as cycles, run_sessions() as sessions:
        assert sessions.invoke({"action": "start"})["status"] == "active"
        answers, workers = [], set[int]()
        for number in range(CYCLES):
            world.set_books(4400 - 200 * (number // 3), 4700 - 200 * (number // 3))
            answers.append(cycle(cycles))
            assert answers[-1]["status"] == "completed"
            workers |= cycles.workers()
            assert_one_order_in_every_slot(world)
        closing = sessions.invoke({"action": "teardown"})

        assert len({answer["cycle_id"] for answer in answers}) == CYCLES
        assert sum(answer["placed"] for answer in answers) > len(SLOTS)
        assert sum(answer["cancelled"] for answer in answers) > 0
        assert sum(answer["kept"] for answer in answers) > 0
        assert closing["status"] == "closed"
        assert world.resting() == {}
        assert world.broken() == []
        assert len(workers) == 1  # one cold start; every later cycle was a warm one


def test_an_unknown_action_is_refused_and_changes_nothing(world: LiveWorld, run_sessions: Run) -> None:
    with run_sessions() as sessions:
        answer = sessions.invoke({"action": "sell everything"})

    assert answer["status"] == "refused"
    assert "teardown" in answer["message"]
    assert world.exchange.stats.calls.total() == 0


def test_a_crash_is_answered_with_an_error_message_and_the_next_invocation_runs(
    world: LiveWorld, functions: dict[str, BuiltFunction]
) -> None:
    nowhere = {**world.variables, "AWS_ENDPOINT_URL": "not-an-address"}

    with emulate(functions["CycleFunction"], nowhere) as cycles:
        answers = [cycles.invoke({"action": "cycle"}) for _ in range(2)]

    for answer in answers:
        assert "not-an-address" in answer["errorMessage"]
        assert answer["errorType"] == "ValueError"


def test_a_function_without_a_layer_does_not_start(
    world: LiveWorld, functions: dict[str, BuiltFunction]
) -> None:
    function = functions["CycleFunction"]
    bare = replace(function, layers=tuple(layer for layer in function.layers if layer.name != "DoraLayer"))

    with emulate(bare, world.variables) as cycles:
        answer = cycles.invoke({"action": "cycle"})

    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'dora'" in answer["errorMessage"]


class AfterPlacing(Faults):
    """Something happens once the first placement has landed, before its answer is sent."""

    def __init__(self, emulator: Emulator, act: Callable[[set[int]], None]) -> None:
        self._emulator, self._act = emulator, act
        self.workers = set[int]()

    def after(self, request: Request, reply: Reply) -> Reply:
        if request.method == "POST" and request.path.endswith("/batched") and not self.workers:
            self.workers = self._emulator.workers()
            self._act(self.workers)
        return reply


def kill(workers: set[int]) -> None:
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def test_an_exchange_that_trickles_its_answers_does_not_take_the_function_to_its_timeout(
    world: LiveWorld, run_cycles: Run
) -> None:
    def slow_down(_: set[int]) -> None:
        world.link.slow = True

    world.put_global(placement_margin_ms=MARGIN_MS)
    world.start_session()
    with run_cycles(timeout_s=TIMEOUT_S) as cycles:
        world.exchange.faults = AfterPlacing(cycles, slow_down)
        cut_off = cycle(cycles)
        assert (cut_off["status"], cut_off["reason"]) == ("degraded", "exchange_unavailable")
        assert cut_off["unknown"] == len(SLOTS)

        world.exchange.faults, world.link.slow = Faults(), False
        assert cycle(cycles)["placed"] == 0
        assert_one_order_in_every_slot(world)


def test_a_function_killed_while_it_places_is_followed_by_a_cold_one_that_doubles_nothing(
    world: LiveWorld, run_cycles: Run
) -> None:
    world.put_global(placement_margin_ms=MARGIN_MS)
    world.start_session()
    with run_cycles(timeout_s=TIMEOUT_S) as cycles:
        world.exchange.faults = dead = AfterPlacing(cycles, kill)
        killed = cycle(cycles)
        assert killed["errorType"] == "Runtime.ExitError"
        assert world.resting() != {}  # the batch had landed; only its answer was lost

        world.exchange.faults = Faults()
        answers = [cycle(cycles)]
        while answers[-1]["status"] == "skipped" and len(answers) < TIMEOUT_S:
            answers.append(cycle(cycles))
        answers.append(cycle(cycles))

        # The dead one's lease holds until it ends by itself.
        assert {answer["reason"] for answer in answers[:-2]} == {"lease_held"}
        assert [answer["status"] for answer in answers[-2:]] == ["completed", "completed"]
        assert_one_order_in_every_slot(world)
        assert len(dead.workers) == len(cycles.workers()) == 1
        assert dead.workers != cycles.workers()  # the killed process is not the one that went on


class Holding(Faults):
    """Lets no request through until it is told to."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def before(self, request: Request) -> Reply | None:
        self.reached.set()
        self.open.wait(TIMEOUT_S)
        return None


def test_of_two_workers_at_once_one_is_told_that_the_lease_is_held(world: LiveWorld, run_cycles: Run) -> None:
    world.start_session()
    with run_cycles() as first, run_cycles() as second, ThreadPoolExecutor(1) as worker:
        world.exchange.faults = holding = Holding()
        working = worker.submit(cycle, first)
        assert holding.reached.wait(TIMEOUT_S)
        refused = cycle(second)
        holding.open.set()

        assert (refused["status"], refused["reason"]) == ("skipped", "lease_held")
        assert working.result()["status"] == "completed"
        assert_one_order_in_every_slot(world)
