"""One archived cycle out of its file, and what the core makes of it now."""

from dataclasses import dataclass
from pathlib import Path

from dora.core.cycle_record import CycleRecord, Decided, Seen
from dora.core.errors import StateError
from dora.edge.archive.packing import unpack
from dora.flow.cycle.archive import decide_again
from tests.replay_cycle.differences import Difference, differences


class NotReplayableError(Exception):
    """The file is no archive object, or one of decisions alone."""


@dataclass(frozen=True)
class Replay:
    """A cycle that was decided again."""

    record: CycleRecord
    seen: Seen
    again: Decided
    found: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Prices, counts and reasons are the same; model values but for their last digit."""
        return all(one.tolerable for one in self.found)

    @property
    def exact(self) -> bool:
        """Bit for bit."""
        return self.record.decided == self.again


def replay_file(path: Path) -> Replay:
    """Raises NotReplayableError."""
    try:
        return replay(path.read_bytes())
    except OSError as error:
        raise NotReplayableError(str(error)) from error


def replay(body: bytes) -> Replay:
    """The core on one archive object. Raises NotReplayableError."""
    try:
        record = unpack(body)
    except StateError as error:
        raise NotReplayableError(str(error)) from error
    if record.seen is None:
        raise NotReplayableError(f"cycle {record.cycle_id} was archived without what it was decided from")
    again = decide_again(record.seen, record.asked)
    return Replay(record, record.seen, again, differences(record.decided, again, record.seen.orders))
