"""The HTTP session to the exchange: nothing of the environment, no cookies, no redirects, no retries."""

from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from dora.edge.net.connections import POOLS

CONNECTIONS = 16
MAX_BODY_BYTES = 16 * 1024 * 1024
"""A full page of a list is about 1 MB."""
_CHUNK_BYTES = 64 * 1024


class BoundedAdapter(HTTPAdapter):
    """Its connections keep to the time of the request that uses them, and are not reused after idling."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """The pool manager makes bounded pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS


def open_session(adapter: BaseAdapter | None) -> requests.Session:
    """A session; `adapter` takes the network's place. Nothing is connected yet."""
    session = requests.Session()
    session.trust_env = False  # no proxy, no netrc, no CA bundle that the environment names
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.clear()
    session.headers.update({"User-Agent": "dora", "Accept": "application/json", "Accept-Encoding": "gzip"})
    mounted = adapter or BoundedAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=0)
    session.mount("https://", mounted)
    session.mount("http://", mounted)
    return session


def read_complete(response: requests.Response) -> bytes:
    """The body, unpacked. Raises OSError for one that is too large, and whatever `requests` raises."""
    parts, size = [], 0
    with response:
        for part in response.iter_content(_CHUNK_BYTES):
            parts.append(part)
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise OSError(f"a body of more than {MAX_BODY_BYTES} bytes")
    return b"".join(parts)
