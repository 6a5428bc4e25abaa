"""Reads lists to their last page, or says that it could not."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from dora.core.errors import ReadIncomplete, WireInvalid
from dora.core.exchange.read_calls import PAGE_ROWS, ticker_lists
from dora.core.ports import Facts
from dora.edge.kalshi.transport import KNOWN, Call, Params, Transport
from dora.edge.kalshi.wire import JsonObject, text

T = TypeVar("T")

MAX_PAGES = 200
"""200 pages of 1,000 is the exchange's cap on open orders."""


def read_list(
    transport: Transport,
    route: str,
    key: str,
    params: Params = (),
    page_rows: int = PAGE_ROWS,
    *,
    into: list[JsonObject] | None = None,
    pages: int = MAX_PAGES,
) -> list[JsonObject]:
    """All rows of a list. Filters go with every cursor, for the exchange forgets them.

    Rows are added to `into`, which holds what was read when this raises.
    Raises ReadIncomplete on a cursor that comes back (a bad cursor is answered with page one), on a full
    page that has no cursor field at all, and after too many pages.
    """
    rows: list[JsonObject] = [] if into is None else into
    cursors = [""]
    for _ in range(pages):
        after = [("cursor", cursors[-1])] if cursors[-1] else []
        asked: Params = [*params, ("limit", page_rows), *after]
        page = transport.read(Call("GET", route, params=asked, apart=key if key in KNOWN else ""))
        found = page.rows(key)
        rows += found
        cursor = page.optional("cursor", text)
        if cursor is None:
            cursor = page.optional("next_cursor", text)
        if cursor is None and len(found) >= page_rows:
            raise ReadIncomplete(f"{page.where}: a full page without a cursor may not be the last")
        if not cursor:
            return rows
        if cursor in cursors:
            raise ReadIncomplete(f"{page.where}: cursor {cursor!r} came twice")
        cursors.append(cursor)
    raise ReadIncomplete(f"GET {route}: more than {pages} page{'s' if pages > 1 else ''}")


def comma_lists(tickers: Iterable[str]) -> Iterator[str]:
    """Tickers as comma lists that fit into a URL."""
    return (",".join(part) for part in ticker_lists(tickers))


def understood(facts: Facts, rows: Iterable[JsonObject], parse: Callable[[JsonObject], T]) -> list[T]:
    """The rows that parse. The others are left out, and reported in one fact: there may be many."""
    parsed: list[T] = []
    failures: list[WireInvalid] = []
    for row in rows:
        try:
            parsed.append(parse(row))
        except WireInvalid as error:
            failures.append(error)
    if failures:
        facts.emit(
            "ERROR",
            what=str(failures[0]),
            where="what the exchange says of markets and shards",
            fix="none needed for the others; what was left out is not quoted",
            left_out=len(failures),
        )
    return parsed
