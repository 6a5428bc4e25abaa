"""Values for the storage tests: builders, strategies for every stored type, a clock, a faulty client."""

import random
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import strategies as st

from dora.core.accounts.ledger import Position
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Fill, Limits, Settlement
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import Journal, OrderState, Plan, TrackedOrder
from dora.core.orders.requests import OrderRequest
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import LeaseGrant
from dora.core.units import Count, Money, Price, TimeMs
from dora.edge.dynamo.lease import DynamoLease
from dora.edge.dynamo.store import DynamoState
from tests.world.tables import create_tables

BOT = "alpha"
NOW_MS = 1_760_000_000_000


class StandingClock:
    """Time that a test moves by hand."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> TimeMs:
        return TimeMs(self.time_ms)

    def sleep_ms(self, span_ms: int) -> None:
        self.time_ms += span_ms


def empty_tables(client: Any) -> None:
    """New tables: the embedded DynamoDB copies whole ones for each transaction, old examples included."""
    for table in ("config", "state"):
        client.delete_table(TableName=table)
    create_tables(client, "config", "state")


def open_state(client: Any, clock: StandingClock | None = None, pk: str = BOT) -> DynamoState:
    return DynamoState(client, "state", pk, clock or StandingClock())


def having_read(client: Any, *faults: "Fault") -> tuple[DynamoState, "FaultyClient"]:
    """A state that has read the table, and its client, whose next calls meet these faults."""
    meeting = FaultyClient(client)
    state = open_state(meeting)
    state.load()
    meeting.calls, meeting.faults = [], list(faults)
    return state, meeting


def take_lease(client: Any, tick: int = 1, pk: str = BOT) -> int:
    """A fence, taken over from whoever holds the lease."""
    grant = DynamoLease(client, "state", pk).acquire(
        owner=f"run-{tick}",
        tick_ms=TimeMs(NOW_MS + tick),
        now_ms=TimeMs(NOW_MS + tick * 100_000),
        expires_ms=TimeMs(NOW_MS + tick * 100_000 + 50_000),
    )
    assert isinstance(grant, LeaseGrant)
    return grant.fence


def stored(client: Any, pk: str = BOT) -> Mapping[str, Any]:
    """Items of one partition by sort key, as they lie there."""
    page = client.query(
        TableName="state",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ConsistentRead=True,
    )
    return {item["sk"]["S"]: item for item in page["Items"]}


def request(number: int, side: Side = Side.BID) -> OrderRequest:
    return OrderRequest(
        client_order_id=f"dabcdefg-{number:024d}",
        slot=Slot(f"KXA-{number // 4}", side),
        shard=number % 3,
        price=Price(4600),
        count=Count(1000),
        group_id=None,
        expires_s=1_760_003_600,
    )


def order(number: int) -> TrackedOrder:
    sent = request(number)
    return TrackedOrder(
        client_order_id=sent.client_order_id,
        slot=sent.slot,
        shard=sent.shard,
        price=sent.price,
        count=sent.count,
        remaining=sent.count,
        state=OrderState.LIVE,
        sent_ms=TimeMs(NOW_MS + number),
        order_id=f"order-{number}",
    )


def unlike(number: int) -> TrackedOrder:
    """An order whose ids do not compress, as real ones do not."""
    chance = random.Random(number)
    return order(number)._replace(
        client_order_id=f"dabcdefg-{chance.randbytes(12).hex()}",
        order_id=str(UUID(int=chance.getrandbits(128))),
    )


def journal(count: int) -> Journal:
    return Journal().with_orders(order(number) for number in range(count))


def plan(fence: int, count: int = 1, phase: str = "place") -> Plan:
    places = tuple(request(number) for number in range(count))
    return Plan(fence=fence, phase=phase, cycle_id="cycle-1", until_ms=TimeMs(NOW_MS), places=places)


def fill(number: int, ticker: str = "KXA-1") -> Fill:
    return Fill(
        fill_id=f"fill-{number}",
        order_id=f"order-{number}",
        ticker=ticker,
        shard=1,
        side=Side.BID,
        price=Price(4600),
        count=Count(100),
        is_taker=False,
        fee=Money(1234),
        at_ms=TimeMs(NOW_MS + number),
    )


def settlement(ticker: str = "KXA-1") -> Settlement:
    return Settlement(
        ticker=ticker,
        shard=1,
        value=Price(10_000),
        revenue=Money(1_000_000),
        fee=Money(0),
        settled_ms=TimeMs(NOW_MS),
    )


def position(ticker: str = "KXA-1") -> Position:
    return Position(ticker=ticker, shard=1)


def session(rev: int = 0, session_id: str = "s1", created_ms: int = NOW_MS) -> SessionMetadata:
    return SessionMetadata(
        session_id=session_id,
        status=SessionStatus.ACTIVE,
        created_at_ms=TimeMs(created_ms),
        contracts_limit=Count(500_000),
        rev=rev,
    )


def event_group(event: str = "EV-1", **changes: Any) -> EventGroup:
    plain: dict[str, Any] = {"session_id": "s1", "group_id": "g-1"} | changes
    return EventGroup(event=event, shard=1, burst_limit=Count(900), asked_ms=TimeMs(NOW_MS), **plain)


def incompressible(markets: int, size: int = 120) -> dict[str, dict[str, object]]:
    """Strategy memory that no packing makes smaller than half of it."""
    chance = random.Random(11)
    return {f"KXA-{number}": {"noise": chance.randbytes(size).hex()} for number in range(markets)}


LIMITS = Limits(tier="advanced", read_rate=300, read_capacity=600, write_rate=300, write_capacity=600)


# --- any value of a stored type ----------------------------------------------------------------------

_INTS = st.integers(-(10**30), 10**30)
_TEXTS = st.text(max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | _INTS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    int: _INTS,
    str: _TEXTS,
    bool: st.booleans(),
    type(None): st.none(),
    object: _JSON,
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a declared type."""
    if isinstance(hint, NewType):
        return values(hint.__supertype__)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if is_dataclass(hint) or hasattr(hint, "_fields"):
        hints = get_type_hints(hint)
        names = hint._fields if hasattr(hint, "_fields") else [spec.name for spec in fields(hint)]
        return st.builds(hint, **{name: values(hints[name]) for name in names})
    arguments = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*map(values, arguments))
    if get_origin(hint) is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    assert get_origin(hint) in (dict, Mapping), hint
    return st.dictionaries(_TEXTS, values(arguments[1]), max_size=3)


