"""Sends requests: signed per attempt, bounded in time, reads retried, writes sent exactly once."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError

from dora.core.errors import AuthRefused, ExchangeUnavailable, RateLimited
from dora.core.exchange.pacing import half_jitter_ms
from dora.core.ports import Clock, Facts
from dora.core.units import TimeMs
from dora.edge.kalshi.connections import open_session, read_complete
from dora.edge.kalshi.error_codes import (
    CLIENT_ERRORS,
    REQUEST_TIMEOUT,
    SERVER_ERRORS,
    UNAUTHORIZED,
    is_error,
    read_body,
    refusal,
)
from dora.edge.kalshi.known_rows import KnownRows, load_apart
from dora.edge.kalshi.signing import Signer
from dora.edge.kalshi.wire import JsonObject, load_json
from dora.edge.net.deadline import Deadline
from dora.edge.net.request import Network

CONNECT_TIMEOUT_MS, READ_TIMEOUT_MS = 2_000, 5_000
LEAST_TIME_MS = 50
"""With less time left than this no request is begun."""
READ_ATTEMPTS, BACKOFF_MS, JITTER_MS = 3, 200, 100
RATE_LIMIT_BACKOFFS = 3
"""Longer after a 429: the balance has one call a second, so two short waits would be two more refusals."""
SKEW_RESOLUTION_MS = 1_000

_OK, _NO_CONTENT, _REDIRECTS = 200, 204, 300
_SECOND_MS = 1_000

BOOKS, MARKETS, ORDERS = KNOWN = ("orderbooks", "markets", "orders")
"""Lists of thousands of rows, most of which read as they did a minute ago."""
Params = Sequence[tuple[str, str | int]]


class NotSent(ExchangeUnavailable):
    """The time was up before the request began: it never left."""


class Call(NamedTuple):
    """One request before it is signed. `route` has a {} for each of `ids`, and names the endpoint."""

    method: str
    route: str
    ids: tuple[str, ...] = ()
    params: Params = ()
    body: Mapping[str, object] | None = None
    also_answers: frozenset[int] = frozenset()
    """Error statuses whose answer has the body of a success."""
    apart: str = ""
    """The key of the list whose rows are read by their text, one of `KNOWN`."""

    @property
    def endpoint(self) -> str:
        """Method and route, without ids."""
        return f"{self.method} {self.route}"

    @property
    def target(self) -> str:
        """Path and query. Commas stay as they are: lists of tickers are long and URLs may not be."""
        path = self.route.format(*(quote(part, safe="") for part in self.ids))
        return f"{path}?{urlencode(self.params, safe=',')}" if self.params else path


class Transport:
    """The connections to one host, for one API key and subaccount. Parallel calls are safe.

    `base_url` ends in /trade-api/v2. `adapter` takes the network's place: a simulator in process.
    `network` holds the invocation's deadline; without one there is none.
    `jitter_ms(n)` draws a whole number below n, so that clients that were refused together part.
    """

    def __init__(  # noqa: PLR0913 - six collaborators, each of them replaced by some test
        self,
        base_url: str,
        signer: Signer,
        clock: Clock,
        facts: Facts,
        *,
        subaccount: int = 0,
        adapter: BaseAdapter | None = None,
        network: Network | None = None,
        jitter_ms: Callable[[int], int] = half_jitter_ms,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._signer, self._clock, self._facts = signer, clock, facts
        self._jitter_ms, self._subaccount = jitter_ms, subaccount
        self._of_us: Params = (("subaccount", subaccount),)
        self._session, self._network = open_session(adapter), network or Network()
        self._own = [Deadline(lambda: clock.now_ms() / _SECOND_MS)]
        self._deadlines = self._own
        if adapter is None:
            # A clock can be set; and the flow may grant more time than the invocation has.
            self._own = [*self._own, Deadline(self._network.monotonic_s)]
            self._deadlines = [*self._own, self._network.invocation]
        self._lock = Lock()
        self._read_attempts, self._backoff_ms = READ_ATTEMPTS, BACKOFF_MS
        self._known = {key: KnownRows[Any]() for key in KNOWN}
        self.skew_ms = 0
        """Our clock minus the exchange's; 0 below a second, and until an answer came."""
        self.key_refused = False
        """Whether any answer so far was a 401: the key is wrong, was rotated, or our clock is off."""
        self.write_refused: AuthRefused | None = None
        """The last 401 or 403 that a write was answered with: the key may not write, or not here."""
        self.calls: Counter[str] = Counter()
        """Requests sent, by endpoint; every attempt counts."""

    def until(self, deadline_ms: TimeMs) -> None:
        """A new round, every request of it over by then: that far from now, whatever becomes of our clock."""
        for known in self._known.values():
            known.next_round()
        span_s = (deadline_ms - self._clock.now_ms()) / _SECOND_MS
        for deadline in self._own:
            deadline.set_in(span_s)

    def retry_reads(self, attempts: int, backoff_ms: int) -> None:
        """From now on a read is tried so often, the first wait so long; each further one doubles."""
        self._read_attempts, self._backoff_ms = attempts, backoff_ms

    def read(self, call: Call) -> JsonObject:
        """The answer's JSON object. Tried again, newly signed, after a 429 or when no answer came.

        Raises ExchangeUnavailable, or ExchangeRefused with the exchange's code.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self.send(call)
            except (ExchangeUnavailable, RateLimited) as error:
                times = RATE_LIMIT_BACKOFFS if isinstance(error, RateLimited) else 1
                wait_ms = (times * self._backoff_ms << (attempt - 1)) + self._jitter_ms(JITTER_MS)
                if attempt >= self._read_attempts or self._left_ms() < wait_ms + LEAST_TIME_MS:
                    raise
                if isinstance(error, RateLimited):
                    self._report_backoff(call, attempt, wait_ms)
            self._clock.sleep_ms(wait_ms)

    def _read(self, route: str, *ids: str, params: Params = ()) -> JsonObject:
        return self.read(Call("GET", route, ids, params))

    def send(self, call: Call) -> JsonObject:
        """One attempt. A write goes through here only, so nothing ever sends it twice.

        An answer that is not complete when its time is up is no answer: ExchangeUnavailable, and unknown.
        """
        timeout = self._timeout_s(call)
        request = self._session.prepare_request(
            requests.Request(call.method, self._base_url + call.target, data=_encoded(call.body))
        )
        sent_ms = self._clock.now_ms()
        request.headers.update(self._signer.headers(sent_ms, call.method, urlsplit(request.url or "").path))
        if call.body is not None:
            request.headers["Content-Type"] = "application/json"
        with self._lock:
            self.calls[call.endpoint] += 1
        try:
            with self._network.request(sum(timeout)):
                response = self._session.send(request, timeout=timeout, allow_redirects=False, stream=True)
                body = read_complete(response)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise ExchangeUnavailable(f"{call.endpoint}: no answer ({_named(error)})") from error
        self._compare_clocks(response, sent_ms)
        self.key_refused |= response.status_code == UNAUTHORIZED
        try:
            return _answer(call, response.status_code, body, self._known)
        except AuthRefused as error:
            if call.method != "GET":
                self.write_refused = error
            raise

    def close(self) -> None:
        """Close all connections. What calls afterwards opens new ones."""
        self._session.close()

    def _left_ms(self) -> int:
        left_s = min(deadline.left_s for deadline in self._deadlines)
        return CONNECT_TIMEOUT_MS + READ_TIMEOUT_MS if math.isinf(left_s) else round(left_s * _SECOND_MS)

    def _timeout_s(self, call: Call) -> tuple[float, float]:
        """Connect and read timeouts; together they are the total timeout, and end before the deadline."""
        left_ms = self._left_ms()
        if left_ms < LEAST_TIME_MS:
            raise NotSent(f"{call.endpoint}: not sent, {left_ms} ms were left")
        connect_ms = min(CONNECT_TIMEOUT_MS, left_ms // 2)
        return connect_ms / _SECOND_MS, min(READ_TIMEOUT_MS, left_ms - connect_ms) / _SECOND_MS

    def _report_backoff(self, call: Call, hits: int, wait_ms: int) -> None:
        self._facts.emit("RATE_LIMIT", endpoint=call.endpoint, consecutive_hits=hits)
        self._facts.emit(
            "RATE_LIMIT_BACKOFF",
            endpoint=call.endpoint,
            consecutive_hits=hits,
            backoff_seconds=wait_ms / _SECOND_MS,
        )

    def _compare_clocks(self, response: requests.Response, sent_ms: TimeMs) -> None:
        """Our clock at the middle of the exchange, against the middle of the second that Date names.

        That is right to about half a second plus half the answer's travel, so less than a second is
        called 0. A cached answer carries an old Date, and an Age; it says nothing.
        """
        date_s = _date_s(response.headers.get("Date", ""))
        if date_s is None or response.headers.get("Age", "0") != "0":
            return
        middle_ms = (sent_ms + self._clock.now_ms()) // 2
        skew_ms = middle_ms - (date_s * _SECOND_MS + _SECOND_MS // 2)
        self.skew_ms = skew_ms if abs(skew_ms) >= SKEW_RESOLUTION_MS else 0


def _named(error: Exception) -> str:
    """What went wrong, by its type; with the words of our own errors, which quote nothing."""
    return str(error) if type(error) in (OSError, TimeoutError) else type(error).__name__


def _encoded(body: Mapping[str, object] | None) -> bytes | None:
    return None if body is None else json.dumps(body, separators=(",", ":")).encode()


def _answer(call: Call, status: int, body: bytes, known: Mapping[str, KnownRows[Any]]) -> JsonObject:
    """The object that a success carries; anything that is not plainly an answer is unavailable."""
    if CLIENT_ERRORS <= status < SERVER_ERRORS and status != REQUEST_TIMEOUT:
        raise refusal(status, body)
    if not _OK <= status < _REDIRECTS and status not in call.also_answers:
        code, message, _ = read_body(body)
        raise ExchangeUnavailable(f"{call.endpoint}: {status} {code or message}".rstrip())
    if status == _NO_CONTENT and call.method != "GET":
        return JsonObject(call.endpoint, {})
    try:
        content = load_apart(body, call.apart, known[call.apart]) if call.apart else load_json(body)
    except (ValueError, RecursionError) as error:
        raise ExchangeUnavailable(f"{call.endpoint}: {status} without a complete JSON body") from error
    if not isinstance(content, dict) or content.get("error") or is_error(content):
        raise ExchangeUnavailable(f"{call.endpoint}: {status} with a foreign body {str(content)[:200]}")
    return JsonObject(call.endpoint, content)


def _date_s(header: str) -> int | None:
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if date.tzinfo is None else int(date.timestamp())
