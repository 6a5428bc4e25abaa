"""`dora local up --live`, typed as a person does: programs of their own, an exchange on loopback, Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from tests.house.checkout import ROOT
from tests.local_stack.__main__ import main
from tests.simulator.clock import WallClock
from tests.simulator.exchange import Exchange
from tests.simulator.member import Member
from tests.simulator.server import RunningServer, serve
from tests.support.small_world import DAY_MS, TICKERS, spec
from tests.world.keys import ApiKey, fresh_key

SERIES = [f"--series={ticker.split('-', maxsplit=1)[0]}" for ticker in TICKERS]
WARM_UP_MINUTES = 12
PATIENCE_S = 60
KEY = ["--key-id", "key-of-a-person", "--pem"]


@contextmanager
def _exchange_at_work(key: ApiKey) -> Iterator[tuple[Exchange, Member, RunningServer]]:
    """Stands for the live exchange, at the time on the wall; no order may be open on it when it ends."""
    clock = WallClock()
    exchange, now_ms = Exchange(clock=clock), clock.now_ms()
    for shard, ticker in enumerate(TICKERS):
        exchange.add_market(spec(ticker, shard, open_ms=now_ms - DAY_MS, close_ms=now_ms + DAY_MS))
        exchange.set_background_book(ticker, [(4400, 50_000)], [(4700, 50_000)])
    cash = dict.fromkeys(range(3), 1_000_000_000)
    member = exchange.add_member(
        key_id=key.key_id, public_key_pem=key.public_pem, cash_e6=cash, tier="advanced"
    )
    running = serve(exchange)
    try:
        yield exchange, member, running
    finally:
        running.stop()
        clock.stop()


def _typed(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command, and the environment of a person who has set what the first walk sets."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("layers/dora", "functions/operator"))
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    env = {**kept, "PYTHONPATH": paths, "DORA_LOCAL_FOLDER": str(folder), "DORA_LOCAL": "1", "USER": "tester"}
    return [sys.executable, "-m", "dora_operator"], env


def _dora(folder: Path, *words: str) -> str:
    command, env = _typed(folder)
    done = subprocess.run(
        [*command, *words], env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _until_up(folder: Path, process: "subprocess.Popen[str]") -> dict[str, Any]:
    file, given_up = folder / "connection.json", time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < given_up:
        if file.exists() and (text := file.read_text(encoding="utf-8")).endswith("}\n"):
            found: dict[str, Any] = json.loads(text)
            return found
        time.sleep(0.05)
    raise AssertionError(process.communicate(timeout=5))


def _minutes(up: Mapping[str, Any], count: int) -> None:
    """So many cycles, without waiting for them."""
    client = boto3.client(
        "lambda",
        endpoint_url=up["functions_url"],
        region_name="us-east-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nobody",
    )
    for _ in range(count):
        requests.post(up["clock_url"], params={"ms": 60_000}, timeout=30)
        answer = client.invoke(FunctionName="dora-cycle", Payload=b'{"action": "cycle"}')
        assert "FunctionError" not in answer, answer["Payload"].read()


def _listens(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as own:
        return own.connect_ex((str(address.hostname), address.port or 0)) == 0


@pytest.mark.long
def test_paper_trading_is_begun_looked_at_and_ended_from_the_command_line(tmp_path: Path) -> None:
    key, folder = fresh_key("ed25519", "key-of-a-person"), tmp_path / "stack"
    pem = tmp_path / "key.pem"
    pem.write_text(key.private_pem, encoding="utf-8")
    command, env = _typed(folder)
    with _exchange_at_work(key) as (exchange, member, running):
        line = ["local", "up", "--live", f"--base-url={running.url}", *SERIES, *KEY, str(pem), "--configured"]
        process = subprocess.Popen(
            [*command, *line],
            env=env,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            up = _until_up(folder, process)
            assert "status" in _dora(folder, "start", "--yes")
            _minutes(up, WARM_UP_MINUTES)
            markets = json.loads(_dora(folder, "top", "--json"))["markets"]
            why = _dora(folder, "why", TICKERS[0])
            pnl = json.loads(_dora(folder, "pnl", "--json"))
        finally:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=PATIENCE_S)

        assert {own["market"] for own in markets} == set(TICKERS)
        assert all(own["bid"] != "-" and own["ask"] != "-" for own in markets)
        assert "0.4400" in why
        assert pnl["by"] == "day"
        assert {call.split()[0] for call in exchange.stats.calls} == {"GET"}
        assert (member.orders, member.groups) == ([], {})
    assert (process.returncode, said[1].splitlines()[-1]) == (0, "stopped"), said
    assert not any(_listens(up[name]) for name in ("aws_url", "functions_url", "exchange_url"))
    assert [path.name for path in folder.iterdir()] == ["log.jsonl"]
    with pytest.raises(ProcessLookupError):
        os.kill(up["process"], 0)
    middle = key.private_pem.splitlines()[1]
    written = (folder / "log.jsonl").read_text(encoding="utf-8") + json.dumps(up)
    assert not any(secret in text for text in (written, *said, why) for secret in (middle, key.key_id))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--live needs --key-id, --pem and --series"),
        ([*KEY, "a", "--series=A"], "--live needs --stage or --base-url"),
        ([*KEY, "a", "--series=A", "--base-url=https://a.test/v2", "--stage=prod"], "one of the two"),
        ([*KEY, "a", "--series=A", "--base-url=http://a.test/v2"], "http for 127.0.0.1 alone"),
        ([*KEY, "a", "--series=A", "--stage=prod", "--speed=2"], "at the speed of the exchange"),
    ],
)
def test_words_that_make_no_sense_are_refused_before_anything_is_asked(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--live", f"--folder={tmp_path}", *words])

    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("dora local up: ")
    assert said in told
    assert list(tmp_path.iterdir()) == []
