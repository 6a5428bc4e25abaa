"""The seam where strategies plug in: one file each in `strategies`, registered by name in `registry`.

A market names its strategy in its config (`strategy`); the strategy's own settings are keys of the same item.
Before a strategy is asked, the market is known, active, funded and read (`admission`); after it, its answer
is checked (`checked`), risk may cut it, and the diff decides what is sent.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.units import Price

StoredMemory = Mapping[str, object]
"""What a strategy remembers of one market: a small flat object that nobody else decodes."""


class Strategy(Protocol):
    """Pure: the same arguments give the same answers bit for bit. What raises costs its own market alone."""

    @property
    def settings(self) -> type[Any]:
        """A frozen dataclass of fields that `config_fields` declares, each with a default."""

    def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        """What one market should rest, and what to remember of this look. `memory` None: the first look."""

    def mark(self, memory: StoredMemory) -> Price | None:
        """What a contract was worth at the last look, for a position whose book shows no price to close at.

        None: not known.
        """
