"""Who asked for what, and when: a line for each change, beside the configs and out of the bot's reach.

Partition `<bot>#changes` of the config table, `<time>#<chance>` as sort key. The bot reads `<bot>` alone.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from dora.core.calendar import format_time
from dora_operator.target import Target


def change_item(target: Target, what: str, details: Mapping[str, object]) -> dict[str, Any]:
    """The line, in DynamoDB's notation."""
    at = format_time(target.clock.now_ms())
    return {
        "pk": {"S": f"{target.bot}#changes"},
        "sk": {"S": f"{at}#{secrets.token_hex(4)}"},
        "at": {"S": at},
        "who": {"S": target.caller()},
        "what": {"S": what},
        "details": {"S": json.dumps(details, default=str)},
    }


def note_change(target: Target, what: str, details: Mapping[str, object]) -> None:
    """Leave the line, before what it tells of. Safe to repeat: another line, no more."""
    target.client("dynamodb").put_item(TableName=target.config_table, Item=change_item(target, what, details))
