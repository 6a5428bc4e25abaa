"""Reasons in words, and what a person types next."""

from collections.abc import Mapping

WORDS = {
    "no_session": "there is no session: `dora start`",
    "session_not_active": "the session is not active: `dora status` says why; `dora start` opens a new one",
    "session_over": "the session's hours are over: `dora start` begins them anew",
    "halted": "halted by hand or by the day's loss: `dora resume` lifts it",
    "trading_disabled": "GLOBAL says trading_enabled false: change it, then `dora config apply`",
    "config_missing": "there is no GLOBAL item: `dora init`, then `dora config apply`",
    "config_invalid": "GLOBAL breaks a rule: `dora config validate` says which",
    "read_unknown": "the exchange could not be read whole: `dora query recurring-failures`",
    "read_stale": "the exchange's reads lack a write of ours: wait, or `dora doctor`",
    "auth_refused": "the exchange refuses the key: `dora doctor`, then `dora secret put`",
    "clock_skew": "our clock and the exchange's differ too much",
    "session_cap": "the session's contract limit is used up: raise it, then `dora reset`",
    "group_tripped": "an order group tripped: look at `dora fills`, then `dora reset`",
    "silent": "no cycle has finished for 3 minutes: is the schedule on? `dora doctor`",
    "dry_run": "a dry run: nothing is sent to the exchange",
    "daily_loss": "the day's loss limit was reached",
}


def reason_in_words(reason: str) -> str:
    """The stable word, and what to do about it."""
    return f"{reason}: {WORDS[reason]}" if reason in WORDS else reason


def cycle_in_words(status: str, reason: str) -> str:
    """What a cycle came to. Of one that was to do nothing only the reason: `halted` is one reason of many."""
    if status == "halted" and reason:
        return reason.replace("_", " ")
    return f"{status or '-'} ({reason})" if reason else status or "-"


def _blocked(answer: Mapping[str, object]) -> tuple[object, ...]:
    found = answer.get("why_not_quoting")
    return tuple(found) if isinstance(found, list | tuple) else ()


def next_step(answer: Mapping[str, object]) -> str:
    """What a person types after this answer of the session function; empty where nothing is due."""
    status = answer.get("status")
    if "config_missing" in _blocked(answer):
        return "dora init, then dora config apply"
    if status == "closing":
        return "dora teardown, again, until it says closed"
    if status == "none":
        return "dora start"
    if status == "limit_reached":
        return "dora fills, then dora reset"
    if answer.get("halted") is True:
        return "dora resume"
    return ""
