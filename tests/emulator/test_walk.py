"""The operator's commands, the README's first hour among them, and answers out of Lambda's runtime."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.artifacts.built import built_for_this_machine
from tests.emulator.live_world import BOT, TICKERS, LiveWorld, open_live_world
from tests.emulator.runtime import Emulator, cycle, emulate
from tests.local_stack.server import FunctionServer
from tests.operator.driver import invoke
from tests.operator.first_hour import walk, written
from tests.operator.samples import private_key
from tests.simulator.wire import PREFIX
from tests.world.setup import CONFIG_TABLE, SECRET_ID, STAGE, STATE_TABLE

pytestmark = pytest.mark.long

CYCLE, SESSION = "dora-cycle", "dora-session"
BUCKET = "dora-archive"
HOUR = written("README.md", "The first hour")


@contextmanager
def _functions(world: LiveWorld) -> Iterator[tuple[Emulator, str]]:
    """Both of them under the emulator; the one of the cycles, and the address where they are invoked."""
    built = built_for_this_machine().functions
    with (
        emulate(built["CycleFunction"], world.variables) as cycles,
        emulate(built["SessionFunction"], world.variables) as sessions,
    ):
        emulators = {CYCLE: cycles, SESSION: sessions}

        def answer(function: str, event: Mapping[str, object]) -> object:
            return emulators[function].invoke(event)

        server = FunctionServer(answer)
        try:
            yield cycles, server.url
        finally:
            server.stop()


def _connection(world: LiveWorld, functions_url: str) -> dict[str, Any]:
    exchange_url = world.here["KALSHI_BASE_URL"]
    return {
        "stack": "dora-local",
        "process": 0,
        "aws_url": world.here["AWS_ENDPOINT_URL"],
        "functions_url": functions_url,
        "exchange_url": exchange_url,
        "clock_url": exchange_url.removesuffix(PREFIX) + "/simulator/advance",
        "log": "",
        "speed": 1,
        "parameters": {
            "Stage": STAGE,
            "Bot": BOT,
            "KalshiSecretName": SECRET_ID,
            "DryRun": "false",
            "Archive": "off",
        },
        "outputs": {
            "CycleFunctionName": CYCLE,
            "SessionFunctionName": SESSION,
            "ConfigTableName": CONFIG_TABLE,
            "StateTableName": STATE_TABLE,
            "ArchiveBucketName": BUCKET,
            "LogGroupName": "",
        },
    }


def _environment(folder: Path) -> dict[str, str]:
    return {"DORA_LOCAL_FOLDER": str(folder), "DORA_LOCAL": "1", "USER": "tester"}


def _dora(folder: Path, *words: str) -> Any:
    result = invoke((*words, "--json"), _environment(folder))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_walk_from_a_file_to_a_teardown_on_the_built_functions(tmp_path: Path) -> None:
    with open_live_world() as world, _functions(world) as (cycles, url):
        (tmp_path / "connection.json").write_text(json.dumps(_connection(world, url)), encoding="utf-8")
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        dora = partial(_dora, tmp_path)
        items = {
            key.removeprefix("MARKET#"): {**item, "quote_size": "7"}
            for key, item in dora("config", "export").items()
            if key != "GLOBAL"
        }
        config = tmp_path / "markets.yaml"
        config.write_text(json.dumps({"stack": "dora-local", "stage": STAGE, "markets": items}), "utf-8")

        dora("config", "apply", str(config), "--yes")
        assert dora("start", "--yes")["status"] == "active"
        assert cycle(cycles)["status"] == "completed"
        assert dora("status")["markets_quoted"] == len(TICKERS)
        exported = dora("config", "export")
        assert {own["quote_size"] for key, own in exported.items() if key != "GLOBAL"} == {"7"}
        assert dora("pnl", "--by", "market")["rows"] == []
        assert dora("halt", "--cancel", "--yes")["halted"] is True
        cycle(cycles)
        assert world.resting() == {}
        assert dora("teardown", "--yes")["status"] == "closed"
        assert [own["why"] for own in dora("sessions")] == ["teardown"]
        assert world.broken() == []


class _Hour:
    """What stands for the commands of the first hour that need AWS itself; all others are run as written."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def instead(self, cycles: Emulator) -> dict[str, Callable[[], None]]:
        """The functions were built by the target that runs this, and are served as if deployed."""
        return {
            "make build": lambda: self.done.append(built_for_this_machine().template.name),
            "make deploy PARAMETERS='AlarmEmail=me@example.org'": lambda: self.done.append("served"),
            "export DORA_STACK=dora-demo": lambda: self.done.append("DORA_LOCAL=1"),
            "dora schedule on": lambda: self.done.extend(str(cycle(cycles)["status"]) for _ in range(3)),
        }


def test_the_first_hour_of_the_readme_on_the_built_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hour = _Hour()
    with open_live_world(configured=False) as world, _functions(world) as (cycles, url):
        Path("connection.json").write_text(json.dumps(_connection(world, url)), encoding="utf-8")
        Path("key.pem").write_text(private_key(), encoding="utf-8")
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        instead = hour.instead(cycles)
        # The balance is told once a second to all who use the key: here to commands typed faster than that.
        world.exchange.invariants.expectations.tolerate_429 = True
        assert instead.keys() <= set(HOUR)

        outputs = walk(
            HOUR,
            lambda words: invoke(words, _environment(tmp_path)),
            instead,
            edited=("dora.yaml", "markets.csv"),
        )

        assert hour.done == ["template.yaml", "served", "DORA_LOCAL=1", *["completed"] * 3]
        assert "accepted   yes" in outputs["dora secret put --key-id KEY-ID --pem key.pem"]
        assert "no_session" in outputs["dora doctor"]
        assert "status           active" in outputs["dora start"]
        assert "session active" in outputs["dora top"]
        assert all(ticker in outputs["dora top"] for ticker in TICKERS)
        assert world.broken() == []
