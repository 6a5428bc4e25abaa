"""The clock of runs that repeat: reads side by side are over before the time moves."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, RLock, Thread

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


def test_a_read_that_leads_does_not_wait_for_itself() -> None:
    """It may run before the thread that began it has said so."""
    leads, noted, read = Event(), Event(), Future[None]()
    steady = SteadyClock(BotClock(VirtualClock(1_000), RLock()))

    def work() -> None:
        with steady.leading():
            leads.set()
            noted.wait(5)
            steady.sleep_ms(1000)
        read.set_result(None)

    Thread(target=work, daemon=True).start()
    leads.wait(5)
    steady.began(read)
    noted.set()

    read.result(timeout=5)
