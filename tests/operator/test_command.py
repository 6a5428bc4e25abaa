"""The command itself: its help is quick, what it cannot do takes a line, and it asks before it acts."""

import json
import subprocess
import sys

import boto3
import pytest

from dora_operator.cli import COMMANDS, main
from dora_operator.failures import Exit
from tests.house.checkout import ROOT
from tests.operator.driver import Driver, invoke

IMPORTED = "import sys; sys.argv = ['dora', '--help']\nfrom dora_operator.cli import main\ntry:\n    main()\n"
IMPORTED += "except SystemExit:\n    print(*sorted(sys.modules))"


def test_help_imports_neither_boto3_nor_the_product() -> None:
    paths = {"PYTHONPATH": f"{ROOT / 'layers/dora'}:{ROOT / 'functions/operator'}"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], env=paths, capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.splitlines()[-1].split())

    assert "click" in modules
    assert not {"boto3", "botocore", "dora", "requests", "rich", "duckdb", "yaml"} & modules


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_s_list_says_what_each_command_says_of_itself(name: str) -> None:
    command = main.get_command(None, name)  # type: ignore[attr-defined]

    assert command.name == name
    assert (command.help or "").splitlines()[0] == COMMANDS[name].help


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tpo", "Did you mean top?"),
        ("Pnl", "Did you mean pnl?"),
        ("config aply", "Did you mean apply?"),
        ("secret putt", "Did you mean put?"),
        ("local start", "Known: up."),
        ("schedule onn", "'on'"),
        ("top --wach", "'--watch'"),
        ("query recuring-failures", "Did you mean recurring-failures or"),
    ],
)
def test_what_is_mistyped_is_answered_with_what_was_meant(dora: Driver, typed: str, said: str) -> None:
    result = dora.run(*typed.split())

    assert result.exit_code == Exit.USAGE
    assert said in " ".join(result.output.split())


def test_without_a_stack_it_says_how_to_name_one() -> None:
    result = invoke(("status",), {})

    assert result.exit_code == Exit.USAGE
    assert "--stack NAME" in result.output


def test_without_a_stack_on_this_machine_it_says_how_to_have_one(tmp_path: object) -> None:
    result = invoke(("status", "--local"), {"DORA_LOCAL_FOLDER": str(tmp_path)})

    assert result.exit_code == Exit.UNKNOWN
    assert "dora local up" in result.output


def test_where_nobody_can_be_asked_nothing_is_done(dora: Driver) -> None:
    before = dora.run("status", "--json").output

    assert dora.run("teardown").exit_code == Exit.DECLINED
    assert json.loads(dora.run("status", "--json").output)["status"] == json.loads(before)["status"]


def test_every_session_command_leaves_a_line_with_who_gave_it(dora: Driver) -> None:
    dora.run("halt", "--reason", "lunch", "--yes")
    dora.run("resume", "--yes")
    told = [(item["who"]["S"], item["what"]["S"], json.loads(item["details"]["S"])) for item in _changes()]

    assert ("local:tester", "session halt", {"reason": "lunch"}) in told
    assert ("local:tester", "session resume", {}) in told


def _changes() -> list[dict[str, dict[str, str]]]:
    answer = boto3.client("dynamodb").query(
        TableName="dora-config",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "dora#changes"}},
        ConsistentRead=True,
    )
    return answer["Items"]


def test_a_refused_command_ends_with_one_and_says_why(dora: Driver) -> None:
    result = dora.run("reset", "--yes")

    assert result.exit_code == Exit.NEGATIVE
    assert "only a session in limit_reached can be reset" in result.output
