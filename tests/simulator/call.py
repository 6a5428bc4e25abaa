"""One request on its way through the exchange, and the small services every handler uses."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from .decode import Fields, Query, fields_of
from .wire import Refusal, Request

if TYPE_CHECKING:
    from .assembly import Assembly
    from .member import Member

T = TypeVar("T")

AUTO_ROUTE = -1


@dataclass(slots=True)
class Call:
    """A matched request. `member` is the signer; unsigned calls have none."""

    exchange: Assembly
    request: Request
    params: dict[str, str]
    query: Query
    signer: Member | None = None
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def member(self) -> Member:
        """The signer of an authenticated call."""
        if self.signer is None:
            raise Refusal(401, "signature_is_missing_from_headers")
        return self.signer

    def fields(self, struct: str, fields: Fields, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Typed fields of the body, or of one entry of it."""
        refuse = self.exchange.knobs.unknown_fields == "refused"
        return fields_of(self.body if body is None else body, struct, fields, refuse_unknown=refuse)

    def route_shard(self, index: int | None, ticker: str) -> int:
        """Which shard a write goes to: pinned, found by ticker, or 0."""
        if index is not None and index != AUTO_ROUTE:
            return index
        if ticker:
            return self.exchange.venue.market(ticker).shard
        if index == AUTO_ROUTE:
            raise Refusal(400, "missing_parameters", "market_ticker")
        return 0


def cursor_text(position: int) -> str:
    """An opaque page cursor."""
    return base64.urlsafe_b64encode(f"p{position}".encode()).decode().rstrip("=")


def cursor_position(text: str) -> int | None:
    """The position a cursor names; garbage counts as no cursor, as the exchange does."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return int(plain[1:]) if plain[:1] == "p" and plain[1:].isdigit() else None


def page(items: Iterable[tuple[int, T]], limit: int) -> tuple[list[T], str]:
    """Up to `limit` items of (position, item), and the cursor that continues after them."""
    taken: list[T] = []
    last = 0
    for position, item in items:
        if len(taken) == limit:
            return taken, cursor_text(last)
        taken.append(item)
        last = position
    return taken, ""