# --- a client that fails on demand ---------------------------------------------------------------------


def throttled(_: Callable[[], Any]) -> Any:
    """Refused for want of capacity, after all of botocore's own retries."""
    raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "Any")


def request_lost(_: Callable[[], Any]) -> Any:
    raise ReadTimeoutError(endpoint_url="https://dynamodb")


def answer_lost(call: Callable[[], Any]) -> Any:
    """Applied, but nobody learns of it."""
    call()
    raise ReadTimeoutError(endpoint_url="https://dynamodb")


def sent_twice(call: Callable[[], Any]) -> Any:
    """The first answer is lost inside botocore, which sends the same request again."""
    call()
    return call()


def conflict(call: Any) -> Any:
    """Cancelled because another transaction was under way on one of the items; each has its reason."""
    others = len(call.keywords["TransactItems"]) - 1
    reasons = [*[{"Code": "None"}] * others, {"Code": "TransactionConflict"}]
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    raise ClientError(answer, "TransactWriteItems")


Fault = Callable[[Callable[[], Any]], Any]


class FaultyClient:
    """A DynamoDB client whose next calls meet these faults, in order; afterwards it works."""

    def __init__(self, client: Any, *faults: Fault) -> None:
        self._client, self.faults = client, list(faults)
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**given: Any) -> Any:
            self.calls.append(name)
            fault = self.faults.pop(0) if self.faults else None
            return fault(partial(method, **given)) if fault else method(**given)

        return call
