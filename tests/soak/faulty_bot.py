"""The deployed handlers on a cloud in memory, with every kind of fault in one hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from requests.adapters import BaseAdapter, HTTPAdapter

from dora import wiring
from tests.soak.faulty_cloud import FaultyCloud
from tests.soak.terse_facts import TerseFacts
from tests.world.bot import Bot, Env
from tests.world.bot_clock import BotClock
from tests.world.counted_adapter import CountedAdapter
from tests.world.disruption import Books, Disruption, FaultyBot
from tests.world.memory_bot import memory_app
from tests.world.memory_cloud import Partition
from tests.world.memory_store import positions_of, stored_books
from tests.world.steady_clock import SteadyClock
from tests.world.stored_books import StoredBooks, of_markets

BOT = "dora"


class MemoryDisruption(Disruption):
    """As `Disruption`, with `cloud` in the place of AWS."""

    def __init__(self) -> None:
        super().__init__()
        self._wait_ms: Callable[[int], None] = lambda _: None
        self.cloud = FaultyCloud(self.calls, self._time_ms, self._wait, self.struck)
        self.stored: Partition = self.cloud.partitions[BOT]
        """What the bot keeps: looked up, not asked for."""

    def _time_ms(self) -> int:
        return self._now_ms()

    def _wait(self, span_ms: int) -> None:
        self._wait_ms(span_ms)

    def positions(self) -> Books:
        """As they lie in the cloud."""
        return of_markets(positions_of(self.stored), self.stored.retired)

    def books(self) -> StoredBooks:
        """Likewise."""
        return stored_books(self.stored)

    @contextmanager
    def deploy(self, env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
        """The real handlers; what follows a kill is a cold start."""
        steady = SteadyClock(clock)
        self._wait_ms = steady.sleep_ms
        counted = CountedAdapter(adapter or HTTPAdapter(), self.calls)
        self._loads.append(self.cloud.load)
        try:
            build = partial(memory_app, self.cloud, env, steady, counted, TerseFacts)
            yield FaultyBot(self, build, self)
        finally:
            wiring.install(None)
