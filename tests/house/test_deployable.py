"""What SAM makes of the template can be created as a stack, as far as moto knows the kinds of resources."""

import io
import json
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.house.translated import translated

IGNORED = {
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::QueryDefinition",
    "AWS::S3::BucketPolicy",
    "AWS::Scheduler::Schedule",
}
"""Kinds that moto does not make, or makes without a name: of these nothing is shown here."""


@contextmanager
def deployed(**parameters: str) -> Iterator[dict[str, Any]]:
    """Logical id -> type of what was made, in a region of moto's."""
    with mock_aws(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* it's not supported by moto's CloudFormation")
        _packaged()
        cloud = boto3.client("cloudformation", "us-east-1")
        cloud.create_stack(
            StackName="dora-test",
            TemplateBody=json.dumps(translated()),
            Parameters=[{"ParameterKey": key, "ParameterValue": own} for key, own in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = cloud.describe_stacks(StackName="dora-test")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        rows = cloud.list_stack_resources(StackName="dora-test")["StackResourceSummaries"]
        yield {row["LogicalResourceId"]: row["ResourceType"] for row in rows if row.get("LogicalResourceId")}


def _packaged() -> None:
    """Code where SAM would have put it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("app.py", "")
    storage = boto3.client("s3", "us-east-1")
    storage.create_bucket(Bucket="bucket")
    storage.put_object(Bucket="bucket", Key="as-packaged", Body=held.getvalue())


def expected(*, told: bool) -> dict[str, str]:
    """What the template asks for, without what moto ignores and what a condition leaves out."""
    return {
        name: own["Type"]
        for name, own in translated()["Resources"].items()
        if own["Type"] not in IGNORED and (told or own.get("Condition") != "TellsSomebody")
    }


@pytest.mark.parametrize(("email", "told"), [("", False), ("me@example.org", True)])
def test_the_stack_is_made_with_and_without_somebody_to_tell(email: str, *, told: bool) -> None:
    with deployed(AlarmEmail=email, Stage="prod") as made:
        assert made == expected(told=told)


def test_what_moto_ignores_is_listed_and_no_more() -> None:
    with deployed() as made:
        kinds = {own["Type"] for own in translated()["Resources"].values() if "Condition" not in own}

        assert kinds - set(made.values()) == IGNORED
