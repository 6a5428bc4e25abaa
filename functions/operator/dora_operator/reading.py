"""What the stack keeps, read with the product's own readers; nothing here writes."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.calendar import exchange_day, format_time
from dora.core.cycle_record import CycleRecord
from dora.core.exchange.account import Fill, Settlement
from dora.core.orders.journal import TrackedOrder, fold_plans
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import BotState, Configs
from dora.core.units import Money, TimeMs, parse_money
from dora.core.zones import DAY_MS
from dora.edge.archive.packing import unpack
from dora.edge.dynamo.codec import value_of_item
from dora.edge.dynamo.configs import DynamoConfigs
from dora.edge.dynamo.store import DynamoState
from dora.edge.dynamo.table import Table
from dora_operator.target import Target

DAYS_BACK = 3
"""How far an archive object is looked for before the time asked for."""


class Reading:
    """One command's reads of one stack, each thing at most once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._dynamo = target.client("dynamodb")
        self._store = DynamoState(self._dynamo, target.state_table, target.state_key, target.clock)

    @cached_property
    def now_ms(self) -> TimeMs:
        return self.target.clock.now_ms()

    @cached_property
    def today(self) -> str:
        """The exchange's day."""
        return exchange_day(self.now_ms)

    @cached_property
    def state(self) -> BotState:
        """All of it, plans that were cut short folded in."""
        state = self._store.load()
        return state._replace(journal=fold_plans(state.journal, state.plans))

    @property
    def last_came_to(self) -> str:
        """What the last finished cycle came to, in words: one that was to do nothing says why, if we know."""
        status, session = self.state.progress.status, self.state.session
        if status != "halted" or self.state.control.halted:
            return status or "-"
        if session is None:
            return "no session"
        return "nothing placed" if session.status is SessionStatus.ACTIVE else f"session {session.status}"

    @property
    def open_orders(self) -> list[TrackedOrder]:
        """What may rest: nothing after a teardown, though only a cycle clears the journal."""
        session = self.state.session
        if session is not None and session.status is SessionStatus.CLOSED:
            return []
        return [own for own in self.state.journal.orders.values() if own.open]

    @cached_property
    def configs(self) -> Configs:
        return DynamoConfigs(self._dynamo, self.target.config_table, self.target.bot).load()

    def profit_rows(self, day: str = "") -> tuple[ProfitRow, ...]:
        """Of one day of the exchange, or of all."""
        return self._store.profit_rows(day)

    def payouts(self) -> tuple[Settlement, ...]:
        """Every payout that was booked."""
        return self._store.payouts()

    def fills(self) -> list[Fill]:
        """As booked, oldest first; markers live for seven years."""
        items = self._query("fills")
        return sorted((value_of_item(Fill, item) for item in items), key=lambda own: (own.at_ms, own.fill_id))

    def sessions(self) -> list[SessionMetadata]:
        """Those that are over, oldest first."""
        return [value_of_item(SessionMetadata, item) for item in self._query("history")]

    def cycle_records(self, most: int) -> list[Mapping[str, Any]]:
        """The wide records of the latest cycles, newest first."""
        table = Table(self._dynamo, self.target.state_table)
        items = table.query(f"{self.target.state_key}#cycles", descending=True, limit=most)
        found = (self._store.summary(item["sk"]["S"]) for item in items)
        return [record for record in found if record]

    def _query(self, part: str) -> list[dict[str, Any]]:
        table = Table(self._dynamo, self.target.state_table)
        return table.query(f"{self.target.state_key}#{part}")

    # --- the archive ----------------------------------------------------------------------------

    @cached_property
    def latest_cycle(self) -> CycleRecord | None:
        """The newest archived cycle; None where nothing is archived."""
        return next(self.cycles(self.now_ms), None)

    def cycles(self, until_ms: TimeMs) -> Iterator[CycleRecord]:
        """Archived cycles from that time backwards, read one by one."""
        client, bucket = self.target.client("s3"), self.target.outputs["ArchiveBucketName"]
        for key in self._archive_keys(client, bucket, until_ms):
            yield self._cycle(client, bucket, key)

    def cycles_between(self, since_ms: TimeMs, until_ms: TimeMs, most: int) -> tuple[int, list[CycleRecord]]:
        """How many cycles are archived in this time, and at most so many of them, oldest first.

        Those are evenly spread, the first and the last among them.
        """
        client, bucket = self.target.client("s3"), self.target.outputs["ArchiveBucketName"]
        days = (until_ms - since_ms) // DAY_MS + 2
        found = self._archive_keys(client, bucket, until_ms, days)
        keys = [key for key in found if cycle_of(key) >= format_time(since_ms)][::-1]
        return len(keys), [self._cycle(client, bucket, key) for key in spread(keys, most)]

    def _cycle(self, client: Any, bucket: str, key: str) -> CycleRecord:
        return unpack(client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _archive_keys(
        self, client: Any, bucket: str, until_ms: TimeMs, days: int = DAYS_BACK
    ) -> Iterator[str]:
        folder = f"{self.target.bot}/dry" if self.target.dry_run else self.target.bot
        last = format_time(until_ms)
        for back in range(days):
            year, month, day = format_time(TimeMs(until_ms - back * DAY_MS))[:10].split("-")
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=f"{folder}/{year}/{month}/{day}/"
            )
            keys = [own["Key"] for page in pages for own in page.get("Contents", ())]
            yield from sorted((key for key in keys if cycle_of(key) <= last), reverse=True)

    def open_profit(self) -> dict[str, Money | None]:
        """By market what its open position has gained since the rows last marked it, at the latest marks.

        None: nobody could put a price on it. A market without an open position is left out.
        """
        record = self.latest_cycle
        marked = record.done.record.get("pnl_by_market") if record else None
        found: dict[str, Money | None] = {}
        for ticker, books in self.state.books.items():
            if books.net:
                own = marked.get(ticker) if isinstance(marked, Mapping) else None
                unrealised = own.get("unrealised_dollars") if isinstance(own, Mapping) else None
                found[ticker] = None if unrealised is None else Money(parse_money(unrealised) - books.marked)
        return found


def spread(keys: list[str], most: int) -> list[str]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(keys) <= most:
        return keys
    return [keys[place * (len(keys) - 1) // (most - 1)] for place in range(most)]


def cycle_of(key: str) -> str:
    """The cycle id in an archive key."""
    return key.rpartition("/")[2].removesuffix(".json.gz")


def facts(path: str) -> Iterator[dict[str, Any]]:
    """The facts in a log file of a stack on this machine."""
    with Path(path).open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("{"):
                own = json.loads(line)
                if "event_type" in own:
                    yield own
