"""Facts and metrics as they are printed: always there, never mixed up, within the limits of a line."""

import ast
import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import dora
from dora.flow.cycle.cycle_facts import METRICS
from dora.telemetry import LEVELS, MAX_FIELDS, NAMESPACE, Telemetry
from tests.world.output import Catcher, printed_to

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MOST_METRICS, MOST_LEAVES = 12, 150


class Heard:
    """A telemetry of its own (loggers live as long as the process, known by their service), and its lines."""

    def __init__(self, log_level: str, service: str) -> None:
        self._ports = Catcher()
        with self.listening():
            self.telemetry = Telemetry(bot="dora", service=service, log_level=log_level)

    def listening(self) -> AbstractContextManager[None]:
        return printed_to(self._ports.stream)

    def lines(self) -> list[dict[str, Any]]:
        """Everything printed so far."""
        return [json.loads(line) for line in self._ports.take().splitlines()]


def heard(
    say: Callable[[Telemetry], object], log_level: str = "INFO", service: str = ""
) -> list[dict[str, Any]]:
    """The lines that this prints."""
    listener = Heard(log_level, service or uuid4().hex)
    with listener.listening():
        say(listener.telemetry)
    return listener.lines()


def leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


# --- facts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LOG_LEVELS)
def test_facts_are_written_whatever_the_log_level(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)

    def say(telemetry: Telemetry) -> None:
        telemetry.begin(function="cycle")
        telemetry.emit("HEARTBEAT", status="ok")

    (fact,) = heard(say, level)
    assert (fact["event_type"], fact["status"], fact["bot"]) == ("HEARTBEAT", "ok", "dora")


@pytest.mark.parametrize(("event_type", "level"), [
    ("ERROR", "ERROR"), ("CONFIG_INVALID", "ERROR"), ("RISK_HALT", "ERROR"), ("WARNING", "WARNING"),
    ("POSITION_DRIFT", "WARNING"), ("RATE_LIMIT", "WARNING"), ("CYCLE", "INFO"), ("BATCH_PLACED", "INFO"),
])  # fmt: skip
@pytest.mark.parametrize("log_level", LOG_LEVELS)
def test_a_fact_is_written_at_the_level_that_says_what_it_is(
    event_type: str, level: str, log_level: str
) -> None:
    (fact,) = heard(lambda telemetry: telemetry.emit(event_type, what="one"), log_level)
    assert (fact["level"], fact["event_type"]) == (level, event_type)


def test_every_fact_with_a_level_of_its_own_is_one_that_the_code_writes() -> None:
    rooms = [path for path in Path(dora.__path__[0]).rglob("*.py") if path.name != "telemetry.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in rooms)
    assert [name for name in LEVELS if f'"{name}"' not in text] == []


@pytest.mark.parametrize(("level", "written"), [("DEBUG", 4), ("WARNING", 2), ("ERROR", 1)])
def test_diagnostics_obey_the_log_level(level: str, written: int) -> None:
    def say(telemetry: Telemetry) -> None:
        for one in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            telemetry.diagnostics.log(one, "about to look")

    assert len(heard(say, level)) == written


def test_a_fact_is_one_line_of_json_whatever_it_holds() -> None:
    why = 'two\nlines, "quoted", ünd {more}'
    (fact,) = heard(lambda telemetry: telemetry.emit("ERROR", why=why, numbers=[1, 2]))
    assert (fact["why"], fact["numbers"]) == (why, "1; 2")


def test_keys_of_one_invocation_do_not_leak_into_the_next() -> None:
    def say(telemetry: Telemetry) -> None:
        telemetry.begin(function="cycle", request_id="r1")
        telemetry.context(cycle_id="c1", session_id="s1")
        telemetry.emit("ONE")
        telemetry.begin(function="cycle", request_id="r2")
        telemetry.emit("TWO")
        telemetry.diagnostics.warning("three")

    one, *later = heard(say)
    assert (one["cycle_id"], one["session_id"], one["request_id"]) == ("c1", "s1", "r1")
    assert len(later) == 2
    for line in later:
        assert (line["request_id"], line["bot"]) == ("r2", "dora")
        assert not line.keys() & {"cycle_id", "session_id"}


def test_lines_of_the_first_invocation_of_an_environment_say_that_it_was_cold() -> None:
    def say(telemetry: Telemetry) -> None:
        for request in ("r1", "r2"):
            telemetry.begin(request_id=request)
            telemetry.emit("CYCLE")

    cold, warm = heard(say)
    assert cold["cold_start"] == "yes"
    assert "cold_start" not in warm


def test_fields_of_one_fact_do_not_leak_into_the_next() -> None:
    _, second = heard(lambda telemetry: (telemetry.emit("ONE", market="A"), telemetry.emit("TWO")))
    assert "market" not in second


def test_a_line_that_would_be_too_wide_is_cut_and_says_by_how_much() -> None:
    fields = {f"field_{n}": n for n in range(MAX_FIELDS + 7)}
    (fact,) = heard(lambda telemetry: telemetry.emit("CYCLE", **fields))
    assert fact["fields_cut"] >= 7
    assert fact["field_0"] == 0


@pytest.mark.parametrize(
    "fields", [{f"f{n}": n for n in range(200)}, {"orders": ["A bid 0.4400 10.00"] * 200}]
)
def test_no_line_has_more_leaves_than_a_query_can_see(fields: dict[str, object]) -> None:
    def say(telemetry: Telemetry) -> None:
        telemetry.begin(function="cycle", request_id="r1")
        telemetry.context(cycle_id="c1", session_id="s1")
        telemetry.emit("CYCLE", **fields)

    (fact,) = heard(say)
    assert leaves(fact) <= MOST_LEAVES


# --- metrics -------------------------------------------------------------------------------------------


def test_metrics_have_one_dimension_the_service() -> None:
    def say(telemetry: Telemetry) -> None:
        telemetry.begin(function="cycle", request_id="r1", market="A")
        for name in METRICS:
            telemetry.count(name, 1)
        telemetry.flush()

    (line,) = heard(say, service="stack-of-metrics")
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert directive["Dimensions"] == [["service"]]
    assert line["service"] == "stack-of-metrics"
    assert {metric["Name"] for metric in directive["Metrics"]} == METRICS.keys()


def test_a_flush_forgets_what_it_wrote_and_writes_nothing_of_nothing() -> None:
    def say(telemetry: Telemetry) -> None:
        telemetry.count("CyclesCompleted", 1)
        telemetry.flush()
        telemetry.flush()
        telemetry.count("Fills", 2)
        telemetry.flush()

    first, second = heard(say)
    assert (first["CyclesCompleted"], second["Fills"]) == ([1], [2])
    assert "CyclesCompleted" not in second


def test_there_are_at_most_a_dozen_metrics_in_all() -> None:
    names = METRICS.keys() | _counted(Path(dora.__path__[0]))
    assert {"CyclesCompleted", "InvocationsFailed"} <= names
    assert len(names) <= MOST_METRICS


def _counted(root: Path) -> set[str]:
    """The names of every `count("Name", ...)` below a folder."""
    calls = (
        node
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "count"
    )
    first = (call.args[0] for call in calls if len(call.args) > 1)
    return {arg.value for arg in first if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}


RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def test_no_fact_uses_a_field_name_that_the_logger_keeps_for_itself() -> None:
    """It would raise in the middle of a cycle."""
    root = Path(dora.__path__[0])
    calls = (
        node
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit"
    )
    used = {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}
    assert {"market", "why"} <= used
    assert not used & RESERVED
