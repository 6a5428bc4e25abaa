"""Scenario 82: a journal of two hundred thousand rows stops no cycle."""

import boto3
import pytest

from dora.core.orders.journal import Journal, OrderState
from dora.core.state import Changes
from dora.core.units import TimeMs
from dora.edge.dynamo.journal_items import partition
from dora.edge.dynamo.lease import DynamoLease
from dora.edge.dynamo.store import DynamoState
from tests.battery.beside import cold
from tests.battery.scene import scene
from tests.support.dynamo_values import StandingClock, unlike
from tests.world.setup import STATE_TABLE

ROWS = 200_000
BOT = "dora"


@pytest.mark.long
def test_scenario_82_a_journal_of_two_hundred_thousand_rows_stops_no_cycle() -> None:
    """What a fully used budget of the largest tier closes in an hour."""
    with scene() as stage:
        stage.run(1)
        _leave_rows(stage.world.clock.now_ms())
        cold(stage)
        for bid_e4 in (4600, 4400, 4600):
            stage.move(bid_e4)
            (answer,) = stage.run(1)
            assert answer["status"] in ("completed", "degraded"), answer

        assert stage.slots() == 6
        assert _segments() < 10


def _leave_rows(now_ms: int) -> None:
    """Over a lease of its own, as a run before this one would have."""
    client = boto3.client("dynamodb")
    lease = DynamoLease(client, STATE_TABLE, BOT)
    grant = lease.acquire(
        owner="before", tick_ms=TimeMs(now_ms + 1), now_ms=TimeMs(now_ms), expires_ms=TimeMs(now_ms + 1)
    )
    state = DynamoState(client, STATE_TABLE, BOT, StandingClock(now_ms))
    stored = state.load()
    closed = (
        unlike(number)._replace(state=OrderState.CLOSED, write_ms=TimeMs(now_ms)) for number in range(ROWS)
    )
    rows = Journal(stored.journal.orders).with_orders(closed)
    state.commit(grant.fence, Changes(journal=rows))


def _segments() -> int:
    pages = (
        boto3.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=STATE_TABLE,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :log)",
            ExpressionAttributeValues={":pk": {"S": partition(BOT)}, ":log": {"S": "LOG"}},
            ConsistentRead=True,
        )
    )
    return len({item["sk"]["S"].split("#")[1] for page in pages for item in page["Items"]})
