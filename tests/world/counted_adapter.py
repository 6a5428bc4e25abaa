"""The way to the exchange, counted: every request is an outside call."""

from copy import copy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from tests.simulator.fault_request import PATIENCE_HEADER
from tests.simulator.wire import PREFIX
from tests.world.outside_calls import OutsideCalls


class CountedAdapter(BaseAdapter):
    """Stands before another adapter, and tells the fault layer how long the client will wait."""

    def __init__(self, inner: BaseAdapter, calls: OutsideCalls) -> None:
        super().__init__()
        self._inner, self._calls = inner, calls

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """As the inner one; Killed when the bot's time has come."""
        path = urlsplit(request.url or "").path
        number = self._calls.enter(f"{request.method} {path.removeprefix(PREFIX)}")
        sent = copy(request)
        if isinstance(kwargs.get("timeout"), tuple):
            patience_ms = str(int(sum(kwargs["timeout"]) * 1000))
            sent.headers = CaseInsensitiveDict({**request.headers, PATIENCE_HEADER: patience_ms})
        try:
            return self._inner.send(sent, *args, **kwargs)
        finally:
            self._calls.leave(number)

    def close(self) -> None:
        """Closes the inner one."""
        self._inner.close()
