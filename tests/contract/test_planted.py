"""The judge can say no: each fault, planted in a request or in a reply, is complained about."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from dora.core.units import TimeMs
from dora.edge.kalshi.signing import Signer
from tests.contract.doctor import doctored
from tests.contract.prism import Proxy, proxy
from tests.contract.venue import NEAR, Venue, open_venue
from tests.simulator.wire import PREFIX

pytestmark = pytest.mark.long

ORDERS = "/portfolio/events/orders"
Json = dict[str, Any]

CREATE: Json = {
    "ticker": NEAR,
    "client_order_id": "planted-1",
    "side": "bid",
    "count": "1.00",
    "price": "0.1000",
    "time_in_force": "good_till_canceled",
    "post_only": True,
    "self_trade_prevention_type": "taker_at_cross",
    "exchange_index": 0,
}


def _without(body: Json, name: str) -> Json:
    return {key: value for key, value in body.items() if key != name}


def _renamed(body: Json, name: str, other: str) -> Json:
    return _without(body, name) | {other: body[name]}


@dataclass(frozen=True)
class Court:
    """A signer on one side of the proxy, the simulator on the other."""

    proxy: Proxy
    venue: Venue
    signer: Signer

    def ask(self, method: str, path: str, body: Json | None = None) -> requests.Response:
        """One signed request through the proxy."""
        now_ms = TimeMs(self.venue.exchange.venue.now_ms())
        headers = self.signer.headers(now_ms, method, PREFIX + path.partition("?")[0])
        return requests.request(method, self.proxy.url + path, json=body, headers=headers, timeout=10)

    def new_complaints(self, before: int) -> list[str]:
        """Those after the first `before`."""
        return self.proxy.complaints()[before:]


@pytest.fixture(scope="module")
def court(document_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """One proxy for all plants; each looks only at what it adds to the complaints."""
    log = tmp_path_factory.mktemp("planted") / "prism.log"
    with open_venue() as venue, proxy(document_file, venue.url, log) as running:
        yield Court(running, venue, Signer.from_pem(venue.key.key_id, venue.key.private_pem))


def test_a_proper_order_passes(court: Court) -> None:
    before = len(court.proxy.complaints())

    answer = court.ask("POST", ORDERS, CREATE)

    assert answer.status_code == 201
    assert court.new_complaints(before) == []


REQUEST_FAULTS = {
    "a wrong field name": (ORDERS, _renamed(CREATE, "price", "yes_price"), "price"),
    "a wrong name of an optional field": (ORDERS, _renamed(CREATE, "post_only", "postOnly"), "postOnly"),
    "a number as the count": (ORDERS, CREATE | {"count": 1}, "count must be string"),
    "a number as the price": (ORDERS, CREATE | {"price": 0.1}, "price must be string"),
    "no time_in_force": (ORDERS, _without(CREATE, "time_in_force"), "time_in_force"),
    "a side of the older dialect": (ORDERS, CREATE | {"side": "yes"}, "side"),
    "a wrong field name in a batch": (
        f"{ORDERS}/batched",
        {"orders": [CREATE, _renamed(CREATE, "count", "count_fp")]},
        "count",
    ),
    "no time_in_force in a batch": (
        f"{ORDERS}/batched",
        {"orders": [_without(CREATE, "time_in_force")]},
        "time_in_force",
    ),
}


@pytest.mark.parametrize(("path", "body", "named"), REQUEST_FAULTS.values(), ids=REQUEST_FAULTS)
def test_a_fault_in_a_request_is_complained_about_and_not_forwarded(
    court: Court, path: str, body: Json, named: str
) -> None:
    before, reached = len(court.proxy.complaints()), sum(court.venue.exchange.venue.stats.calls.values())

    answer = court.ask("POST", path, body)

    assert answer.status_code == 422
    assert named in answer.text
    assert len(court.new_complaints(before)) == 1
    assert sum(court.venue.exchange.venue.stats.calls.values()) == reached


def test_a_batch_cancel_with_bare_ids_is_complained_about(court: Court) -> None:
    before = len(court.proxy.complaints())

    answer = court.ask("DELETE", f"{ORDERS}/batched", {"order_ids": ["x"]})

    assert answer.status_code == 422
    assert len(court.new_complaints(before)) == 1


def test_a_path_of_the_older_dialect_is_complained_about(court: Court) -> None:
    before = len(court.proxy.complaints())

    court.ask("POST", "/portfolio/orders", CREATE)

    assert len(court.new_complaints(before)) == 1


REPLY_FAULTS = {
    "a wrong type": ({"fill_count": 0}, "fill_count must be string"),
    "a missing field": ({"ts_ms": None}, "ts_ms"),
    "a field nobody knows": ({"remaining": "1.00"}, "remaining"),
}


@pytest.mark.parametrize(("changes", "named"), REPLY_FAULTS.values(), ids=REPLY_FAULTS)
def test_a_fault_in_a_reply_is_complained_about(court: Court, changes: Json, named: str) -> None:
    before = len(court.proxy.complaints())

    with doctored(court.venue.exchange, changes):
        answer = court.ask("POST", ORDERS, _without(CREATE, "client_order_id"))

    assert answer.status_code == 500
    assert named in answer.text
    assert len(court.new_complaints(before)) == 1
