"""The sample events of `events/`: the same files that a person sends from a console or `sam local invoke`."""

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[2] / "events"


def read_event(name: str) -> dict[str, Any]:
    """The event of `events/<name>.json`."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event
