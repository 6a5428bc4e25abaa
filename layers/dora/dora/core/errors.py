"""Every failure Dora reports, as one tree; any other exception is a bug.

    DoraError
    ├── TriggerInvalid             the event is not one of ours; nothing was changed
    ├── SettingsInvalid            an environment variable is absent or unusable
    ├── SecretInvalid              the API key's secret is absent or unusable
    ├── ConfigInvalid              an item of the config table breaks a rule
    ├── NumberInvalid              a decimal string is not exact in its unit
    ├── CalendarInvalid            a text names no time or blackout that a calendar knows
    ├── StrategyInvalid            a strategy's answer does not hold; its market is not quoted
    ├── SettlementRefused          a payout that no rule covers; its market stays unsettled in our books
    ├── StateError
    │   ├── StateUnavailable       DynamoDB did not answer; the write may or may not stand
    │   ├── StateConflict          somebody else wrote first; ours was not written
    │   ├── LeaseLost              a newer cycle owns the fence; ours may write nothing more
    │   └── StateTooNew            an item was written by a newer version of Dora
    └── ExchangeError
        ├── ExchangeUnavailable    no answer, or a 5xx: a read is unknown, not empty
        ├── ReadIncomplete         a list could not be read to its last page
        ├── WireInvalid            a body lacks a field that matters, or holds an unknown value
        └── ExchangeRefused        a 4xx, with its code; of a write only the exchange's own counts
            ├── AuthRefused        401 or 403: the key, its scopes or the clock
            └── RateLimited        429: the token bucket was short

A refused *order* is data (`orders.requests.FailedOrder`), never an exception.
"""

from typing import Any


class DoraError(Exception):
    """Root of the tree."""


class TriggerInvalid(DoraError):
    """The event is not one of ours; nothing was changed."""


class SettingsInvalid(DoraError):
    """An environment variable is absent or unusable."""


class SecretInvalid(DoraError):
    """The API key's secret is absent or unusable."""


class ConfigInvalid(DoraError):
    """An item of the config table breaks a rule.

    `where` names the item (its sort key), `problem` the rule, `fix` what to write instead.
    """

    def __init__(self, where: str, problem: str, fix: str) -> None:
        super().__init__(f"{where}: {problem}; {fix}")
        self.where, self.problem, self.fix = where, problem, fix


class NumberInvalid(DoraError):
    """A decimal string is not exact in its unit."""


class CalendarInvalid(DoraError):
    """A text names no time or blackout that a calendar knows: `problem`, and what to write (`fix`)."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem, self.fix = problem, fix


class StrategyInvalid(DoraError):
    """A strategy's answer is of the wrong type, or of no use to its market."""


class SettlementRefused(DoraError):
    """A payout that no rule covers: an unknown result, or one that its value contradicts."""


class StateError(DoraError):
    """The state table."""


class StateUnavailable(StateError):
    """DynamoDB did not answer; the write may or may not stand."""


class StateConflict(StateError):
    """Somebody else wrote first; ours was not written."""


class LeaseLost(StateError):
    """A newer cycle owns the fence; ours may write nothing more."""


class StateTooNew(StateError):
    """An item was written by a newer version of Dora: place nothing, upgrade."""


class ExchangeError(DoraError):
    """The exchange.

    `partial`: the rows of a list that were read before it failed. What is not among them is unknown.
    """

    partial: tuple[Any, ...] = ()


class ExchangeUnavailable(ExchangeError):
    """No answer, or a 5xx: a read is unknown, not empty."""


class ReadIncomplete(ExchangeError):
    """A list could not be read to its last page."""


class WireInvalid(ExchangeError):
    """A body lacks a field that matters, or holds a value we do not know."""


class ExchangeRefused(ExchangeError):
    """A 4xx. `code` is the exchange's own word, "" where it gave none.

    `own`: the body is an error as the exchange words them. A 4xx of something in between refuses a read as
    well, but of a write it proves nothing.
    """

    def __init__(self, status: int, code: str, message: str, details: str = "", *, own: bool = True) -> None:
        said = " ".join(own for own in (message, details) if own and own != code)
        super().__init__(f"{status} {code or 'no code'}" + (f": {said}" if said else ""))
        self.status, self.code, self.message, self.details = status, code, message, details
        self.own = own


class AuthRefused(ExchangeRefused):
    """401 or 403: the key, its scopes or the clock."""


class RateLimited(ExchangeRefused):
    """429: the token bucket was short."""
