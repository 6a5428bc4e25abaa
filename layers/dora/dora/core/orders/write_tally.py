"""How the writes of one cycle ended, by code, and whether most of a batch, or of them all, failed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dora.core.empty import EMPTY


class WriteTally(NamedTuple):
    """Orders that writes named, and the codes of those that were refused or not answered."""

    requested: int = 0
    codes: Mapping[str, int] = EMPTY
    batches: int = 0
    """Batches of which more than half failed."""

    @property
    def failed(self) -> int:
        """Orders whose write was refused or not answered."""
        return sum(self.codes.values())

    @property
    def mostly_failed(self) -> bool:
        """Whether more than half of a batch failed, or more than half of all."""
        return self.batches > 0 or self.failed * 2 > self.requested

    def after_batch(self, size: int, failed: Sequence[str]) -> "WriteTally":
        """The tally after a batch of so many orders; `failed` are the codes of those that failed."""
        after = self.after(size, failed)
        return after._replace(batches=self.batches + (len(failed) * 2 > size))

    def after(self, size: int, failed: Sequence[str]) -> "WriteTally":
        """The tally after writes that were no batch."""
        return self._replace(requested=self.requested + size, codes=Counter(self.codes) + Counter(failed))
