"""The template as CloudFormation gets it: what SAM makes of it, schedules and retries written out."""

import copy
import json
from functools import cache
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.house.cloudformation import template

Template = dict[str, Any]


def translated() -> Template:
    """A copy of one's own, to look at or to spoil."""
    result: Template = json.loads(_translated())
    return result


@cache
def _translated() -> str:
    """As text: objects that SAM shares between resources come apart in it."""
    source = copy.deepcopy(template())
    for resource in source["Resources"].values():
        for code in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][code] = "s3://bucket/as-packaged"
    session = boto3.Session(region_name="us-east-1")
    return json.dumps(Translator({}, Parser(), boto_session=session).translate(source, {}))


def of_kind(given: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Logical id -> properties of every resource of one type."""
    return {name: r["Properties"] for name, r in given["Resources"].items() if r["Type"] == kind}


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """A role's statements, those behind a condition included."""
    written = [s for policy in properties["Policies"] for s in policy["PolicyDocument"]["Statement"]]
    return [s["Fn::If"][1] if "Fn::If" in s else s for s in written]


def listed(value: Any) -> list[Any]:
    """IAM lets a list of one be written without brackets."""
    return value if isinstance(value, list) else [value]


def role_of(given: Template, function: str) -> dict[str, Any]:
    """The role that a function runs under."""
    role = of_kind(given, "AWS::Lambda::Function")[function]["Role"]["Fn::GetAtt"][0]
    return of_kind(given, "AWS::IAM::Role")[role]
