"""The dashboard shows what a session writes, each widget in one unit that its title names."""

import json
from typing import Any

import pytest

from dora_operator.log_lines import Row, run_locally
from tests.house.insights import Query, complaints
from tests.house.tour import tour
from tests.house.translated import of_kind, translated

((_, DASHBOARD),) = of_kind(translated(), "AWS::CloudWatch::Dashboard").items()
WIDGETS = {
    own["properties"]["title"]: own["properties"]
    for own in json.loads(DASHBOARD["DashboardBody"]["Fn::Sub"])["widgets"]
}
LOGS = {title: own["query"].partition("| ")[2] for title, own in WIDGETS.items() if "query" in own}
CHARTS = {title: text for title, text in LOGS.items() if WIDGETS[title]["view"] == "timeSeries"}
METRICS = {title: own["metrics"] for title, own in WIDGETS.items() if "metrics" in own}
AGE = "now() - (toMillis(@timestamp) / 1000) as age_seconds"
"""Seconds since 1970 when the query began, less those of the line."""
OF_AWS = {("AWS/Lambda", "Duration"): "Milliseconds"}


def shown(title: str) -> list[Row]:
    """What a widget of the log finds in the lines of the tour."""
    return run_locally(LOGS[title].replace(f"{AGE}, ", ""), tour().text.splitlines())


def unit_of(title: str) -> str:
    """It ends the title, after a comma."""
    return title.rpartition(", ")[2]


def written_out(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows of a widget of metrics; a `...` stands for what the row before says."""
    found: list[list[Any]] = []
    for row in rows:
        found.append([*found[-1][:4], *row[1:]] if row[0] == "..." else row)
    return found


def test_it_shows_what_a_person_looks_for() -> None:
    """Profit today, quotes, fills, failures, tokens, duration, worst case beside its cap, age of a cycle."""
    columns = {column for title in LOGS for row in shown(title) for column in row}

    assert {
        "profit_today_dollars",
        "quotes_that_stand",
        "fills_booked",
        "writes_failed",
        "mean_tokens",
        "worst_case_dollars",
        "cap_dollars",
    } <= columns
    assert any(AGE in text for text in LOGS.values())
    assert any("Duration" in row for rows in METRICS.values() for row in rows)


@pytest.mark.parametrize("title", LOGS)
def test_every_field_of_the_dashboard_occurs_in_the_lines_it_reads(title: str) -> None:
    assert complaints(Query(title, LOGS[title].replace(" | ", "\n| ")), tour().facts) == []


@pytest.mark.parametrize("title", LOGS)
def test_every_figure_of_the_dashboard_has_a_value_in_a_session(title: str) -> None:
    rows = shown(title)

    assert rows
    assert [name for name in rows[0] if all(row[name] is None for row in rows)] == []


@pytest.mark.parametrize("title", CHARTS)
def test_all_lines_of_a_chart_are_in_the_unit_of_its_title(title: str) -> None:
    (row, *_) = shown(title)
    lines = [name for name in row if name != "bin(5m)"]

    assert lines
    if unit_of(title) != "number":
        assert [name for name in lines if not name.endswith(f"_{unit_of(title)}")] == []
    else:
        assert [name for name in lines if name.endswith(("_dollars", "_percent", "_tokens", "_ms"))] == []


@pytest.mark.parametrize("title", METRICS)
def test_all_metrics_of_a_chart_are_written_in_the_unit_of_its_title(title: str) -> None:
    ours = {(namespace, name) for namespace, name, _ in tour().metrics}
    rows = written_out(METRICS[title])
    units = {OF_AWS.get((row[0], row[1])) or tour().units[row[1]] for row in rows}

    assert {(row[0], row[1]) for row in rows} <= ours | OF_AWS.keys()
    assert {row[2] for row in rows} <= {"service", "FunctionName"}
    assert units == {{"number": "Count"}.get(unit_of(title), unit_of(title).capitalize())}
    assert WIDGETS[title]["yAxis"]["left"]["label"] == unit_of(title)


def test_widgets_neither_overlap_nor_leave_the_grid() -> None:
    widgets = json.loads(DASHBOARD["DashboardBody"]["Fn::Sub"])["widgets"]
    cells = [
        (x, y)
        for own in widgets
        for x in range(own["x"], own["x"] + own["width"])
        for y in range(own["y"], own["y"] + own["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len(WIDGETS) == len(widgets), "a title twice"
