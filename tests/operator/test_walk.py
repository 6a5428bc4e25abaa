"""A stranger's way from nothing to a paper session and back; and no output on it shows the key."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.operator.driver import Driver, local_driver
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request
from tests.world.archive_bucket import archive_objects

MARKETS = 40


@pytest.fixture(scope="module")
def bare() -> Iterator[Driver]:
    """Nobody has configured anything yet."""
    with local_driver(markets=MARKETS, minutes=30, configured=False, log_level="DEBUG") as driver:
        yield driver


def test_one_cause_is_one_finding(bare: Driver) -> None:
    bare.minutes(1)
    wrong = json.loads(bare.run("now", "--json").stdout)["wrong"]
    found = [own["what"] for own in wrong if "no_session" not in own["found"]]

    cycles = next(own for own in json.loads(bare.run("doctor", "--json").stdout) if own["what"] == "cycles")
    assert cycles["found"].endswith("s ago: no session")
    assert "(no session)" in bare.run("top").output
    assert found.count("configs") == 1
    assert "session" not in found


def test_from_nothing_to_a_session_of_forty_markets_from_one_csv(bare: Driver, tmp_path: Path) -> None:
    limits, markets = tmp_path / "dora.yaml", tmp_path / "markets.csv"
    said = []

    def dora(line: str, code: int = 0) -> str:
        result = bare.run(*line.split())
        assert result.exit_code == code, result.output
        said.append(result.output)
        return result.output

    assert "no GLOBAL item counts" in dora("doctor", code=1)
    dora(f"init --out {limits}")
    dora(f"suggest --count {MARKETS} --least-spread 0.0001 --most-spread 1 --out {markets}")
    _edited(limits, "trading_enabled: false", "trading_enabled: true")
    _edited(markets, ",false,", ",true,")
    dora(f"config apply {limits} --yes")
    dora(f"config apply {markets} --yes")
    enabled = markets.read_text("utf-8").count("MARKET#")
    dora("start --yes")
    bare.minutes(3)

    assert f"{enabled} of them enabled" in dora("doctor")
    lines = bare.answer("top")["markets"]
    assert len(lines) == enabled > MARKETS // 2
    assert all(own["reason"] or own["bid"] != "-" or own["ask"] != "-" for own in lines)
    dora(f"why {lines[0]['market']}")
    dora("now")
    dora("pnl --by market")
    dora(f"report --out {tmp_path / 'report.html'}")
    said.append((tmp_path / "report.html").read_text(encoding="utf-8"))
    dora("export")
    dora("query errors-and-warnings")
    assert "closed" in dora("teardown --yes")
    assert bare.stack.world.open_orders() == 0
    bare.stack.world.exchange.faults = _Bug()
    with pytest.raises(RuntimeError, match="planted"):
        bare.minutes(1)
    _scan(bare, said)


class _Bug(Faults):
    """Something that nobody foresaw, in the middle of a signed request."""

    def before(self, request: Request) -> Reply | None:
        raise RuntimeError("planted")


def _edited(path: Path, before: str, after: str) -> None:
    """As a person does with an editor."""
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def _scan(bare: Driver, said: list[str]) -> None:
    """Neither outputs nor log, archive, tables' lines of changes or the connection file hold the key.

    The log is at DEBUG, and holds a traceback.
    """
    stored = boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")["SecretString"]
    secret = json.loads(stored)["private_key_pem"].splitlines()[1]
    assert len(secret) > 20
    files = [path.read_text(encoding="utf-8") for path in bare.folder.iterdir()]
    objects = list(archive_objects().values())
    rows = boto3.client("dynamodb").scan(TableName="dora-config", ConsistentRead=True)["Items"]

    assert any("unexpected failure" in text and "Traceback" in text for text in files)
    assert len(objects) == bare.stack.cycles - 1
    assert not any(secret in text for text in (*said, *files, json.dumps(rows)))
    assert not any(secret.encode() in gzip.decompress(body) for body in objects)


def test_a_traceback_of_the_command_is_a_line_without_the_key(bare: Driver, tmp_path: Path) -> None:
    pem = tmp_path / "cut.pem"
    stored = boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")["SecretString"]
    text = json.loads(stored)["private_key_pem"]
    pem.write_text(text.replace("-----END PRIVATE KEY-----", ""), encoding="utf-8")
    result = bare.run("secret", "put", "--key-id", "a", "--pem", str(pem), "--yes")

    assert result.exit_code == 2
    assert text.splitlines()[1] not in result.output
    assert "cut off before its END line" in result.output
