"""What the status says of a bot that stopped itself, and of figures that are not known."""

from typing import Any

import pytest
from rich.console import Console

from dora_operator.answers import shown_status

ANSWER: dict[str, Any] = {
    "status": "active",
    "open_orders": 0,
    "resting_contracts": "0.00",
    "unproven_orders": 0,
    "positions_unmarked": None,
}


def told(**answer: Any) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        for part in shown_status("stack dora", ANSWER | answer):  # type: ignore[arg-type]
            console.print(part)
    return captured.get()


def test_a_bot_that_stopped_itself_says_by_what() -> None:
    assert "daily_loss: it waits for a person" in told(stopped_by="daily_loss")
    assert "waits for a person" not in told(stopped_by="")


def test_a_cycle_without_a_session_is_not_called_halted() -> None:
    last = {"last_cycle": "2026-03-02T15:04:00.000Z", "last_cycle_status": "halted", "halted": False}

    assert "s ago: no session" in told(**last, last_cycle_reason="no_session")
    assert "halted no" in _words(told(**last, last_cycle_reason="no_session"))
    assert "s ago: halted" in told(**last, last_cycle_reason="halted")
    assert "s ago: failed (read_unknown)" in told(
        **last | {"last_cycle_status": "failed"}, last_cycle_reason="read_unknown"
    )


def test_a_bot_whose_alarms_tell_nobody_says_so() -> None:
    assert "nobody is told" in told(alarms="nobody is told: deploy with AlarmEmail")
    assert "alarms" not in told(alarms="told")


def test_what_is_not_known_is_no_figure() -> None:
    assert "? positions without a mark" in told()


@pytest.mark.parametrize(
    ("field", "unknown", "well", "ill", "said"),
    [
        ("quotes_missing", "quotes missing ?", (False, "quotes missing no"), True, "none is quoted"),
        (
            "writes_failed_percent",
            "writes failed ?",
            (0, "writes failed 0 %"),
            60,
            "60 % of the last cycle's",
        ),
        ("orders_of_others", "orders of others ?", (0, "orders of others none"), 2, "2 rest: was it you?"),
    ],
)
def test_what_alarms_go_by_is_said_in_words_and_is_no_zero_where_it_is_not_known(
    field: str, unknown: str, well: tuple[object, str], ill: object, said: str
) -> None:
    for answer in ({}, {field: None}):
        assert unknown in _words(told(**answer))
    assert well[1] in _words(told(**{field: well[0]}))
    assert said in _words(told(**{field: ill}))


def _words(text: str) -> str:
    return " ".join(text.split())
