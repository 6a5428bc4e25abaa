"""What the bot sends and is told through the proxy, seen from the bot's own transport."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of the bot."""

    method: str
    path: str
    parameters: tuple[str, ...]


@dataclass
class Testimony:
    """Requests, and the proxy's own words about those it found wrong."""

    sent: list[Sent] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Witness(HTTPAdapter):
    """An ordinary connection that takes notes. Parallel calls are safe: lists are only appended to."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=16)
        self.testimony = Testimony()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send it on, and note both ends."""
        parts = urlsplit(request.url or "")
        names = tuple(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
        self.testimony.sent.append(Sent(request.method or "", parts.path, names))
        response = super().send(request, *args, **kwargs)
        if response.headers.get("Content-Type", "").startswith(PROBLEM):
            self.testimony.problems.append(f"{request.method} {request.url}: {response.text}")
        return response
