"""What one world is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.simulator.knobs import Knobs
from tests.simulator.model import MarketSpec
from tests.simulator.plant import Plant
from tests.world import config_items
from tests.world.cloud import CloudKind
from tests.world.config_items import Item
from tests.world.keys import KeyKind

DOLLAR_E6 = 1_000_000

Wire = Literal["adapter", "http"]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One bot in one little universe. Everything not said is a sensible, small choice.

    `items` are the market items by ticker; a market without one is not quoted. `cash_dollars` is what the
    member holds on each shard.
    """

    markets: tuple[MarketSpec, ...]
    start_ms: int
    items: Mapping[str, Item]
    globals: Item = field(default_factory=lambda: dict(config_items.GLOBAL))
    tier: str = "advanced"
    seed: int = 1
    cash_dollars: int = 20_000
    knobs: Knobs = field(default_factory=Knobs)
    plant: Plant | None = None
    wire: Wire = "adapter"
    cloud: CloudKind = "process"
    key: KeyKind = "ed25519"
    bot: str = "dora"
    dry_run: bool = False
    skew_ms: int = 0
    archive_bucket: str = ""
    archive: str = "full"
    alarm_topic: str = ""
    log_level: str = "WARNING"

    @property
    def shards(self) -> tuple[int, ...]:
        """The shards on which the member holds cash: shard 0 and those of the markets."""
        return tuple(sorted({0} | {spec.shard for spec in self.markets}))

    def environment(self, base_url: str, aws_endpoint: str) -> dict[str, str]:
        """The functions' environment variables, by the names that the template declares."""
        return {
            "BOT": self.bot,
            "STAGE": STAGE,
            "CONFIG_TABLE": CONFIG_TABLE,
            "STATE_TABLE": STATE_TABLE,
            "LIMITER_TABLE": STATE_TABLE,
            "KALSHI_BASE_URL": base_url,
            "KALSHI_SECRET_ID": SECRET_ID,
            "SUBACCOUNT": "0",
            "DRY_RUN": "true" if self.dry_run else "false",
            "ARCHIVE_BUCKET": self.archive_bucket,
            "ARCHIVE": self.archive,
            "ALARM_TOPIC": self.alarm_topic,
            "LOG_LEVEL": self.log_level,
            "AWS_ENDPOINT_URL": aws_endpoint,
            "POWERTOOLS_SERVICE_NAME": self.bot,
            "POWERTOOLS_METRICS_NAMESPACE": "dora",
            "MALLOC_ARENA_MAX": "2",
        }


STAGE = "local"
CONFIG_TABLE, STATE_TABLE = "dora-config", "dora-state"
SECRET_ID = "dora/local"
