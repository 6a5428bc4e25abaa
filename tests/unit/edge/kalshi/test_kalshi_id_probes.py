"""Id probes of client order ids: what the engine's answers say, and that nothing comes to rest."""

from typing import Any

import pytest

from dora.core.errors import ExchangeError, ExchangeRefused, RateLimited
from dora.core.orders.requests import IdProbe
from dora.core.units import Count
from dora.edge.kalshi import write_results
from dora.edge.kalshi.error_codes import ALREADY_EXISTS
from tests.simulator.knobs import Knobs
from tests.support.kalshi_fakes import FakeReply, scripted
from tests.support.probe_order import ORDER, PROBE
from tests.support.venue import RAIN, START_MS, Venue, open_venue


@pytest.fixture
def venue() -> Venue:
    return open_venue()


def test_an_id_that_was_never_used_is_granted_and_then_no_create_can_have_it(venue: Venue) -> None:
    assert venue.client.probe_id(PROBE) is IdProbe.GRANTED
    (late,) = venue.client.place([ORDER]).unknown

    assert late.code == ALREADY_EXISTS
    assert venue.client.resting_orders().rows == ()


def test_a_probe_is_seen_in_the_lists_as_a_canceled_order_of_that_id(venue: Venue) -> None:
    venue.client.probe_id(PROBE)

    (order,) = venue.client.orders_of(RAIN).rows
    assert (order.client_order_id, order.status, order.filled) == (PROBE.client_order_id, "canceled", 0)
    assert venue.client.probe_id(PROBE) is IdProbe.TAKEN


def test_a_kill_that_echoes_its_count_is_a_kill(venue: Venue) -> None:
    venue.exchange.knobs = Knobs(killed_echoes_count=True)

    assert venue.client.probe_id(PROBE) is IdProbe.GRANTED
    assert venue.client.resting_orders().rows == ()


def test_an_id_whose_order_rests_is_taken_and_the_order_stays(venue: Venue) -> None:
    venue.place(ORDER)

    assert venue.client.probe_id(PROBE) is IdProbe.TAKEN
    assert [order.remaining for order in venue.client.resting_orders().rows] == [ORDER.count]


def test_a_probe_that_meets_somebody_is_filled_with_a_hundredth_and_granted(venue: Venue) -> None:
    venue.exchange.set_background_book(RAIN, [], [(100, 500)])

    assert venue.client.probe_id(PROBE) is IdProbe.GRANTED
    assert [fill.count for fill in venue.client.fills_since(START_MS - 1000).rows] == [Count(1)]
    assert venue.client.resting_orders().rows == ()


def test_a_probe_in_a_tripped_group_says_nothing_of_the_id(venue: Venue) -> None:
    group_id = venue.group(0)
    venue.client.trigger_group(group_id, 0)

    assert venue.client.probe_id(PROBE._replace(group_id=group_id)) is None


def test_where_ids_are_free_again_a_probe_still_tells_a_resting_order(venue: Venue) -> None:
    venue.exchange.knobs = Knobs(client_id_scope="open_only")
    venue.place(ORDER)

    assert venue.client.probe_id(PROBE) is IdProbe.TAKEN


ANSWER = {
    "order_id": "order-1",
    "client_order_id": PROBE.client_order_id,
    "fill_count": "0.00",
    "remaining_count": "0.00",
    "ts_ms": START_MS,
}


@pytest.mark.parametrize(
    ("changes", "probe"),
    [
        ({}, IdProbe.GRANTED),
        ({"remaining_count": "0.01"}, IdProbe.GRANTED),
        ({"fill_count": "0.01"}, IdProbe.GRANTED),
        ({"fill_count": "0.01", "remaining_count": "0.01"}, None),
        ({"fill_count": "3.00"}, None),
        ({"remaining_count": "10.00"}, None),
        ({"remaining_count": "-1.00"}, None),
        ({"remaining_count": None}, None),
        ({"fill_count": None}, None),
        ({"order_id": None}, None),
        ({"client_order_id": None}, None),
        ({"client_order_id": "dxxxxxxx-two"}, None),
    ],
)
def test_a_kill_is_one_whether_nothing_remains_or_the_whole_count_and_nothing_else_is_a_grant(
    changes: dict[str, Any], probe: IdProbe | None
) -> None:
    assert scripted(FakeReply(201, ANSWER | changes)).exchange.probe_id(PROBE) is probe


@pytest.mark.parametrize(
    ("error", "probe"),
    [
        (ExchangeRefused(409, ALREADY_EXISTS, "", ""), IdProbe.TAKEN),
        (ExchangeRefused(400, "invalid_order", "", ""), None),
        (ExchangeRefused(409, "trading_is_paused", "", ""), None),
        (ExchangeError("no answer"), None),
    ],
)
def test_only_one_code_speaks_of_the_id(error: ExchangeError, probe: IdProbe | None) -> None:
    assert write_results.id_not_probed(error) is probe


def test_a_429_to_a_probe_is_told_to_whoever_asked() -> None:
    with pytest.raises(RateLimited):
        scripted(FakeReply(429, {"error": "too many requests"})).exchange.probe_id(PROBE)
