"""The same exchange over a socket, in process, and as a program of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.__main__ import main
from tests.simulator.adapter import ExchangeAdapter
from tests.simulator.clock import VirtualClock, WallClock
from tests.simulator.exchange import Faults, Plant, Reply, Request
from tests.simulator.server import RunningServer, serve
from tests.simulator.wire import ConnectionDroppedError
from tests.support.simulator_desk import ORDERS, START_MS, Desk

ROOT = Path(__file__).resolve().parents[3]
IN_PROCESS = "http://exchange.test/trade-api/v2"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def server(desk: Desk) -> Iterator[RunningServer]:
    running = serve(desk.exchange)
    yield running
    running.stop()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def send(session: requests.Session, base: str, request: Request) -> requests.Response:
    path = request.path.removeprefix("/trade-api/v2")
    return session.request(
        request.method,
        base + path,
        params=request.query,
        headers=dict(request.headers),
        data=request.body,
        timeout=5,
    )


def test_socket_and_adapter_give_the_same_bytes(
    desk: Desk, server: RunningServer, session: requests.Session
) -> None:
    session.mount("http://exchange.test", ExchangeAdapter(desk.exchange))
    desk.rest()
    asked: list[tuple[str, Any]] = [
        ("/portfolio/orders", {"status": "resting"}),
        ("/markets", {"tickers": "RAIN-A,COIN-A"}),
        ("/markets/orderbooks", [("tickers", "RAIN-A"), ("tickers", "COIN-A")]),
        ("/nothing", {}),
    ]
    for path, query in asked:
        replies = [send(session, base, desk.signed("GET", path, query)) for base in (server.url, IN_PROCESS)]
        assert (
            replies[0].content
            == replies[1].content
            == desk.exchange.handle(desk.signed("GET", path, query)).body
        )
        assert replies[0].status_code == replies[1].status_code
        assert replies[0].json() == replies[1].json()


def test_both_doors_date_their_answers_in_the_exchanges_time(
    desk: Desk, server: RunningServer, session: requests.Session
) -> None:
    session.mount("http://exchange.test", ExchangeAdapter(desk.exchange))
    for base in (server.url, IN_PROCESS):
        for request in (desk.signed("GET", "/portfolio/orders"), desk.signed("DELETE", ORDERS)):
            assert send(session, base, request).headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"


def test_writes_with_bodies_pass_both_doors(
    desk: Desk, server: RunningServer, session: requests.Session
) -> None:
    session.mount("http://exchange.test", ExchangeAdapter(desk.exchange))
    for base in (server.url, IN_PROCESS):
        placed = send(session, base, desk.signed("POST", ORDERS, body=desk.order()))
        assert placed.status_code == 201
        entry = {"order_id": placed.json()["order_id"], "exchange_index": 0}
        cancelled = send(session, base, desk.signed("DELETE", f"{ORDERS}/batched", body={"orders": [entry]}))
        assert cancelled.json()["orders"][0]["reduced_by"] == "10.00"
        everything = send(session, base, desk.signed("DELETE", ORDERS))
        assert (everything.status_code, everything.content) == (204, b"")


def test_one_connection_serves_many_requests(desk: Desk, server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        for _ in range(3):
            connection.sendall(b"GET /trade-api/v2/exchange/status HTTP/1.1\r\nHost: x\r\n\r\n")
            received = b""
            while b"exchange_index_statuses" not in received:
                received += connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200")


def test_parallel_clients_are_served_one_after_the_other_without_loss(
    desk: Desk, server: RunningServer
) -> None:
    signed = [desk.signed("POST", ORDERS, body=desk.order(count="1.00")) for _ in range(40)]

    def ask(request: Request) -> int:
        with requests.Session() as session:
            session.trust_env = False
            return send(session, server.url, request).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, signed)) == [201] * 40
    assert len(desk.member.resting) == 40


def test_a_dropped_answer_is_a_connection_error_at_both_doors(
    desk: Desk, server: RunningServer, session: requests.Session
) -> None:
    desk.exchange.plant = Plant("drop-answer", every=1)
    session.mount("http://exchange.test", ExchangeAdapter(desk.exchange))
    for base in (server.url, IN_PROCESS):
        with pytest.raises(requests.ConnectionError):
            send(session, base, desk.signed("POST", ORDERS, body=desk.order()))
    assert len(desk.member.resting) == 2


def test_a_fault_layer_stands_before_and_behind_the_exchange(desk: Desk) -> None:
    class Bad(Faults):
        def before(self, request: Request) -> Reply | None:
            return Reply(503) if request.method == "GET" else None

        def after(self, request: Request, reply: Reply) -> Reply:
            if reply.status == 201:
                raise ConnectionDroppedError("lost on the way back")
            return Reply(reply.status, reply.body[:5])

    desk.exchange.faults = Bad()
    assert desk.exchange.handle(desk.signed("GET", "/portfolio/orders")).status == 503
    with pytest.raises(ConnectionDroppedError):
        desk.exchange.handle(desk.signed("POST", ORDERS, body=desk.order()))
    assert len(desk.member.resting) == 1
    assert len(desk.exchange.handle(desk.signed("POST", ORDERS, body=desk.order(price="0.4050"))).body) == 5


def test_virtual_time_can_be_moved_by_hand(
    desk: Desk, server: RunningServer, session: requests.Session
) -> None:
    base = server.url.removesuffix("/trade-api/v2")
    moved = session.post(f"{base}/simulator/advance", params={"ms": "1500"}, timeout=5)
    assert moved.json() == {"now_ms": START_MS + 1_500}
    assert desk.clock.now_ms() == START_MS + 1_500


def test_the_virtual_clock_runs_actions_at_their_own_time_and_ties_in_order() -> None:
    clock, seen = VirtualClock(0), []
    for name, when in (("b", 20), ("a", 10), ("c", 20)):
        clock.at(when, lambda name=name: seen.append((name, clock.now_ms())))
    clock.at(10, lambda: clock.advance_ms(15))
    clock.advance_to(30)
    assert seen == [("a", 10), ("b", 20), ("c", 20)]
    assert clock.now_ms() == 30


def test_the_wall_clock_runs_what_is_due() -> None:
    clock, done = WallClock(), threading.Event()
    clock.at(clock.now_ms() + 5, done.set)
    assert done.wait(5)
    clock.stop()


def test_a_port_in_use_is_one_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1]), "--virtual"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "--port 0" in printed


@pytest.mark.parametrize("virtual", [[], ["--virtual"]])
def test_the_program_serves_and_leaves_a_private_key(
    virtual: list[str], session: requests.Session, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.simulator", "--port", "0", "--markets", "3", *virtual]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            lines = [program.stdout.readline() for _ in range(3)]
            key_file = Path(lines[1].split(": ")[1].strip())
            assert key_file.read_text().startswith("-----BEGIN PRIVATE KEY-----")
            assert key_file.stat().st_mode & 0o077 == 0
            url = re.search(r"http://\S+", lines[2])
            assert url is not None
            body = session.get(f"{url[0]}/markets", timeout=10).json()
            assert len(body["markets"]) == 3
        finally:
            program.send_signal(signal.SIGINT)
            try:
                program.communicate(timeout=20)
            finally:
                program.kill()
    assert program.returncode == 0
