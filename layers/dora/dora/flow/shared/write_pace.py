"""Pacing of writes that wait for nobody else: triggers, a teardown's cancels, calls about order groups."""

from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import GROUP_COST, US_PER_MS, Bucket, empty_until_us, reserve
from dora.core.fallbacks import UNCONFIGURED, UNLEARNED
from dora.core.ports import Ports
from dora.core.units import TimeMs
from dora.flow.shared.shared_charge import SharedCharge

NO_END_US = 2**62
"""Later than any time: a full bucket pays for every call that fits it."""


class WritePace:
    """The write bucket as one invocation knows it: full at first, spent by its own writes alone.

    It needs neither table nor shared limiter, so it works when those do not. The shared limiter is charged
    afterwards, and no more once that has failed. Without learned limits it is the smallest tier's bucket.
    """

    def __init__(
        self, ports: Ports, limits: Limits | None, backoff_ms: int = UNCONFIGURED.rate_limit_backoff_ms
    ) -> None:
        usable = limits is not None and limits.write_rate > 0 and limits.write_capacity >= GROUP_COST
        self.limits = limits if limits is not None and usable else UNLEARNED
        self._ports, self._backoff_ms = ports, backoff_ms
        self._bucket = Bucket(self.limits.write_rate, self.limits.write_capacity)
        self._tat_us, self._uncharged = 0, 0
        self.limited = False
        """Whether the latest write was answered with a 429."""
        self._shared = SharedCharge(ports, "write")

    def due_ms(self, tokens: int) -> TimeMs:
        """When the bucket can pay for a call of so many tokens."""
        now_us = self._ports.clock.now_ms() * US_PER_MS
        (send_ms,) = reserve(self._bucket, self._tat_us, [tokens], now_us, NO_END_US).send_ms
        return TimeMs(send_ms)

    def spend(self, tokens: int, *, charged: bool = False) -> None:
        """Count a call that is sent now. `charged`: the shared limiter knows of it already."""
        now_us = self._ports.clock.now_ms() * US_PER_MS
        self._tat_us = max(self._tat_us, now_us) + self._bucket.call_us(tokens)
        self._uncharged += 0 if charged else tokens

    def wait(self, tokens: int, until_ms: int | None = None) -> bool:
        """Wait until the bucket can pay, and spend; False, at once, if that is after `until_ms`."""
        due_ms = self.due_ms(tokens)
        if until_ms is not None and due_ms > until_ms:
            return False
        self._ports.clock.sleep_ms(max(due_ms - self._ports.clock.now_ms(), 0))
        self.spend(tokens)
        return True

    def emptied(self, endpoint: str) -> None:
        """After a 429: the bucket holds nothing now, whoever spent it; the shared limiter is told."""
        now_us = self._ports.clock.now_ms() * US_PER_MS
        self._tat_us = max(self._tat_us, empty_until_us(self._bucket, now_us))
        self.limited = True
        self._shared.back_off(endpoint, self._backoff_ms)

    def passed(self) -> None:
        """After a write that was carried out: a row of 429s has ended."""
        if self.limited:
            self.limited = False
            self._shared.passed()

    def charge(self) -> None:
        """Tell the shared limiter what was spent since the last time."""
        self._shared.charge(self._uncharged)
        self._uncharged = 0
