"""Answers against the published contract, and refusals against recorded ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.exchange import Request
from tests.simulator.knobs import Knobs
from tests.simulator.wire import PREFIX
from tests.support.simulator_contract import recorded, reply_schema
from tests.support.simulator_desk import GROUPS, ORDERS, TICKER, Answer, Desk

jsonschema = pytest.importorskip(
    "jsonschema", reason="jsonschema is not installed: answers cannot be validated"
)


@pytest.fixture
def desk() -> Desk:
    """A desk with one of everything: resting, filled and canceled orders, a group, a settlement."""
    desk = Desk()
    desk.exchange.set_background_book(TICKER, [(3900, 5_000)], [(6000, 5_000)])
    group = desk.group()
    desk.rest(
        "bid", "0.4000", "10.00", order_group_id=group, expiration_time=desk.clock.now_ms() // 1000 + 900
    )
    desk.taken("ask", 4000, 300)
    desk.place("bid", "0.6000", "1.00")
    desk.cancel(desk.rest("ask", "0.7000"))
    desk.rest("bid", "0.4000", "1.00", ticker="RAIN-B")
    desk.taken("ask", 4000, 100, "RAIN-B")
    desk.exchange.settle("RAIN-B", "yes")
    desk.exchange.schedule_fees("SRAIN", "quadratic", 5_000, desk.clock.now_ms() + 1)
    desk.exchange.schedule_fees("SRAIN", None, None, desk.clock.now_ms() + 1, event="RAIN")
    return desk


READS = [
    "/exchange/status",
    "/exchange/schedule",
    "/exchange/user_data_timestamp",
    "/markets",
    "/markets/trades",
    "/series/fee_changes",
    "/events/fee_changes",
    "/portfolio/balance",
    "/portfolio/positions",
    "/portfolio/fills",
    "/portfolio/settlements",
    "/portfolio/orders",
    "/portfolio/order_groups",
    "/portfolio/target_balance_allocation",
    "/account/limits",
    "/account/endpoint_costs",
    "/historical/cutoff",
    "/historical/fills",
    "/historical/orders",
    "/events",
]


def validated(answer: Answer, method: str, pattern: str) -> None:
    schema = reply_schema(method, pattern, answer.status)
    jsonschema.validate(answer.body, schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("path", READS)
def test_reads_answer_as_published(desk: Desk, path: str) -> None:
    answer = desk.get(path)
    assert answer.status == 200
    validated(answer, "GET", path)


@pytest.mark.parametrize(
    ("path", "pattern", "query"),
    [
        (f"/markets/{TICKER}", "/markets/{ticker}", {}),
        ("/markets/RAIN-B", "/markets/{ticker}", {}),
        (f"/markets/{TICKER}/orderbook", "/markets/{ticker}/orderbook", {}),
        ("/markets/orderbooks", "/markets/orderbooks", {"tickers": TICKER}),
        ("/series/SRAIN", "/series/{series_ticker}", {}),
        ("/events/RAIN", "/events/{event_ticker}", {}),
        ("/events/RAIN", "/events/{event_ticker}", {"with_nested_markets": "true"}),
        (
            "/portfolio/orders/queue_positions",
            "/portfolio/orders/queue_positions",
            {"market_tickers": TICKER},
        ),
    ],
)
def test_named_reads_answer_as_published(desk: Desk, path: str, pattern: str, query: dict[str, str]) -> None:
    validated(desk.get(path, **query), "GET", pattern)


def test_order_and_group_reads_answer_as_published(desk: Desk) -> None:
    (order_id,) = desk.member.resting
    (group,) = desk.member.groups
    validated(desk.get(f"/portfolio/orders/{order_id}"), "GET", "/portfolio/orders/{order_id}")
    place = "/portfolio/orders/{order_id}/queue_position"
    validated(desk.get(place.format(order_id=order_id)), "GET", place)
    validated(desk.get(f"{GROUPS}/{group}"), "GET", f"{GROUPS}/{{order_group_id}}")


def test_writes_answer_as_published(desk: Desk) -> None:
    (order_id,) = desk.member.resting
    (group,) = desk.member.groups
    amend = {"ticker": TICKER, "side": "bid", "price": "0.4100", "count": "9.00"}
    batch = {"orders": [desk.order(), desk.order("bid", "0.6000"), desk.order(price="0.4050")]}
    cancels = {"orders": [{"order_id": order_id, "exchange_index": 0}, {"order_id": "gone"}]}
    named, batched = f"{ORDERS}/{{order_id}}", f"{ORDERS}/batched"
    writes: list[tuple[str, str, Any]] = [
        ("POST", ORDERS, desk.order()),
        ("POST", ORDERS, desk.order("bid", "0.6000")),
        ("POST", f"{named}/amend", amend),
        ("POST", f"{named}/amend", amend | {"price": "0.6000"}),
        ("POST", f"{named}/decrease", {"reduce_to": "2.00"}),
        ("POST", batched, batch),
        ("DELETE", batched, cancels),
        ("POST", f"{GROUPS}/create", {"contracts_limit": 5}),
        ("PUT", f"{GROUPS}/{{order_group_id}}/limit", {"contracts_limit": 50}),
        ("PUT", f"{GROUPS}/{{order_group_id}}/trigger", {}),
        ("PUT", f"{GROUPS}/{{order_group_id}}/reset", {}),
        ("DELETE", f"{GROUPS}/{{order_group_id}}", None),
        ("POST", "/portfolio/target_balance_allocation", {"allocations": []}),
    ]
    for method, pattern, body in writes:
        resting = (
            desk.rest("bid", "0.3500", "5.00") if "amend" in pattern or "decrease" in pattern else order_id
        )
        answer = desk.call(method, pattern.format(order_id=resting, order_group_id=group), body=body)
        assert answer.status in (200, 201), (pattern, answer)
        validated(answer, method, pattern)
    single = desk.cancel(desk.rest())
    validated(single, "DELETE", named)


def shape(value: Any) -> Any:
    """Names and codes; the removed `service` field and free text do not count."""
    if isinstance(value, dict):
        return {
            name: shape(part) if name != "code" else part for name, part in value.items() if name != "service"
        }
    return type(value).__name__


def bad_signature(desk: Desk) -> Answer:
    request = desk.signed("GET", "/portfolio/balance")
    reply = desk.exchange.handle(Request("GET", f"{PREFIX}/portfolio/fills", [], request.headers))
    return Answer(reply.status, json.loads(reply.body))


def late(desk: Desk) -> Answer:
    reply = desk.exchange.handle(desk.signed("GET", "/portfolio/balance", skew_ms=-30_000))
    return Answer(reply.status, json.loads(reply.body))


def too_many(desk: Desk) -> Answer:
    desk.exchange.knobs = Knobs(body_of_429="nested")
    desk.member.buckets.drain("read")
    return desk.get("/portfolio/fills")


def twice(desk: Desk) -> Answer:
    desk.place(client_order_id="same")
    return desk.place(client_order_id="same")


REFUSALS: dict[str, Callable[[Desk], Answer]] = {
    "auth__bad_signature": bad_signature,
    "auth__skew_minus30s": late,
    "error__429": too_many,
    "markets__limit_over_max": lambda desk: desk.get("/markets", limit=1001),
    "orders__cancel_unknown_id": lambda desk: desk.cancel("00000000-0000-0000-0000-000000000000"),
    "orders__duplicate_client_order_id": twice,
    "orders__insufficient_balance": lambda desk: desk.place("bid", "0.9900", "10099.00"),
    "orders__invalid_price_structure": lambda desk: desk.place("bid", "0.5150", "1.00"),
    "orders__numeric_field_types": lambda desk: desk.place(count=1),
    "orders__post_only_cross": lambda desk: desk.place("bid", "0.9900", "1.00", post_only=True),
    "margin__orders__off_tick_price": lambda desk: desk.place("bid", "0.38295", "1.00"),
    "margin__orders__reduce_only_gtc": lambda desk: desk.place(reduce_only=True),
}


@pytest.mark.recorded
@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refusals_look_like_the_recorded_ones(desk: Desk, name: str) -> None:
    status, body = recorded(name)
    answer = REFUSALS[name](desk)
    assert answer.status == status
    assert shape(answer.body) == shape(body)
    message, kept = (part.get("error", part).get("message") for part in (answer.body, body))
    assert message == kept


ANSWERS: dict[str, Callable[[Desk], Answer]] = {
    "orders__create_v2_maker": lambda desk: desk.place(),
    "orders__create_v2_taker_ioc": lambda desk: desk.place(
        "bid", "0.6000", "1.00", time_in_force="immediate_or_cancel"
    ),
    "account__limits": lambda desk: desk.get("/account/limits"),
    "account__endpoint_costs": lambda desk: desk.get("/account/endpoint_costs"),
    "auth__balance_ok": lambda desk: desk.get("/portfolio/balance"),
    "settlements__page": lambda desk: desk.get("/portfolio/settlements"),
    "orderbook__base": lambda desk: desk.get(f"/markets/{TICKER}/orderbook"),
    "margin__groups__delete": lambda desk: desk.call("DELETE", f"{GROUPS}/{desk.group()}"),
}


@pytest.mark.recorded
@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_answers_hold_every_field_of_the_recorded_ones(desk: Desk, name: str) -> None:
    status, body = recorded(name)
    answer = ANSWERS[name](desk)
    assert answer.status == status
    assert set(body) <= set(answer.body)
    for field, value in body.items():
        assert type(answer.body[field]) is type(value), field


# A field that recordings of mid-2026 held and the contract has dropped since.
REMOVED = {"resting_orders_count_fp", "resting_orders_count"}

ROWS: dict[str, tuple[str, Callable[[Desk], Any]]] = {
    "fills__after_taker": ("fills", lambda desk: desk.get("/portfolio/fills").body),
    "trades__public_recorded": ("trades", lambda desk: desk.get("/markets/trades").body),
    "portfolio__positions": ("market_positions", lambda desk: desk.get("/portfolio/positions").body),
    "portfolio__orders_list": ("orders", lambda desk: desk.get("/portfolio/orders").body),
}


@pytest.mark.recorded
@pytest.mark.parametrize("name", sorted(ROWS))
def test_rows_hold_every_field_of_the_recorded_ones(desk: Desk, name: str) -> None:
    rows, ask = ROWS[name]
    theirs, ours = recorded(name)[1][rows][0], ask(desk)[rows][0]
    for field in set(theirs) - REMOVED:
        assert field in ours
        assert type(ours[field]) is type(theirs[field]), field
