"""What functions/README.md answers to a scanner's findings is still so in the template."""

import re
from typing import Any

import pytest

from tests.house.checkout import ROOT
from tests.house.cloudformation import template
from tests.house.rules import FAILURES
from tests.house.translated import of_kind, translated

FUNCTION = "AWS::Lambda::Function"
README = (ROOT / "functions/README.md").read_text(encoding="utf-8")
SECTION = README.partition("## What a scanner still says")[2].partition("\n## ")[0]
TABLE = {
    finding: re.findall(r"`(\w+)`", where)
    for finding, where in re.findall(r"^\| (CKV_AWS_\d+), [^|]+ \| ([^|]+) \|", SECTION, flags=re.MULTILINE)
}


def _resources(kind: str) -> dict[str, Any]:
    return of_kind(translated(), kind)


def test_every_finding_is_of_a_resource_that_there_is() -> None:
    named = {name for where in TABLE.values() for name in where}

    assert sum(len(where) for where in TABLE.values()) == int(re.findall(r"(\d+) findings", SECTION)[0])
    assert named <= template()["Resources"].keys()


@pytest.mark.parametrize("finding", ["CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"])
def test_what_is_said_of_functions_is_said_of_both(finding: str) -> None:
    assert sorted(TABLE[finding]) == sorted(_resources(FUNCTION))


def test_failed_runs_have_a_destination_and_need_no_dead_letter_queue_beside_it() -> None:
    configs = _resources("AWS::Lambda::EventInvokeConfig").values()

    assert {own["FunctionName"]["Ref"] for own in configs} == set(TABLE["CKV_AWS_116"])
    assert all(own["DestinationConfig"]["OnFailure"]["Destination"] == FAILURES for own in configs)
    assert not [own for own in _resources(FUNCTION).values() if "DeadLetterConfig" in own]


def test_of_the_secret_the_variables_hold_its_name_alone() -> None:
    for own in _resources(FUNCTION).values():
        variables = own["Environment"]["Variables"]
        secret = [name for name in variables if re.search(r"SECRET|KEY|PEM|TOKEN", name)]
        assert secret == ["KALSHI_SECRET_ID"]
        assert variables["KALSHI_SECRET_ID"] == {"Ref": "KalshiSecretName"}


def test_the_queue_and_the_bucket_are_encrypted_and_no_store_turns_it_off() -> None:
    assert all(own["SqsManagedSseEnabled"] is True for own in _resources("AWS::SQS::Queue").values())
    assert all("BucketEncryption" in own for own in _resources("AWS::S3::Bucket").values())
    assert not [own for own in _resources("AWS::DynamoDB::Table").values() if "SSESpecification" in own]


def test_only_a_cycle_may_be_held_to_one_at_a_time() -> None:
    reserved = [name for name, own in _resources(FUNCTION).items() if "ReservedConcurrentExecutions" in own]

    assert set(reserved).isdisjoint(TABLE["CKV_AWS_115"])
    assert sorted([*reserved, *TABLE["CKV_AWS_115"]]) == sorted(_resources(FUNCTION))
