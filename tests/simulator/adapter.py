"""A transport for `requests` that calls the exchange in process: no socket, the same bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from .wire import ConnectionDroppedError, Reply, Request

if TYPE_CHECKING:
    from .exchange import Exchange


class ExchangeAdapter(BaseAdapter):
    """Mount on a session: `session.mount("http://exchange.test", ExchangeAdapter(exchange))`."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        """requests.ConnectionError: the exchange dropped the connection."""
        try:
            reply = self._exchange.handle(as_request(request))
        except ConnectionDroppedError as dropped:
            raise requests.ConnectionError(str(dropped), request=request) from dropped
        return _as_response(request, reply)

    def close(self) -> None:
        """Nothing is open."""


def as_request(prepared: requests.PreparedRequest) -> Request:
    """A prepared request as the exchange sees it."""
    parts = urlsplit(prepared.url or "")
    body = prepared.body or b""
    return Request(
        method=prepared.method or "GET",
        path=str(parts.path),
        query=[
            (str(name), str(value)) for name, value in parse_qsl(str(parts.query), keep_blank_values=True)
        ],
        headers=dict(prepared.headers),
        body=body if isinstance(body, bytes) else str(body).encode(),
    )


def _as_response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    """The response a real socket would have made of these bytes."""
    response = requests.Response()
    response.status_code = reply.status
    response.headers.update(reply.headers)
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    response.raw = io.BytesIO(reply.body)  # read as the plain stream it is: there is no connection to manage
    return response
