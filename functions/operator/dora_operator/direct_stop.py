"""Stopping without AWS: trigger the groups of our orders, cancel by prefix, prove that none remain."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dora.core.errors import AuthRefused, ExchangeError
from dora.core.exchange.account import Order
from dora.core.exchange.listed import Listed, UnreadableRow
from dora.core.units import TimeMs
from dora.edge.kalshi.client import KalshiExchange
from dora.flow.session.mass_cancel import cancel_of
from dora_operator.target import Clock

SETTLE_MS = 15_000
"""A list begun this much later than a write shows what the write did, whoever's it was: lists lag."""
PROOFS = 2
LOOK_MS = 2_000
PATIENCE_MS = 180_000
BATCH = 20
Say = Callable[[str], None]


@dataclass
class DirectStop:
    """One stop. `prefix`: of our client order ids; nothing else on the account is touched."""

    exchange: KalshiExchange
    clock: Clock
    prefix: str
    say: Say
    all_groups: bool = False
    triggered: dict[str, int] = field(default_factory=dict)
    """Groups that answered, and when."""
    _waiting: dict[str, int] = field(default_factory=dict)
    """Groups still to be triggered, and their shards."""
    _clean: int = 0
    _began_ms: int = 0
    """Others may have written until then, a run that died among them: of that nothing is known here."""
    _wrote_ms: int | None = None
    """When the last call that may have changed something ended."""

    @property
    def wrote(self) -> bool:
        """Whether any call so far changed something, or may have."""
        return self._wrote_ms is not None

    def run(self) -> bool:
        """Whether two complete lists in a row, late enough, held no order of ours.

        Safe to repeat: each run waits SETTLE_MS before it takes a list for a proof. Raises AuthRefused where
        the key is refused, which no repeat mends, and ExchangeError where all groups cannot be listed.
        """
        self._began_ms = self.clock.now_ms()
        until_ms = self._began_ms + PATIENCE_MS
        self.exchange.until(TimeMs(until_ms))
        if self.all_groups:
            self._note_all_groups()
        while self.clock.now_ms() < until_ms:
            began_ms = self.clock.now_ms()
            listed = self._resting()
            if listed is not None:
                self._act(listed, began_ms)
            if self._clean >= PROOFS:
                return True
            self.clock.sleep_ms(LOOK_MS)
        return False

    def _note_all_groups(self) -> None:
        for group in self.exchange.order_groups().rows:
            self._waiting[group.group_id] = group.shard

    def _resting(self) -> Listed[Order] | None:
        try:
            listed = self.exchange.resting_orders()
        except AuthRefused:
            raise
        except ExchangeError as error:
            self.say(f"the list of orders could not be read: {error}; again")
            self._clean = 0
            return None
        if listed.unreadable:
            self.say(f"{len(listed.unreadable)} rows of the list cannot be read: look at the exchange's site")
        return listed

    def _may_be_ours(self, row: UnreadableRow) -> bool:
        return row.client_order_id is None or row.client_order_id.startswith(self.prefix)

    def _act(self, listed: Listed[Order], began_ms: int) -> None:
        rows = [own for own in listed.rows if own.client_order_id.startswith(self.prefix)]
        hidden = any(map(self._may_be_ours, listed.unreadable))
        new = {row.group_id: row.shard for row in rows if row.group_id and row.group_id not in self.triggered}
        self._waiting |= new
        self._trigger()
        late = [row for row in rows if began_ms >= self._shown_from(row)]
        for first in range(0, len(late), BATCH):
            self._cancel(late[first : first + BATCH])
        proves = not rows and not hidden and not self._waiting and began_ms >= self._proof_ms
        self._clean = self._clean + 1 if proves else 0

    @property
    def _proof_ms(self) -> int:
        return max(self._began_ms, self._wrote_ms or 0) + SETTLE_MS

    def _shown_from(self, row: Order) -> int:
        """When a list still shows an order of a triggered group, it may be a stale row at first."""
        if not row.group_id:
            return 0
        return self.triggered.get(row.group_id, self.clock.now_ms()) + SETTLE_MS

    def _trigger(self) -> None:
        """Every waiting group once. Raises AuthRefused where no write of this run got past the key: at once,
        but of groups that may be somebody else's each is tried.
        """
        refused: AuthRefused | None = None
        for group_id, shard in list(self._waiting.items()):
            try:
                self.exchange.trigger_group(group_id, shard)
            except AuthRefused as error:
                if not self.wrote and not self.all_groups:
                    raise
                self.say(f"group {group_id} was not triggered: {error}")
                refused = error
                continue
            except ExchangeError as error:
                self.say(f"group {group_id} did not answer its trigger: {error}; again")
                self._wrote_ms = self.clock.now_ms()
                continue
            del self._waiting[group_id]
            self.triggered[group_id] = self._wrote_ms = self.clock.now_ms()
            self.say(f"group {group_id} triggered: it holds no order and takes none")
        if refused and not self.wrote:
            raise refused

    def _cancel(self, rows: list[Order]) -> None:
        """Raises AuthRefused where the key was refused for all of it, and no write got past it before."""
        done = self.exchange.cancel([cancel_of(row) for row in rows])
        refused = self.exchange.write_refused
        if refused is not None and not self.wrote and not done.succeeded and not done.unknown:
            raise refused
        self._wrote_ms = self.clock.now_ms()
        left = len(done.failed) + len(done.unknown)
        self.say(f"{len(done.succeeded)} orders cancelled, {left} refused or not answered")
