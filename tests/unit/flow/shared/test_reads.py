"""The balance's bucket knows when its call left, though other tokens were waited for in between."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dora.core.exchange.pacing import BALANCE_COST
from dora.core.units import TimeMs
from dora.flow.shared.reads import await_balance, balance_leaves
from tests.support.kalshi_fakes import FakeFacts
from tests.support.ticking_clock import NOW, Clock
from tests.world.memory_cloud import MemoryCloud
from tests.world.memory_limiter import MemoryLimiter

EARNED_MS = 1_200


@pytest.mark.parametrize(("waited_ms", "earned_from_ms"), [(0, 0), (200, 0), (5_000, 5_000)])
def test_the_next_call_waits_from_when_the_last_one_left(waited_ms: int, earned_from_ms: int) -> None:
    clock, limiter = Clock(), MemoryLimiter(MemoryCloud(), "key")
    ports = cast(Any, SimpleNamespace(clock=clock, limiter=limiter, facts=FakeFacts()))
    await_balance(ports)
    clock.sleep_ms(waited_ms)
    balance_leaves(ports, NOW)

    (next_ms,) = limiter.reserve("balance", [BALANCE_COST], clock.now_ms(), TimeMs(NOW + 60_000))
    assert 0 <= next_ms - NOW - earned_from_ms - EARNED_MS <= 1
