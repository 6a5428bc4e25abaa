"""The stack's functions, asked as a person asks them: one event, one answer."""

import json
from collections.abc import Mapping
from typing import Any

from dora_operator.changes import note_change
from dora_operator.failures import Exit, OperatorError
from dora_operator.target import Target

Answer = dict[str, Any]


def ask_session(target: Target, action: str, **options: object) -> Answer:
    """One session command. Whatever changes something leaves a line with the caller's ARN first.

    Raises OperatorError where the function gave no answer of its own: what it did is then not known.
    """
    event = {"action": action, **{name: value for name, value in options.items() if value}}
    if action != "status":
        note_change(target, f"session {action}", {k: v for k, v in event.items() if k != "action"})
    return _invoked(target, target.outputs["SessionFunctionName"], event)


def _invoked(target: Target, function: str, event: Mapping[str, object]) -> Answer:
    answer = target.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    content = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer or not isinstance(content, dict):
        said = content.get("errorMessage", "") if isinstance(content, dict) else ""
        raise OperatorError(
            f"the session function ended without an answer: {said or answer.get('FunctionError')}",
            "what it did is not known: ask `dora status`; its log has the reason",
            Exit.UNKNOWN,
        )
    return content
