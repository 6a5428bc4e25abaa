"""What woke us: events parsed once, strictly. An unknown event changes nothing."""

from collections.abc import Mapping

from dora.core.calendar import parse_time
from dora.core.errors import NumberInvalid, TriggerInvalid
from dora.core.session import Credited, SessionAction, SessionCommand
from dora.core.units import TimeMs, parse_money

_TICK_KEYS = frozenset({"action", "scheduled_at", "execution_id", "bot"})
_CREDIT_KEYS = ("program", "market", "amount_dollars")
_SESSION_KEYS = frozenset({
    "action", "bot", "reason", "checks", "cancel", "execution_id", "scheduled_at", *_CREDIT_KEYS
})  # fmt: skip
_OPTIONS = {"checks": SessionAction.STATUS, "cancel": SessionAction.HALT}
"""Flags, and the one action that each belongs to."""


def parse_tick(event: object, *, bot: str, now_ms: TimeMs) -> TimeMs:
    """When a cycle was scheduled; without `scheduled_at` (sample files, manual runs) the current second.

    Raises TriggerInvalid.
    """
    fields = _fields(event, bot, _TICK_KEYS)
    if fields.get("action") != "cycle":
        raise TriggerInvalid(f'this function answers {{"action": "cycle"}}, not {fields.get("action")!r}')
    given = "scheduled_at" in fields
    try:
        at_ms = parse_time(_text(fields, "scheduled_at")) if given else TimeMs(now_ms - now_ms % 1000)
    except NumberInvalid as error:
        raise TriggerInvalid(f"scheduled_at: {error}") from error
    _text(fields, "execution_id")  # for whoever reads the event; nothing here goes by it
    return at_ms


def parse_session_command(event: object, *, bot: str) -> SessionCommand:
    """A session event; an empty one asks for the status. Raises TriggerInvalid with the list of actions."""
    fields = _fields(event, bot, _SESSION_KEYS)
    if not fields:
        return SessionCommand(SessionAction.STATUS)
    try:
        action = SessionAction(_text(fields, "action"))
    except ValueError:
        known = ", ".join(SessionAction)
        raise TriggerInvalid(f"action is {fields.get('action')!r}; write one of {known}") from None
    for option, owner in _OPTIONS.items():
        if _flag(fields, option) and action is not owner:
            raise TriggerInvalid(f"{option} goes with {owner}, not with {action}")
    return SessionCommand(
        action,
        _text(fields, "reason"),
        checks=_flag(fields, "checks"),
        cancel=_flag(fields, "cancel"),
        credited=_credited(fields, action),
    )


def _credited(fields: Mapping[str, object], action: SessionAction) -> Credited | None:
    given = [_text(fields, name) for name in _CREDIT_KEYS]
    if action is not SessionAction.CREDIT:
        if any(given):
            raise TriggerInvalid(
                f"{', '.join(_CREDIT_KEYS)} go with {SessionAction.CREDIT}, not with {action}"
            )
        return None
    program, market, amount = given
    if not (program and market and amount):
        raise TriggerInvalid(f"{action} needs {', '.join(_CREDIT_KEYS)}, each a text")
    try:
        dollars = parse_money(amount)
    except NumberInvalid as error:
        raise TriggerInvalid(f"amount_dollars: {error}") from error
    if dollars <= 0:
        raise TriggerInvalid(f"amount_dollars is {amount}; write what was credited, above zero")
    return Credited(program, market, dollars)


def _fields(event: object, bot: str, known: frozenset[str]) -> Mapping[str, object]:
    if not isinstance(event, Mapping):
        raise TriggerInvalid(f"the event is a {type(event).__name__}; write a JSON object")
    unknown = sorted(str(key) for key in event.keys() - known)
    if unknown:
        actions = ", ".join(SessionAction) if known is _SESSION_KEYS else "cycle"
        raise TriggerInvalid(f"unknown keys {', '.join(unknown)}; actions here: {actions}")
    if event.get("bot", bot) != bot:
        raise TriggerInvalid(f"the event is for bot {event['bot']!r}; this stack runs {bot!r}")
    return event


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise TriggerInvalid(f"{name} is {value!r}; write a text")
    return value


def _flag(fields: Mapping[str, object], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise TriggerInvalid(f"{name} is {value!r}; write true or false")
    return value
