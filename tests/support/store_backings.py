"""The two storages a bot can stand on, opened alike: the DynamoDB adapter on moto, and memory."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, Protocol

from botocore.exceptions import ClientError

from dora.core.errors import StateUnavailable
from dora.core.ports import ConfigStore, Lease, Limiter, StateStore
from dora.core.state import LeaseGrant
from dora.core.units import TimeMs
from dora.edge.dynamo.configs import DynamoConfigs
from dora.edge.dynamo.lease import DynamoLease
from dora.edge.dynamo.limiter import DynamoLimiter
from dora.edge.dynamo.store import DynamoState
from tests.support.dynamo_values import BOT, NOW_MS, Fault, FaultyClient, StandingClock, request_lost
from tests.world.memory_cloud import MemoryCloud, StoreFaults
from tests.world.memory_configs import MemoryConfigs
from tests.world.memory_lease import MemoryLease
from tests.world.memory_limiter import MemoryLimiter
from tests.world.memory_store import MemoryStore

Loss = Literal["none", "request", "answer"]


class Backing(Protocol):
    """Opens each port anew, as a cold start does. `lose` is what becomes of the first request."""

    def state(self, pk: str = BOT, lose: Loss = "none") -> StateStore: ...

    def lease(self, pk: str = BOT, lose: Loss = "none") -> Lease: ...

    def limiter(self, key_name: str = "key", lose: Loss = "none") -> Limiter: ...

    def configs(self, bot: str = BOT, lose: Loss = "none") -> ConfigStore: ...

    def put_config(self, sk: str, typed: Mapping[str, Any], bot: str = BOT) -> None:
        """Write an item of the config table."""

    def delete_config(self, sk: str) -> None:
        """Take one away."""


def any_answer_lost(call: Callable[[], Any]) -> Any:
    """Applied or refused, but nobody learns which."""
    with suppress(ClientError):
        call()
    return request_lost(call)


class DynamoBacking:
    """The adapter as deployed."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def _meeting(self, lose: Loss) -> Any:
        faults: dict[Loss, list[Fault]] = {
            "none": [],
            "request": [request_lost],
            "answer": [any_answer_lost],
        }
        return FaultyClient(self._client, *faults[lose])

    def state(self, pk: str = BOT, lose: Loss = "none") -> StateStore:
        """It has read the table, so that the loss meets what it is asked for and not that read."""
        client = self._meeting("none")
        state = DynamoState(client, "state", pk, StandingClock())
        state.load()
        client.faults = self._meeting(lose).faults
        return state

    def lease(self, pk: str = BOT, lose: Loss = "none") -> Lease:
        return DynamoLease(self._meeting(lose), "state", pk)

    def limiter(self, key_name: str = "key", lose: Loss = "none") -> Limiter:
        return DynamoLimiter(self._meeting(lose), "state", key_name)

    def configs(self, bot: str = BOT, lose: Loss = "none") -> ConfigStore:
        return DynamoConfigs(self._meeting(lose), "config", bot)

    def put_config(self, sk: str, typed: Mapping[str, Any], bot: str = BOT) -> None:
        self._client.put_item(TableName="config", Item={"pk": {"S": bot}, "sk": {"S": sk}, **typed})

    def delete_config(self, sk: str) -> None:
        self._client.delete_item(TableName="config", Key={"pk": {"S": BOT}, "sk": {"S": sk}})


class FirstLost(StoreFaults):
    """The first request, or its answer, is lost."""

    def __init__(self, lose: Loss) -> None:
        self._left = lose

    def before(self, method: str) -> None:
        self._meet("request", method)

    def after(self, method: str) -> None:
        self._meet("answer", method)

    def _meet(self, lose: Loss, method: str) -> None:
        if self._left == lose:
            self._left = "none"
            raise StateUnavailable(f"{method}: {lose} lost")


class MemoryBacking:
    """The storage of long runs."""

    def __init__(self, cloud: MemoryCloud) -> None:
        self._cloud = cloud

    def _meeting(self, lose: Loss) -> MemoryCloud:
        self._cloud.faults = FirstLost(lose)
        return self._cloud

    def state(self, pk: str = BOT, lose: Loss = "none") -> StateStore:
        return MemoryStore(self._meeting(lose), pk)

    def lease(self, pk: str = BOT, lose: Loss = "none") -> Lease:
        return MemoryLease(self._meeting(lose), pk)

    def limiter(self, key_name: str = "key", lose: Loss = "none") -> Limiter:
        return MemoryLimiter(self._meeting(lose), key_name)

    def configs(self, bot: str = BOT, lose: Loss = "none") -> ConfigStore:
        return MemoryConfigs(self._meeting(lose), bot)

    def put_config(self, sk: str, typed: Mapping[str, Any], bot: str = BOT) -> None:
        self._cloud.put_config({"pk": {"S": bot}, "sk": {"S": sk}, **typed})

    def delete_config(self, sk: str) -> None:
        del self._cloud.configs[BOT][sk]


def take_fence(backing: Backing, tick: int = 1, pk: str = BOT) -> int:
    """A fence, taken over from whoever holds the lease."""
    at_ms = NOW_MS + tick * 100_000
    grant = backing.lease(pk).acquire(
        owner=f"run-{tick}", tick_ms=TimeMs(tick), now_ms=TimeMs(at_ms), expires_ms=TimeMs(at_ms + 50_000)
    )
    assert isinstance(grant, LeaseGrant)
    return grant.fence
