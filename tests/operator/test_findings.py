"""What is wrong is found, and each finding has its fix. One stack, on which more and more is broken."""

import json
from typing import Any

import boto3
import pytest

from dora_operator.checks import BAD, OK, UNKNOWN, Check, exit_of
from dora_operator.failures import Exit
from tests.operator.driver import Driver
from tests.world import config_items


def _wrong(result: Any) -> dict[str, dict[str, str]]:
    return {own["what"]: own for own in json.loads(result.stdout) if own["state"] != "ok"}


def test_what_is_wrong_is_found_with_its_fix_and_stands_first(dora: Driver) -> None:
    dora.stack.world.put_global({**config_items.GLOBAL, "trading_enabled": False})
    dora.stack.world.put_market(dora.stack.scene.tickers[0], {"enabled": True, "quote_size": 4})
    dora.run("halt", "--yes", "--reason", "lunch")
    dora.stack.world.clock.advance_ms(200_000)
    result = dora.run("doctor", "--json")
    wrong = _wrong(result)

    assert result.exit_code == Exit.NEGATIVE
    assert "dora config apply" in wrong["trading_enabled"]["fix"]
    assert "dora query cycle-duration" in wrong["cycles"]["fix"]
    assert dora.run("doctor").output.splitlines()[2].split()[1] == "bad"

    now = dora.run("now", "--json")
    assert (now.exit_code, {own["what"] for own in json.loads(now.stdout)["wrong"]}) == (
        Exit.NEGATIVE,
        wrong.keys(),
    )


def test_an_item_that_breaks_a_rule_is_found_with_the_bot_s_own_words(dora: Driver) -> None:
    name = f"MARKET#{dora.stack.scene.tickers[0]}"
    item = config_items.as_attributes("dora", name, {"enabled": True, "quote_sise": 4})
    boto3.client("dynamodb").put_item(TableName="dora-config", Item=item)
    wrong = _wrong(dora.run("doctor", "--json"))

    assert "quote_sise" in wrong["configs"]["found"]
    assert "did you mean 'quote_size'" in wrong["configs"]["fix"]


def test_a_check_that_cannot_be_made_stops_none_of_the_others(dora: Driver) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId="dora/local", ForceDeleteWithoutRecovery=True)
    result = dora.run("doctor", "--json")

    assert _wrong(result)["key"]["state"] == "unknown"
    assert len(json.loads(result.stdout)) > 4


@pytest.mark.parametrize(
    ("states", "ends"),
    [((), 0), ((OK, OK), 0), ((OK, BAD), 1), ((OK, UNKNOWN), 3), ((UNKNOWN,), 3), ((BAD, UNKNOWN), 1)],
)
def test_findings_end_a_command_with_1_and_what_was_not_seen_with_3(
    states: tuple[str, ...], ends: int
) -> None:
    assert exit_of(Check("key", state, "") for state in states) == ends
