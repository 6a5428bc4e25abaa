"""template.yaml as plain data: CloudFormation's short tags become their long forms."""

from functools import cache
from typing import Any

import yaml

from tests.house.checkout import ROOT


class _Loader(yaml.SafeLoader):
    """SafeLoader that knows `!Ref` and its kin."""


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt":
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


@cache
def template() -> dict[str, Any]:
    """The parsed template."""
    return yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a safe loader


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Logical id -> resource, of one type."""
    return {name: r for name, r in template()["Resources"].items() if r["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """Logical id -> properties of every function, without the globals."""
    return {name: r["Properties"] for name, r in resources("AWS::Serverless::Function").items()}


def schedules() -> dict[str, dict[str, Any]]:
    """Event name -> properties of every schedule of every function."""
    return {
        name: event["Properties"]
        for function in functions().values()
        for name, event in function["Events"].items()
        if event["Type"] == "ScheduleV2"
    }


def environment() -> dict[str, Any]:
    """The variables every function gets."""
    variables: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]
    return variables
