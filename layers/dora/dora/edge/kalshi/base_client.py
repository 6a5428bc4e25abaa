"""What all parts of the client share: reads of one object, and reports of rows that are not understood."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from dora.core.errors import WireInvalid
from dora.edge.kalshi.transport import Call, Params, Transport
from dora.edge.kalshi.wire import JsonObject

T = TypeVar("T")


class Caller(Transport):
    """One API key and one subaccount of one exchange. Reads may run in parallel."""

    def _read(self, route: str, *ids: str, params: Params = ()) -> JsonObject:
        return self.read(Call("GET", route, ids, params))

    def _understood(self, rows: Iterable[JsonObject], parse: Callable[[JsonObject], T]) -> list[T]:
        """The rows that parse. The others are left out, and reported in one fact: there may be many."""
        parsed: list[T] = []
        failures: list[WireInvalid] = []
        for row in rows:
            try:
                parsed.append(parse(row))
            except WireInvalid as error:
                failures.append(error)
        if failures:
            self._facts.emit(
                "ERROR",
                what=str(failures[0]),
                where="what the exchange says of markets and shards",
                fix="none needed for the others; what was left out is not quoted",
                left_out=len(failures),
            )
        return parsed
