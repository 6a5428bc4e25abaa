"""After every cycle the bot's books, read back from where it keeps them, must be the exchange's own (I9) and
add up (I11)."""

from collections.abc import Callable

from tests.simulator.exchange import Exchange
from tests.simulator.invariants import Breach
from tests.simulator.member import Member
from tests.world.books import Recount, best_match
from tests.world.bot import Bot
from tests.world.stored_books import unlike


class Bookkeeping:
    """Audits one member. `wrong_nets` counts, over all audits, the markets whose position was wrong."""

    def __init__(self, exchange: Exchange, member: Member, bot: Bot) -> None:
        self._exchange, self._member, self._bot = exchange, member, bot
        self.audits = 0
        self.wrong_nets = 0
        self._wrong: set[str] = set()
        self._unlike: set[str] = set()
        self.keeps_books = True
        """Not while an older version runs, which knows positions only."""
        self._recount = Recount(member.fills)
        self.as_of_ms: Callable[[], int] | None = None
        """What the bot's latest list of fills described, where faults make it older than the cycle."""
        self.torn: Callable[[], bool] = lambda: False
        """Whether a list since then may have lacked some of the later fills."""

    def audit(self, began_ms: int) -> None:
        """Compare every market's position, cash, fees and volume; `began_ms` is when the cycle began.

        Subaccount 0 is the bot's. A market that stays wrong is one breach.
        """
        settlements = [paid for paid in self._member.settlements if paid.account.number == 0]
        known_ms = began_ms if self.as_of_ms is None else min(began_ms, self.as_of_ms())
        accounts = self._recount.since(known_ms - self._lag_ms(), torn=self.torn())
        wrong = best_match(self._bot.positions(), accounts, settlements)
        self.audits += 1
        self.wrong_nets += sum(ours["net"] != theirs["net"] for ours, theirs in wrong.values())
        for ticker in sorted(wrong.keys() - self._wrong):
            ours, theirs = wrong[ticker]
            text = f"{ticker}: booked {_text(ours)}; the exchange says {_text(theirs)}"
            self._exchange.invariants.broken.append(Breach("I9", self._exchange.venue.now_ms(), text))
        self._wrong = set(wrong)
        self._audit_rows()

    def _audit_rows(self) -> None:
        """Rows, ledgers and positions that contradict each other; each way of it once."""
        stored = self._bot.books() if self.keeps_books else None
        found = set(unlike(stored, self._bot.positions())) if stored else set()
        for text in sorted(found - self._unlike):
            self._exchange.invariants.broken.append(Breach("I11", self._exchange.venue.now_ms(), text))
        self._unlike |= found

    def _lag_ms(self) -> int:
        knobs = self._exchange.knobs
        return knobs.fills_lag_ms + max((lag for _, lag in knobs.shard_lag_ms), default=0)


def _text(figures: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items())
