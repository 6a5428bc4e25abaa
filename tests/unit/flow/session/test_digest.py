"""The daily digest from end to end: the function, its state, and a topic that somebody reads."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from tests.support.small_world import (
    DAY_MS,
    TICKERS,
    Seen,
    resting,
    set_book,
    setup,
    small_aws_world,
    small_world,
)
from tests.world.bot import Bot, deployed_bot

TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:alarms"


@contextmanager
def _beside_a_reader(*given: Any) -> Iterator[Bot]:
    """With a topic, and a queue that hears it as a mail box would."""
    queue = boto3.client("sqs").create_queue(QueueName="mail")["QueueUrl"]
    topic = boto3.client("sns")
    topic.create_topic(Name="alarms")
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    topic.subscribe(TopicArn=TOPIC_ARN, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    with deployed_bot(*given) as bot:
        yield bot


def _mails() -> list[tuple[str, str]]:
    """Subject and text of all that came since they were last read."""
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="mail")["QueueUrl"]
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for one in found:
        client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    bodies = [json.loads(one["Body"]) for one in found]
    return [(body["Subject"], body["Message"]) for body in bodies]


@contextmanager
def _told() -> Iterator[Seen]:
    with small_aws_world(setup(alarm_topic=TOPIC_ARN), _beside_a_reader) as seen:
        yield seen


def test_a_day_is_told_once_and_the_next_day_again() -> None:
    with _told() as seen:
        world = seen.world
        world.start()
        world.cycle()
        answers = [world.session("session_digest")["status"] for _ in range(2)]
        first = _mails()
        world.clock.advance_ms(DAY_MS)
        answers.append(world.session("session_digest")["status"])
        second = _mails()

    assert answers == ["told", "told before", "told"]
    assert [len(first), len(second)] == [1, 1]
    assert first[0][0].startswith("dora: 0.00 $ on 2026-11-19")


def test_it_tells_what_was_earned_and_is_held() -> None:
    with _told() as seen:
        world = seen.world
        world.start()
        world.cycle()
        (bid_e4, _), *_ = resting(world)[TICKERS[0], "bid"]
        world.exchange.set_background_book(TICKERS[0], [], [(4700, 50_000)])
        world.exchange.background_take(TICKERS[0], "ask", bid_e4, 300)
        set_book(world, TICKERS[0])
        world.cycle()
        world.clock.advance_ms(DAY_MS)
        world.cycle()
        world.session("session_digest")
        ((_, text),) = _mails()

    assert "Profit on 2026-11-20: " in text
    assert "Fills: 1." in text
    assert f"Positions: 1 markets ({TICKERS[0]} 3.00)." in text
    assert "Warnings:" in text


def test_a_day_without_a_cycle_says_that_the_day_before_has_no_last_marks() -> None:
    with _told() as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.clock.advance_ms(DAY_MS)
        world.session("session_digest")
        ((_, text),) = _mails()

    assert "no cycle was completed since the exchange's midnight" in text
    assert "Profit of today so far: unknown" in text


def test_a_topic_that_does_not_take_it_fails_the_invocation_by_name() -> None:
    with _told() as seen:
        boto3.client("sns").delete_topic(TopicArn=TOPIC_ARN)
        answer = seen.world.session("session_digest")

    assert answer["status"] == "failed"
    assert "the day was not told" in answer["message"]


def test_where_nobody_is_told_the_status_says_so_and_the_digest_is_shown_to_whoever_asks() -> None:
    with small_world() as seen:
        status, digest = (seen.world.session(f"session_{what}") for what in ("status", "digest"))

    assert status["alarms"] == "nobody is told: deploy with AlarmEmail"
    assert digest["status"] == "nobody told"
    assert digest["text"][0].startswith("Profit on ")


def test_the_status_says_that_somebody_is_told() -> None:
    with _told() as seen:
        assert seen.world.session("session_status")["alarms"] == "told"
