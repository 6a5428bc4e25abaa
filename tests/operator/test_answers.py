"""What the status says of a bot that stopped itself, and of figures that are not known."""

from typing import Any

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


def test_a_bot_whose_alarms_tell_nobody_says_so() -> None:
    assert "nobody is told" in told(alarms="nobody is told: deploy with AlarmEmail")
    assert "alarms" not in told(alarms="told")


def test_what_is_not_known_is_no_figure() -> None:
    assert "? positions without a mark" in told()
