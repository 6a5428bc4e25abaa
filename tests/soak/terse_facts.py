"""The bot's facts without Powertools: formatting lines that nobody reads would be a tenth of a soak."""

import json
import sys

from dora.telemetry import Telemetry


class TerseFacts(Telemetry):
    """Each fact is still one line of JSON on standard output, with the keys of its invocation."""

    def __init__(self, *, bot: str, service: str, log_level: str) -> None:
        super().__init__(bot=bot, service=service, log_level=log_level)
        self._keys: dict[str, str] = {}

    def begin(self, **keys: str) -> None:
        """A new invocation."""
        self._keys = keys

    def context(self, **keys: str) -> None:
        """Keys of every later line."""
        self._keys |= keys

    def emit(self, event_type: str, **fields: object) -> None:
        """One fact."""
        sys.stdout.write(json.dumps({"event_type": event_type, **self._keys, **fields}, default=str) + "\n")

    def count(self, name: str, value: float, unit: str = "Count") -> None:
        """Metrics are not kept."""

    def flush(self) -> None:
        """Nothing waits to be written."""
