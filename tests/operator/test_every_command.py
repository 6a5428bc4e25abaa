"""What holds for every command: answers for programs, a second word for real money, a line of who asked."""

import json
from pathlib import Path

import boto3
import click
import pytest

from dora_operator.cli import COMMANDS, main
from dora_operator.desk import Desk
from dora_operator.failures import Exit
from tests.operator.driver import Driver, invoke
from tests.operator.fake_aws import FakeSession, deployed

LINES = (
    "init --out {folder}/dora.yaml",
    "secret put --key-id key-of-the-bot --pem {folder}/key.pem --yes",
    "config validate {folder}/markets.yaml",
    "config diff {folder}/markets.yaml",
    "config apply {folder}/markets.yaml --yes",
    "config export",
    "config schema",
    "suggest --least-spread 0.01",
    "doctor",
    "status --checks",
    "start --yes",
    "now",
    "top",
    "halt --yes",
    "resume --yes",
    "reset --yes",
    "stop",
    "why {ticker}",
    "order {order}",
    "pnl",
    "fills",
    "sessions",
    "rewards",
    "report --out {folder}/report.html",
    "export",
    "query",
    "query calls-and-batches",
    "teardown --yes",
    "stop --direct --key-id key-of-the-bot --pem {folder}/key.pem --yes",
)
TRADES = ("start", "resume", "reset", "schedule on", "doctor --probe", "config apply {file}")
"""What needs a second word where the money is real."""


def _names() -> set[str]:
    """Every command that can be typed, those of groups with the group's name."""
    found = set()
    for name in COMMANDS:
        own = main.get_command(None, name)  # type: ignore[attr-defined]
        below = list(own.commands) if isinstance(own, click.Group) else [""]
        found |= {f"{name} {word}".strip() for word in below}
    return found


def test_the_list_of_lines_names_every_command_but_those_that_have_none_here() -> None:
    told = {name for name in _names() for line in LINES if f"{line} ".startswith(f"{name} ")}

    assert _names() - told == {"local up", "schedule"}


def test_every_command_answers_programs_in_json(dora: Driver, tmp_path: Path) -> None:
    stored = boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")["SecretString"]
    (tmp_path / "key.pem").write_text(json.loads(stored)["private_key_pem"], encoding="utf-8")
    ticker = dora.stack.scene.tickers[0]
    item = f"{{{ticker}: {{enabled: true, quote_size: 3}}}}"
    text = f"stack: dora-local\nstage: local\nmarkets: {item}\n"
    (tmp_path / "markets.yaml").write_text(text, encoding="utf-8")
    order = dora.stack.world.member.orders[0].client_order_id
    for line in LINES:
        words = line.format(folder=tmp_path, ticker=ticker, order=order).split()
        result = dora.run(*words, *([] if words[:2] == ["config", "schema"] else ["--json"]))

        assert result.exit_code in (Exit.DONE, Exit.NEGATIVE), (line, result.output)
        assert isinstance(json.loads(result.stdout), dict | list), line


@pytest.mark.parametrize("line", TRADES)
def test_what_trades_with_real_money_is_refused_without_its_own_word(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = FakeSession(
        {"dynamodb.query": {"Items": []}, "lambda.invoke": {}, "cloudformation.update_stack": {}}
    )
    monkeypatch.setattr(Desk, "target", deployed(session, Stage="prod"))
    file = tmp_path / "a.yaml"
    file.write_text("stack: dora-demo\nstage: prod\nGLOBAL: {group_burst_limit: 5}\n", encoding="utf-8")
    result = invoke((*line.format(file=file).split(), "--yes"), {})

    assert result.exit_code == Exit.USAGE, result.output
    assert "add --yes-real-money" in result.output
    assert {name for name, _ in session.asked} <= {"dynamodb.query"}


def test_every_command_of_a_session_leaves_a_line_with_who_gave_it(dora: Driver) -> None:
    given = ("start", "halt", "resume", "reset", "teardown")
    for name in given:
        dora.run(name, "--yes")
    answer = boto3.client("dynamodb").query(
        TableName="dora-config",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "dora#changes"}},
        ConsistentRead=True,
    )
    told = {(item["what"]["S"], item["who"]["S"]) for item in answer["Items"]}

    assert {(f"session {name}", "local:tester") for name in given} <= told


def test_what_nobody_is_there_to_answer_is_asked_as_an_option(tmp_path: Path) -> None:
    result = invoke(("init", "--out", str(tmp_path / "dora.yaml")), {})

    assert result.exit_code == Exit.USAGE
    assert "dora init --help" in result.output
