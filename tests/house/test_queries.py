"""The saved queries speak of lines that are really written; so do the alarms of metrics."""

import re
from dataclasses import replace

import pytest

from dora.core.reasons import Reason
from tests.house.insights import Query, complaints, saved_queries
from tests.house.tour import tour
from tests.house.translated import of_kind, translated

QUERIES = {query.name: query for query in saved_queries(translated())}


def test_there_is_a_query_for_each_question_of_the_first_hour() -> None:
    assert set(QUERIES) == {
        "cancel-failures",
        "recurring-failures",
        "calls-and-batches",
        "rate-limits",
        "order-life",
        "decision",
        "position-drift",
        "cycle-duration",
        "profit-by-day-and-market",
        "quote-quality",
        "why-not-quoted",
        "errors-and-warnings",
        "group-trips",
        "cold-starts",
    }


@pytest.mark.parametrize("name", QUERIES)
def test_every_field_of_a_query_occurs_in_the_lines_it_filters(name: str) -> None:
    assert complaints(QUERIES[name], tour().facts) == []


def test_every_query_reads_the_log_group_of_the_stack() -> None:
    found = of_kind(translated(), "AWS::Logs::QueryDefinition").values()

    assert all(own["LogGroupNames"] == [{"Ref": "LogGroup"}] for own in found)


@pytest.mark.parametrize("name", QUERIES)
def test_a_wrong_field_name_anywhere_in_a_query_is_caught(name: str) -> None:
    query = QUERIES[name]
    condition, _, rest = query.text.partition("\n")
    for field in {name for name in query.fields if name in rest}:
        spoiled = re.sub(rf"(?<!\w){re.escape(field)}\b", f"{field}_x", rest)
        wrong = Query(name, f"{condition}\n{spoiled}")

        assert complaints(wrong, tour().facts) == [f"{name}: no line has {field}_x"]


@pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if query.events])
def test_a_wrong_event_type_in_a_query_is_caught(name: str) -> None:
    query = QUERIES[name]
    for event in query.events:
        assert f"{name}: no line is a {event}S" in complaints(
            replace(query, text=query.text.replace(f'"{event}"', f'"{event}S"')), tour().facts
        )


def test_the_life_of_an_order_is_found_by_its_client_id_from_batch_to_fill() -> None:
    facts = tour().facts
    filled = next(fact["client_order_id"] for fact in facts if fact["event_type"] == "ORDER_FILLED")
    life = [fact["event_type"] for fact in facts if filled in str(fact)]

    assert QUERIES["order-life"].placeholder == "PASTE-CLIENT-ORDER-ID-HERE"
    assert [event for event in life if event in ("BATCH_PLACE", "BATCH_PLACED", "ORDER_FILLED")][:3] == [
        "BATCH_PLACE",
        "BATCH_PLACED",
        "ORDER_FILLED",
    ]


def test_of_a_batch_the_entry_of_the_order_alone_is_shown() -> None:
    facts = tour().facts
    filled = next(fact for fact in facts if fact["event_type"] == "ORDER_FILLED")
    key, decided = filled["client_order_id"], filled["decision_id"]
    place, placed = (
        next(fact for fact in facts if fact["event_type"] == event and key in fact["orders"])
        for event in ("BATCH_PLACE", "BATCH_PLACED")
    )

    entry = QUERIES["order-life"].entry(place, key).split()
    assert (entry[0], entry[4], entry[6]) == (filled["market"], key, decided)
    assert QUERIES["order-life"].entry(placed, key).split()[:2] == [key, filled["order_id"]]
    assert decided in QUERIES["decision"].entry(place, decided).split()


def test_all_that_follows_from_a_decision_is_found_by_its_id() -> None:
    facts = tour().facts
    decided = next(fact["decision_id"] for fact in facts if fact["event_type"] == "ORDER_FILLED")
    found = [fact["event_type"] for fact in facts if decided in str(fact)]

    assert QUERIES["decision"].placeholder == "PASTE-DECISION-ID-HERE"
    assert {"DECISION_MADE", "BATCH_PLACE", "ORDER_FILLED"} <= set(found)


def test_a_404_is_found_under_the_code_that_the_query_names() -> None:
    codes = {fact["error_code"] for fact in tour().facts if fact["event_type"] == "BATCH_CANCEL_FAILED"}

    assert "not_found" in codes


def test_calls_of_a_cycle_are_those_of_that_cycle_alone() -> None:
    counts = [
        (fact["read_calls"], fact["write_calls"])
        for fact in tour().facts
        if fact["event_type"] == "CYCLE" and fact["reason"] != Reason.DRY_RUN
    ]

    assert all(0 < reads < 30 for reads, _ in counts)
    assert max(writes for _, writes in counts) < 10


def test_metrics_carry_the_service_alone_and_are_no_more_than_a_dozen() -> None:
    """That each alarm goes off by what is written is shown in `tests/battery/test_alarms.py`."""
    alarms = [
        own for own in of_kind(translated(), "AWS::CloudWatch::Alarm").values() if own["Namespace"] == "Dora"
    ]

    assert all(
        own["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}] for own in alarms
    )
    assert {dimensions for _, _, dimensions in tour().metrics} == {("service",)}
    assert len({name for _, name, _ in tour().metrics} | {own["MetricName"] for own in alarms}) <= 12


def test_silence_is_an_alarm_only_while_the_schedule_runs() -> None:
    alarm = of_kind(translated(), "AWS::CloudWatch::Alarm")["HeartbeatAlarm"]

    assert alarm["TreatMissingData"] == {"Fn::If": ["IsScheduled", "breaching", "notBreaching"]}


def test_the_duration_alarm_comes_before_the_timeout() -> None:
    resources = translated()["Resources"]
    timeout_ms = resources["CycleFunction"]["Properties"]["Timeout"] * 1000

    assert resources["DurationAlarm"]["Properties"]["Threshold"] == timeout_ms * 80 // 100
