"""Requests, replies and the four shapes of a refusal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Literal

PREFIX = "/trade-api/v2"
JSON_TYPE = "application/json"
MAX_URL_BYTES = 8_192

Shape = Literal["nested", "flat", "msg", "text"]

# Messages that are not simply the code with blanks for underscores.
_MESSAGES = {"authentication_error": "authentication_error", "service_unavailable": "service_unavailable"}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `path` begins with /trade-api/v2, as sent (that is what is signed), without query."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """A header by its name in any case; empty when absent."""
        found = self.headers.get(name)
        if found is not None:
            return found
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": JSON_TYPE})


class ConnectionDroppedError(Exception):
    """The connection ends without an answer; whether the request was applied is not said."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the exchange, not a failure of the program
    """The exchange says no: HTTP status, code and envelope."""

    def __init__(self, status: int, code: str, details: str = "", shape: Shape = "nested") -> None:
        super().__init__(f"{status} {code} {details}".rstrip())
        self.status, self.code, self.details, self.shape = status, code, details, shape

    @property
    def message(self) -> str:
        return _MESSAGES.get(self.code, self.code.replace("_", " ").lower())

    def entry(self) -> dict[str, str]:
        """The `error` object of a batch entry; there `details` is always present."""
        return {"code": self.code, "message": self.message, "details": self.details}

    def reply(self) -> Reply:
        return json_reply(self.status, self._body())

    def _body(self) -> dict[str, Any]:
        inner = {"code": self.code, "message": self.message} | (
            {"details": self.details} if self.details else {}
        )
        bodies: dict[str, dict[str, Any]] = {
            "nested": {"error": inner},
            "flat": inner,
            "msg": {"msg": self.details},
            "text": {"error": self.message},
        }
        return bodies[self.shape]


def not_found() -> Refusal:
    """Gone, never there, or on another shard: the exchange does not say which."""
    return Refusal(404, "not_found")


def bad_query(operation: str, name: str, tag: str) -> Refusal:
    """A query parameter out of bounds: the bare `msg` envelope."""
    text = (
        f"Parameter validation failed for {operation}: Key: '{operation}Params.{name}' "
        f"Error:Field validation for '{name}' failed on the '{tag}' tag"
    )
    return Refusal(400, "bad_request", text, shape="msg")


@lru_cache(maxsize=16)
def _date_text(second: int) -> str:
    return formatdate(second, usegmt=True)


def dated(reply: Reply, now_ms: int) -> Reply:
    """The reply with a Date header in the exchange's time, virtual or not: clients measure skew by it."""
    return replace(reply, headers={**reply.headers, "Date": _date_text(now_ms // 1000)})


def json_reply(status: int, payload: object) -> Reply:
    """A reply of compact JSON."""
    return Reply(status, json.dumps(payload, separators=(",", ":")).encode())


def text_reply(status: int, text: str) -> Reply:
    """A reply of JSON that is already text (pages are joined from cached rows)."""
    return Reply(status, text.encode())
