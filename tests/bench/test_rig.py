"""The rig's face: it holds answers back, says how late they were, and moves time and books when told to."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.bench.case import Case
from tests.bench.rig import Rig, RigClock
from tests.simulator.exchange import Exchange
from tests.simulator.wire import PREFIX, Reply, Request
from tests.world.keys import fresh_key

STATUS = Request(method="GET", path=f"{PREFIX}/exchange/status")


@pytest.fixture
def rig() -> Rig:
    case, key = Case(10, key="ed25519"), fresh_key()
    clock = RigClock(case.setup().start_ms)
    exchange = Exchange(clock=clock, seed=1)
    for spec in case.specs():
        exchange.add_market(spec)
    member = exchange.add_member(key_id=key.key_id, public_key_pem=key.public_pem, cash_e6={0: 1})
    return Rig(case, exchange, clock, member)


def told(rig: Rig, act: str, **given: object) -> Mapping[str, Any]:
    reply = rig.handle(Request(method="POST", path=f"/bench/{act}", body=json.dumps(given).encode()))
    answer: Mapping[str, Any] = json.loads(reply.body)
    return answer


def test_an_answer_is_held_for_as_long_as_it_was_told(rig: Rig) -> None:
    told(rig, "delay", delay_ms=40)
    began = time.monotonic()
    reply = rig.handle(STATUS)

    assert time.monotonic() - began >= 0.04
    assert reply.status == 200
    assert rig.calls == {"GET /exchange/status": 1}


def test_an_answer_that_takes_longer_to_make_is_called_late(rig: Rig) -> None:
    told(rig, "delay", delay_ms=1)
    handle = rig.exchange.handle

    def slowly(request: Request) -> Reply:
        time.sleep(0.02)
        return handle(request)

    rig.exchange.handle = slowly  # type: ignore[method-assign]  # the server's only way in
    rig.handle(STATUS)

    late, late_s = rig.lateness()
    assert late == 1
    assert late_s > 0.015


def test_a_step_moves_time_and_so_many_markets(rig: Rig) -> None:
    before = {ticker: rig.exchange.best_prices(ticker) for ticker in Case(10).tickers}
    began_ms = rig.clock.now_ms()

    answer = told(rig, "step", minutes=2, share=0.3)

    moved = [ticker for ticker, prices in before.items() if rig.exchange.best_prices(ticker) != prices]
    assert len(moved) == answer["done"] == 3
    assert answer["now_ms"] == began_ms + 120_000


def test_time_stands_still_until_it_is_told_to_run(rig: Rig) -> None:
    began_ms = rig.clock.now_ms()
    time.sleep(0.01)
    assert rig.clock.now_ms() == began_ms

    told(rig, "run", running=True)
    time.sleep(0.02)
    assert rig.clock.now_ms() > began_ms

    stopped_ms = told(rig, "run", running=False)["now_ms"]
    time.sleep(0.01)
    assert rig.clock.now_ms() == stopped_ms
