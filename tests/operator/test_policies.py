"""The two policies for people allow what the command asks of AWS; the one that looks allows no change."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dora_operator import target
from tests.house.translated import listed, of_kind, translated
from tests.operator.driver import Driver
from tests.world.recording import actions

READ = ("top", "now", "pnl", "fills", "sessions", "why {market}", "order d2-none", "config export")
OPERATE = (
    "status",
    "start --yes",
    "halt --yes",
    "resume --yes",
    "teardown --yes",
    "config apply {file} --yes",
)
LOOKS = ("Describe", "List", "Get", "Query", "BatchGet", "StartQuery")


def _allowed(name: str) -> set[str]:
    document = of_kind(translated(), "AWS::IAM::ManagedPolicy")[name]["PolicyDocument"]
    return {action for own in document["Statement"] for action in listed(own["Action"])}


@pytest.fixture
def used(dora: Driver) -> Any:
    """Runs commands and tells which actions they used."""
    heard: set[str] = set()

    def hear(params: Mapping[str, Any], model: Any, **_: object) -> None:
        service = model.service_model.service_name
        if service == "lambda":
            heard.add("lambda:InvokeFunction")
            return
        own = {"ListObjectsV2": "ListBucket"}.get(model.name, model.name)
        heard.update(action for action, _ in actions(service, own, params))

    session = target._nobodys_session()

    def run(*lines: str, **words: str) -> set[str]:
        heard.clear()
        session.events.register("provide-client-params", hear)
        try:
            for line in lines:
                dora.run(*line.format(**words).split())
        finally:
            session.events.unregister("provide-client-params", hear)
        return heard - {"secretsmanager:GetSecretValue"}

    return run


def test_whoever_may_look_can_use_every_command_that_only_looks(used: Any, dora: Driver) -> None:
    found = used(*READ, market=dora.stack.scene.tickers[0])

    # `now` asks the session function too, and goes on where that is not allowed.
    assert found - {"lambda:InvokeFunction"} <= _allowed("ReadPolicy")
    assert "s3:GetObject" in found


def test_the_policy_that_looks_allows_no_change() -> None:
    assert [own for own in _allowed("ReadPolicy") if not own.partition(":")[2].startswith(LOOKS)] == []


def test_whoever_may_operate_can_use_the_rest(used: Any, dora: Driver, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    ticker = dora.stack.scene.tickers[0]
    item = f"{{{ticker}: {{enabled: true, quote_size: 3}}}}"
    text = f"stack: dora-local\nstage: local\nmarkets: {item}\n"
    file.write_text(text, encoding="utf-8")
    found = used(*OPERATE, file=str(file))

    assert found <= _allowed("ReadPolicy") | _allowed("OperatePolicy")
    assert {"dynamodb:PutItem", "lambda:InvokeFunction"} <= found


def test_neither_reads_a_key_and_no_function_has_either() -> None:
    assert not any("GetSecretValue" in own for own in _allowed("ReadPolicy") | _allowed("OperatePolicy"))
    assert not any(role.get("ManagedPolicyArns") for role in of_kind(translated(), "AWS::IAM::Role").values())
