"""The archive object that is kept for each schema: `python -m tests.replay_cycle.kept_object` writes today's.

Made up in a small world. It is written anew when the strategy is meant to decide otherwise; those of earlier
schemas are only read.
"""

from pathlib import Path

from dora.edge.archive.packing import SCHEMA
from tests.battery.scene import fill, scene
from tests.support.small_world import TICKERS, set_book
from tests.world.archive_bucket import ARCHIVE_BUCKET, archive_objects
from tests.world.world import World

FOLDER = Path(__file__).parent / "objects"
DEEP, FLAT, _ = TICKERS
"""Only the first market's book has more than one price a side."""


def kept_object(schema: int = SCHEMA) -> Path:
    """Where it lies."""
    return FOLDER / f"schema-{schema}.json.gz"


def busy_object() -> bytes:
    """A cycle with a position, a kept memory, quotes to replace, and one book that is uneven and deep."""
    with scene(archive_bucket=ARCHIVE_BUCKET) as stage:
        stage.run(2)
        fill(stage.world, FLAT, "bid", 300)
        set_book(stage.world, FLAT)
        stage.run(1)
        stage.move()
        _deepen(stage.world)
        stage.run(1)
        return list(archive_objects().values())[-1]


def _deepen(world: World) -> None:
    bids, asks = [(4_600, 20_000), (4_500, 90_000), (4_400, 90_000)], [(4_900, 50_000), (5_000, 10_000)]
    world.exchange.set_background_book(DEEP, bids, asks)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    kept_object().write_bytes(busy_object())
