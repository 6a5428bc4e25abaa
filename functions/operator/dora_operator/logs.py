"""The stack's saved queries, and what they find: in CloudWatch, or in the log file on this machine."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dora_operator.checkout import ROOT
from dora_operator.failures import Exit, OperatorError
from dora_operator.log_lines import Row, run_locally
from dora_operator.target import Target

PLACEHOLDER = re.compile(r"PASTE-[A-Z-]+-HERE")
ID = re.compile(r"[A-Za-z0-9:._-]{4,80}")
WAIT_MS, WAITS = 500, 120
MINUTE_S = 60
_QUERY = "AWS::Logs::QueryDefinition"


def saved_queries(target: Target) -> dict[str, str]:
    """Their texts by name: of the deployed stack, or of the checkout."""
    return _of_template() if target.local else dict(_of_stack(target))


def run_query(target: Target, text: str, *, own_id: str, minutes: int) -> list[Row]:
    """What a query finds in the last minutes, an id pasted where it wants one. Raises OperatorError."""
    wanted = PLACEHOLDER.search(text)
    if wanted and not ID.fullmatch(own_id):
        raise OperatorError(f"this query wants an id ({wanted[0]})", "say it with --id", Exit.USAGE)
    text = PLACEHOLDER.sub(own_id, text)
    if target.local:
        with Path(target.local["log"]).open(encoding="utf-8") as lines:
            return run_locally(text, lines)
    return _asked(target, text, minutes)


def _of_stack(target: Target) -> Iterator[tuple[str, str]]:
    given: dict[str, Any] = {"queryDefinitionNamePrefix": f"{target.stack}/"}
    while True:
        answer = target.client("logs").describe_query_definitions(**given)
        for own in answer["queryDefinitions"]:
            yield own["name"].removeprefix(f"{target.stack}/"), own["queryString"]
        if not answer.get("nextToken"):
            return
        given["nextToken"] = answer["nextToken"]


def _asked(target: Target, text: str, minutes: int) -> list[Row]:
    client, now_s = target.client("logs"), target.clock.now_ms() // 1000
    started = client.start_query(
        logGroupName=target.outputs["LogGroupName"],
        startTime=now_s - minutes * MINUTE_S,
        endTime=now_s,
        queryString=text,
    )
    for _ in range(WAITS):
        answer = client.get_query_results(queryId=started["queryId"])
        if answer["status"] == "Complete":
            return _rows(answer["results"])
        if answer["status"] not in ("Scheduled", "Running"):
            break
        target.clock.sleep_ms(WAIT_MS)
    raise OperatorError(f"the query ended as {answer['status']}", "ask of a shorter time", Exit.UNKNOWN)


def _rows(results: list[list[dict[str, str]]]) -> list[Row]:
    """With the same columns in every row: CloudWatch leaves out what a line does not have."""
    rows = [{own["field"]: own["value"] for own in row if own["field"] != "@ptr"} for row in results]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]


class _Tags(yaml.SafeLoader):
    """CloudFormation's short forms, of which only the content counts here."""


def _content(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None


_Tags.add_multi_constructor("!", _content)


def _of_template() -> dict[str, str]:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    template: Mapping[str, Any] = yaml.load(text, Loader=_Tags)  # noqa: S506 # a safe loader, more tags
    found = (own["Properties"] for own in template["Resources"].values() if own["Type"] == _QUERY)
    return {own["Name"].rpartition("/")[2]: own["QueryString"] for own in found}
