"""Alarms of the template, evaluated as CloudWatch does, over metrics minute by minute."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Minute = Mapping[str, Sequence[float]]
"""Values of one minute by metric name."""

COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
    "LessThanThreshold": lambda value, limit: value < limit,
}
STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min}
MINUTE_S = 60


def metrics_in(text: str) -> dict[str, list[float]]:
    """All values that these lines hold, by name, as the embedded metric format declares them."""
    found: dict[str, list[float]] = {}
    for line in text.splitlines():
        if line.startswith('{"_aws"'):
            written = json.loads(line)
            for metric in written["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                found.setdefault(metric["Name"], []).extend(written[metric["Name"]])
    return found


def fires(alarm: Mapping[str, Any], minutes: Sequence[Minute]) -> bool:
    """Whether the alarm is on after the last minute. Periods are whole minutes that end with it.

    `TreatMissingData` given as a condition counts as its first choice.
    """
    step, count = alarm["Period"] // MINUTE_S, alarm["EvaluationPeriods"]
    first = len(minutes) - step * count
    periods = [minutes[max(at, 0) : max(at + step, 0)] for at in range(first, len(minutes), step)]
    breaching = [_breaches(alarm, period) for period in periods]
    return sum(breaching) >= alarm.get("DatapointsToAlarm", count)


def _breaches(alarm: Mapping[str, Any], period: Sequence[Minute]) -> bool:
    values = [value for minute in period for value in minute.get(alarm["MetricName"], ())]
    if not values:
        missing = alarm["TreatMissingData"]
        return bool((missing["Fn::If"][1] if isinstance(missing, dict) else missing) == "breaching")
    value = STATISTICS[alarm["Statistic"]](values)
    return bool(COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]))
