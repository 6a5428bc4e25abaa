"""The session function's answers, for people."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from dora_operator.desk import pairs, table
from dora_operator.target import Target
from dora_operator.words import cycle_in_words, next_step, reason_in_words

Answer = Mapping[str, Any]
_LEFT = ("resting", "unresolved", "untriggered", "unread", "paused")
TOLD = "told"
_GROUPS = ("order_group_id", "shard", "tag", "burst_limit", "tripped")


def brief(answer: Answer) -> list[RenderableType]:
    """What became of a command: its status, why, and what to type next."""
    rows: list[tuple[str, object]] = [("status", answer.get("status"))]
    for name in ("reason", "message", "session_id", "ends_at", "halt_reason", "contracts_limit"):
        if answer.get(name):
            rows.append((name.replace("_", " "), answer[name]))
    if "halted" in answer:
        rows.append(("halted", _yes(answer["halted"])))
    rows += [(f"group {place}", group) for place, group in answer.get("order_groups", {}).items()]
    rows += [(name.replace("_", " "), own) for name, own in answer.get("summary", {}).items()]
    rows += [("finding", finding) for finding in answer.get("findings", ())]
    rows += [("still", text) for text in _left(answer)]
    if step := next_step(answer):
        rows.append(("next", step))
    return [pairs("", rows)]


def _left(answer: Answer) -> list[str]:
    """What a teardown says is not proven to be gone."""
    if answer.get("status") != "closing":
        return []
    return [f"{name.replace('_', ' ')} {own}" for name, own in answer.items() if name in _LEFT and own]


def shown_status(target: Target, answer: Answer) -> list[RenderableType]:
    """The whole status: verdict first, then session, orders, money, tokens."""
    if answer.get("status") in ("refused", "failed", "unknown"):
        return brief(answer)
    shown: list[RenderableType] = [f"{target}: {_verdict(answer)}"]
    shown += [f"  not quoting: {reason_in_words(why)}" for why in answer.get("why_not_quoting", ())]
    shown.append(pairs("", _facts(answer)))
    if groups := answer.get("groups"):
        shown.append(table("Order groups", _GROUPS, [[own[name] for name in _GROUPS] for own in groups]))
    shown += [f"finding: {finding}" for finding in answer.get("findings", ())]
    if step := next_step(answer):
        shown.append(f"next: {step}")
    return shown


def _verdict(answer: Answer) -> str:
    if answer.get("why_not_quoting"):
        return f"NOT QUOTING (session {answer['status']})"
    quoted = answer.get("markets_quoted")
    return f"quoting {'?' if quoted is None else quoted} markets (session {answer['status']})"


def _facts(answer: Answer) -> list[tuple[str, object]]:
    ago = answer.get("last_cycle_seconds_ago")
    when = "none yet" if not answer.get("last_cycle") else f"{answer['last_cycle']}, {ago} s ago"
    came_to = cycle_in_words(
        str(answer.get("last_cycle_status") or ""), str(answer.get("last_cycle_reason") or "")
    )
    rows: list[tuple[str, object]] = [
        ("session", f"{answer.get('session_id', '-')}, ends {answer.get('ends_at', '-')}"),
        ("last cycle", f"{when}: {came_to}"),
        ("halted", _yes(answer.get("halted"))),
        *_stop_note(answer),
        ("orders", f"{answer['open_orders']} open, {answer['resting_contracts']} contracts resting, "
                   f"{answer['unproven_orders']} unproven"),
        *_alarming(answer),
        ("contracts", f"{answer.get('contracts_matched', '-')} matched, "
                      f"{answer.get('contracts_free', '-')} free"),
        *_closed_note(answer),
        ("profit", f"{_dollars(answer.get('pnl_dollars'))}, fees {_dollars(answer.get('fees_dollars'))}, "
                   f"{_known(answer.get('positions_unmarked'))} positions without a mark"),
        ("positions", _counted(answer.get("positions"))),
        ("markets left out", _counted(answer.get("markets_not_quoted"))),
        ("slots left out", _counted(answer.get("slots_not_quoted"))),
        ("tokens", _counted(answer.get("tokens"))),
        *_alarms_note(answer),
    ]  # fmt: skip
    return rows


def _stop_note(answer: Answer) -> list[tuple[str, object]]:
    stopped_by = answer.get("stopped_by")
    return [("stopped by", f"{stopped_by}: it waits for a person")] if stopped_by else []


def _alarming(answer: Answer) -> list[tuple[str, object]]:
    """Figures of the last cycle that are 0 while all is well; a question mark where it left none."""
    missing, failed = answer.get("quotes_missing"), answer.get("writes_failed_percent")
    others = answer.get("orders_of_others")
    none_quoted = "YES: markets are enabled, the exchange trades, and none is quoted"
    return [
        ("quotes missing", none_quoted if missing is True else _yes(missing)),
        ("writes failed", None if failed is None else f"{failed} % of the last cycle's"),
        ("orders of others", f"{others} rest: was it you?" if others else None if others is None else "none"),
    ]


def _closed_note(answer: Answer) -> list[tuple[str, object]]:
    """The journal is cleared by cycles alone, so after a proof it may still count orders that are gone."""
    if answer.get("status") != "closed" or not answer["open_orders"]:
        return []
    return [("", "the session is closed: nothing rests; the next cycle takes these out of the journal")]


def _alarms_note(answer: Answer) -> list[tuple[str, object]]:
    """An older version says nothing of them."""
    return [("alarms", own)] if (own := answer.get("alarms", TOLD)) != TOLD else []


def _known(figure: object) -> object:
    return "?" if figure is None else figure


def _counted(found: object) -> object:
    if isinstance(found, Mapping):
        return ", ".join(f"{name} {number}" for name, number in found.items()) or "none"
    return found


def _dollars(amount: object) -> str:
    return "?" if amount is None else f"{amount} $"


def _yes(flag: object) -> str:
    return {True: "yes", False: "no"}.get(flag, "?") if isinstance(flag, bool) else "?"
