"""Tokens that are spent whatever a shared bucket holds, told to its limiter afterwards."""

from dora.core.errors import StateError
from dora.core.ports import Ports


class SharedCharge:
    """Charges of one invocation. Once the limiter has failed it is left alone: it may be slow."""

    def __init__(self, ports: Ports, bucket: str) -> None:
        self._ports, self._bucket, self._works = ports, bucket, True

    def charge(self, tokens: int) -> None:
        """Never raises, never waits for tokens."""
        if not self._works or not tokens:
            return
        try:
            self._ports.limiter.charge(self._bucket, tokens, self._ports.clock.now_ms())
        except StateError as error:
            self._works = False
            self._ports.facts.emit("ERROR", what=f"charge of bucket {self._bucket}", why=str(error))
