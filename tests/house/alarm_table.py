"""The table of alarms in functions/README.md, made of the template."""

from tests.house.cloudformation import resources


def table() -> str:
    """Name, when it goes off, and its description, which is what the mail says."""
    rows = [_row(own["Properties"]) for own in resources("AWS::CloudWatch::Alarm").values()]
    return "\n".join(["| alarm | goes off | what it means, and what to do first |", "|---|---|---|", *rows])


def _row(alarm: dict[str, object]) -> str:
    name = str(alarm["AlarmName"]["Fn::Sub"]).removeprefix("${AWS::StackName}-")  # type: ignore[index]
    said = " ".join(str(alarm["AlarmDescription"]).split())
    return f"| `{name}` | {_when(alarm)} | {said} |"


def _when(alarm: dict[str, object]) -> str:
    sign = {"GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<"}[str(alarm["ComparisonOperator"])]
    minutes, count = int(str(alarm["Period"])) // 60, int(str(alarm["EvaluationPeriods"]))
    of = (
        f"{alarm.get('DatapointsToAlarm', count)} of {count} × {minutes} min"
        if count > 1
        else f"{minutes} min"
    )
    return f"`{alarm['MetricName']}` {sign} {alarm['Threshold']}, {of}"
