"""I9: after every cycle the bot's books, read back from its state table, must be the exchange's own."""

import importlib
from collections.abc import Mapping
from typing import Any

import boto3

from tests.simulator.exchange import Exchange
from tests.simulator.member import Member
from tests.world.books import Account, BookedPosition, best_match
from tests.world.setup import STATE_TABLE, Setup


class Bookkeeping:
    """Audits one member. `wrong_nets` counts, over all audits, the markets whose position was wrong."""

    def __init__(self, setup: Setup, exchange: Exchange, member: Member) -> None:
        self._setup, self._exchange, self._member = setup, exchange, member
        self.audits = 0
        self.wrong_nets = 0
        self._wrong: set[str] = set()

    def audit(self, began_ms: int) -> None:
        """Compare every market's position, cash, fees and volume; `began_ms` is when the cycle began."""
        wrong = best_match(self.positions(), self._member.fills, self._member.settlements, began_ms - self._lag_ms())
        self.audits += 1
        self.wrong_nets += sum(ours["net"] != theirs["net"] for ours, theirs in wrong.values())
        for ticker in self._wrong - wrong.keys():
            self._report(ticker, dict.fromkeys(Account().figures()), {})
        for ticker, (ours, theirs) in wrong.items():
            self._report(ticker, ours, theirs)
        self._wrong = set(wrong)

    def positions(self) -> Mapping[str, BookedPosition]:
        """The bot's positions as the product's own store reads them."""
        store = importlib.import_module("dora.edge.dynamo.store")
        key = f"{self._setup.bot}#dry" if self._setup.dry_run else self._setup.bot
        state: Any = store.DynamoState(boto3.client("dynamodb"), STATE_TABLE, key).load()
        positions: Mapping[str, BookedPosition] = state.positions
        return positions

    def _lag_ms(self) -> int:
        knobs = self._exchange.knobs
        return knobs.fills_lag_ms + max((lag for _, lag in knobs.shard_lag_ms), default=0)

    def _report(self, ticker: str, ours: Mapping[str, int | None], theirs: Mapping[str, int]) -> None:
        """A figure of None ends an earlier breach."""
        self._exchange.invariants.report_ledger(
            self._exchange.now_ms(),
            {f"{ticker} {name}": value for name, value in ours.items()},
            {f"{ticker} {name}": theirs.get(name) for name in ours},
        )
