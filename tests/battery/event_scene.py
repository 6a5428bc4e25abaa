"""A scene whose events have order groups of their own, quoted in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from dora.core.event_group import EventGroup
from dora.edge.dynamo.store import DynamoState
from tests.battery.scene import Scene, fill, scene
from tests.simulator.groups import Group
from tests.simulator.knobs import Knobs
from tests.support.dynamo_values import StandingClock
from tests.support.small_world import TICKERS, broken, set_book
from tests.world import config_items
from tests.world.setup import STATE_TABLE

A, B, C = TICKERS
NEW_GROUP = "POST /portfolio/order_groups/create"
RESET = "PUT /portfolio/order_groups/*/reset"
BY_EVENT = {**config_items.GLOBAL, "group_by": "event", "event_cooldown_s": 122, "event_trips_together": 3}
COOLED_MINUTES = 4
"""Cycles after which an event that tripped is armed again, and one more in which it is quoted."""


@contextmanager
def event_scene(
    knobs: Knobs | None = None, *, quoted: bool = True, globals: dict[str, Any] | None = None, **changes: Any
) -> Iterator[Scene]:
    """An open session by event. `quoted`: groups are made and every slot holds its order."""
    with scene(knobs, globals={**BY_EVENT, **(globals or {})}, **changes) as stage:
        if quoted:
            stage.run(2)
            sound(stage)
        yield stage


def event_of(ticker: str) -> str:
    return ticker.rsplit("-", 1)[0]


def _state(stage: Scene) -> DynamoState:
    return DynamoState(boto3.client("dynamodb"), STATE_TABLE, stage.world.setup.bot, StandingClock())


def recorded(stage: Scene) -> dict[str, EventGroup]:
    """The items of the groups, by event."""
    return {group.event: group for group in _state(stage).event_groups()}


FOREIGN = {"trips": {"S": "?"}}
"""What no group's item holds; its group can be told still."""


def damage(stage: Scene, own: EventGroup, by: dict[str, Any]) -> dict[str, Any]:
    """These attributes into the group's item; as it was."""
    table, place = (
        boto3.client("dynamodb"),
        {
            "pk": {"S": f"{stage.world.setup.bot}#groups"},
            "sk": {"S": f"{own.session_id}#{own.event}"},
        },
    )
    before: dict[str, Any] = table.get_item(TableName=STATE_TABLE, Key=place, ConsistentRead=True)["Item"]
    table.put_item(TableName=STATE_TABLE, Item=before | by)
    return before


def unproven_in(stage: Scene, group_id: str) -> list[str]:
    """Orders that may come to rest in that group, or may rest there, by the journal."""
    orders = _state(stage).load().journal.orders.values()
    return [o.client_order_id for o in orders if o.open and o.order_id is None and o.group_id == group_id]


def group_of(stage: Scene, ticker: str) -> Group:
    """The event's group on the exchange."""
    group: Group = stage.world.member.groups[recorded(stage)[event_of(ticker)].group_id]
    return group


def in_their_groups(stage: Scene) -> None:
    """Every order rests in the group of its own event, and so under its brake."""
    groups = recorded(stage)
    for order in stage.world.member.resting.values():
        assert order.group_id == groups[order.market.spec.event_ticker].group_id


def sound(stage: Scene) -> None:
    """All is quoted, each event in its own group, and nothing broken."""
    stage.sound()
    in_their_groups(stage)


def trip(stage: Scene, ticker: str = A, side: str = "bid", count_e2: int | None = None) -> None:
    """Somebody takes the whole quote: the exchange takes the event's other quote off."""
    fill(stage.world, ticker, side, count_e2)
    set_book(stage.world, ticker)


def quoted(stage: Scene, ticker: str) -> bool:
    return any(stage.world.resting(ticker, side) for side in ("bid", "ask"))


def unhurt(stage: Scene) -> None:
    """Nothing broken, and no cancel found nothing."""
    assert not broken(stage.world), broken(stage.world)
    assert stage.world.exchange.stats.cancels_404 == 0
