"""`ports.ConfigStore` in memory: the product's own reader over items that lie in this process."""

from typing import Any

from dora.core.state import Configs
from dora.edge.dynamo.configs import DynamoConfigs
from tests.world.memory_cloud import MemoryCloud, request


class MemoryConfigs:
    """The config table of one bot. Items are parsed as deployed, so a bad one is as bad here."""

    service = "configs"

    def __init__(self, cloud: MemoryCloud, bot: str) -> None:
        self.cloud = cloud
        client: Any = _Query(cloud)
        self._reader = DynamoConfigs(client, "config", bot)

    @request
    def load(self) -> Configs:
        """All items of this bot."""
        return self._reader.load()


class _Query:
    """As much of a DynamoDB client as a read of one partition needs."""

    def __init__(self, cloud: MemoryCloud) -> None:
        self._cloud = cloud

    def query(self, **given: Any) -> dict[str, Any]:
        bot = given["ExpressionAttributeValues"][":pk"]["S"]
        return {"Items": [item for _, item in sorted(self._cloud.configs[bot].items())]}
