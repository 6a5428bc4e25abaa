"""The clock of runs that repeat: reads side by side are over before the time moves."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, RLock

from tests.simulator.clock import VirtualClock
from tests.world.bot_clock import BotClock
from tests.world.steady_clock import SteadyClock, SteadyWorkers


def test_time_does_not_move_under_a_read_that_began_before() -> None:
    virtual, slow = VirtualClock(1_000), Event()
    clock = SteadyClock(BotClock(virtual, RLock()))
    with ThreadPoolExecutor(2) as threads:
        workers = SteadyWorkers(threads, clock)

        def late_look() -> int:
            slow.wait(0.2)
            return clock.now_ms()

        read, retried = workers.submit(late_look), workers.submit(clock.sleep_ms, 300)
        retried.result()
        assert clock.now_ms() == 1_300
        read_again = workers.submit(late_look)
        clock.sleep_ms(500)

        assert (read.result(), read_again.result(), clock.now_ms()) == (1_000, 1_300, 1_800)
