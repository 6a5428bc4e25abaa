"""One request: signed per attempt, bounded in time, retried only when it is a read."""

from base64 import b64decode
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import (
    AuthRefused,
    ExchangeRefused,
    ExchangeUnavailable,
    RateLimited,
    WireInvalid,
)
from dora.core.units import Count, TimeMs
from tests.support.kalshi_fakes import NOW_MS, FakeReply, Script, api_key, http_date, order_row, scripted

AS_OF = {"as_of_time": "2026-11-20T14:00:00Z"}
NO_ANSWERS: dict[str, Script] = {
    "500": FakeReply(500, {"error": {"code": "internal", "message": "internal"}}),
    "503": FakeReply(503, {"error": {"code": "service_unavailable", "message": "service_unavailable"}}),
    "504 of a gateway": FakeReply(504, b"<html>"),
    "408": FakeReply(408, {"error": "timeout"}),
    "redirect": FakeReply(302, {}, {"Location": "http://elsewhere.test/"}),
    "no JSON": FakeReply(200, b"<html>"),
    "too deep": FakeReply(200, b"[" * 200_000),
    "cut JSON": FakeReply(200, b'{"as_of_time": "2026-'),
    "empty": FakeReply(200, b""),
    "not an object": FakeReply(200, [1]),
    "an error under 200": FakeReply(200, {"error": {"code": "not_found"}}),
    "dropped": requests.ConnectionError("reset"),
    "read timeout": requests.ReadTimeout("slow"),
    "cut body": requests.exceptions.ChunkedEncodingError("incomplete"),
    "socket error": OSError("no route"),
}


def verified_times(sent: list[requests.PreparedRequest]) -> list[int]:
    """The signed timestamps, each signature checked against method and path without the query."""
    public = load_pem_public_key(api_key().public_pem.encode())
    assert isinstance(public, Ed25519PublicKey)
    times = []
    for request in sent:
        stamp = request.headers["KALSHI-ACCESS-TIMESTAMP"]
        text = f"{stamp}{request.method}{urlsplit(request.url or '').path}"
        public.verify(b64decode(request.headers["KALSHI-ACCESS-SIGNATURE"]), text.encode())
        times.append(int(stamp))
    return times


@pytest.mark.parametrize("which", NO_ANSWERS)
def test_a_read_without_an_answer_is_tried_again_and_signed_anew(which: str) -> None:
    bot = scripted(NO_ANSWERS[which], NO_ANSWERS[which], FakeReply(200, AS_OF))
    assert bot.exchange.user_data_time_ms() == NOW_MS
    times = verified_times(bot.adapter.requests)
    assert len(set(times)) == 3 and times == sorted(times)
    assert bot.exchange.calls == {"GET /exchange/user_data_timestamp": 3}


@pytest.mark.parametrize("which", NO_ANSWERS)
def test_a_read_that_stays_unanswered_is_unavailable_after_three_attempts(which: str) -> None:
    bot = scripted(NO_ANSWERS[which])
    with pytest.raises(ExchangeUnavailable, match="GET /exchange/user_data_timestamp"):
        bot.exchange.user_data_time_ms()
    assert len(bot.adapter.requests) == 3


def test_attempts_and_waits_are_settings() -> None:
    bot = scripted(FakeReply(503))
    bot.exchange.retry_reads(2, 1_000)
    with pytest.raises(ExchangeUnavailable):
        bot.exchange.user_data_time_ms()
    assert len(bot.adapter.requests) == 2
    assert [wait // 100 for wait in bot.clock.slept] == [10]


def test_waits_between_attempts_grow() -> None:
    bot = scripted(FakeReply(503), FakeReply(503), FakeReply(200, AS_OF))
    bot.exchange.user_data_time_ms()
    first, second = bot.clock.slept
    assert 200 <= first < 300 and 400 <= second < 500


@pytest.mark.parametrize("body", [{"error": "too many requests"}, {"error": {"code": "too_many_requests"}}])
def test_a_429_is_waited_for_and_said(body: Any) -> None:
    bot = scripted(FakeReply(429, body), FakeReply(200, AS_OF))
    assert bot.exchange.user_data_time_ms() == NOW_MS
    (said,) = bot.facts.of("RATE_LIMIT_BACKOFF")
    assert (said["endpoint"], said["consecutive_hits"]) == ("GET /exchange/user_data_timestamp", 1)
    assert said["backoff_seconds"] == bot.clock.slept[0] / 1000
    assert bot.clock.slept[0] >= 600, "the balance has one token a second"


def test_a_429_that_stays_is_raised_with_its_code() -> None:
    bot = scripted(FakeReply(429, {"error": "too many requests"}))
    with pytest.raises(RateLimited) as refused:
        bot.exchange.user_data_time_ms()
    assert (refused.value.status, refused.value.code) == (429, "too_many_requests")
    assert len(bot.adapter.requests) == 3


ENVELOPES: list[tuple[Any, str, str, str]] = [
    (
        {"error": {"code": "invalid_order", "message": "invalid order", "details": "post only cross"}},
        "invalid_order", "invalid order", "post only cross",
    ),
    ({"code": "bad_request", "message": "bad", "details": "json"}, "bad_request", "bad", "json"),
    ({"msg": "Parameter validation failed"}, "", "Parameter validation failed", ""),
    ({"error": "some text"}, "some_text", "some text", ""),
    (b"<html>blocked</html>", "", "<html>blocked</html>", ""),
    (b"", "", "", ""),
    ({"error": {"code": "user_not_found:_4f", "message": "not found"}}, "user_not_found", "not found", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "message", "details"), ENVELOPES)
def test_every_envelope_of_a_refusal_is_understood_and_never_retried(
    body: Any, code: str, message: str, details: str
) -> None:
    bot = scripted(FakeReply(400, body))
    with pytest.raises(ExchangeRefused) as refused:
        bot.exchange.user_data_time_ms()
    error = refused.value
    assert (error.status, error.code, error.message, error.details) == (400, code, message, details)
    assert len(bot.adapter.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_its_own_error(status: int) -> None:
    bot = scripted(FakeReply(status, {"error": {"code": "header_timestamp_expired", "message": "expired"}}))
    with pytest.raises(AuthRefused, match="header_timestamp_expired"):
        bot.exchange.cash()


def test_an_answer_without_the_field_names_endpoint_and_field() -> None:
    with pytest.raises(WireInvalid, match="GET /exchange/user_data_timestamp: as_of_time is missing"):
        scripted(FakeReply(200, {"as_of": ""})).exchange.user_data_time_ms()


# --- time ----------------------------------------------------------------------------------------------


def test_timeouts_are_explicit_and_end_before_the_deadline() -> None:
    bot = scripted(FakeReply(200, AS_OF))
    bot.exchange.user_data_time_ms()
    for left_ms in (60_000, 3_000, 500, 50):
        bot.exchange.until(TimeMs(NOW_MS + left_ms))
        bot.exchange.user_data_time_ms()
        assert sum(bot.adapter.timeouts[-1]) * 1000 <= left_ms
    assert bot.adapter.timeouts[0] == bot.adapter.timeouts[1] == (2.0, 5.0)


def test_nothing_is_sent_when_the_time_is_up() -> None:
    bot = scripted(FakeReply(200, AS_OF))
    bot.exchange.until(TimeMs(NOW_MS + 10))
    with pytest.raises(ExchangeUnavailable, match="not sent"):
        bot.exchange.user_data_time_ms()
    assert bot.adapter.requests == [] and bot.clock.slept == []


def test_no_retry_reaches_past_the_deadline() -> None:
    bot = scripted(FakeReply(503))
    bot.exchange.until(TimeMs(NOW_MS + 400))
    with pytest.raises(ExchangeUnavailable, match="503"):
        bot.exchange.user_data_time_ms()
    assert len(bot.adapter.requests) == 2


@pytest.mark.parametrize(
    ("ahead_ms", "skew_ms"), [(0, 0), (900, 0), (-900, 0), (5_000, 5_000), (-5_000, -5_000), (2_500, 2_500)]
)
def test_skew_is_our_clock_minus_theirs_and_nothing_below_a_second(ahead_ms: int, skew_ms: int) -> None:
    bot = scripted(FakeReply(200, AS_OF, {"Date": http_date(NOW_MS - ahead_ms)}))
    bot.exchange.user_data_time_ms()
    assert abs(bot.exchange.skew_ms - skew_ms) <= 1_000
    assert (bot.exchange.skew_ms == 0) is (skew_ms == 0)


@pytest.mark.parametrize(
    "headers", [{}, {"Date": "today"}, {"Date": http_date(NOW_MS - 15_000), "Age": "15"}]
)
def test_an_answer_without_a_date_of_its_own_says_nothing_of_skew(headers: dict[str, str]) -> None:
    bot = scripted(FakeReply(200, AS_OF, headers))
    bot.exchange.user_data_time_ms()
    assert bot.exchange.skew_ms == 0


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_no_date_header_can_spoil_an_answer(date: str) -> None:
    bot = scripted(FakeReply(200, AS_OF, {"Date": date}))
    assert bot.exchange.user_data_time_ms() == NOW_MS


# --- what a request carries ------------------------------------------------------------------------


def test_only_our_own_headers_are_sent() -> None:
    bot = scripted(FakeReply(200, AS_OF))
    bot.exchange.user_data_time_ms()
    assert set(bot.adapter.requests[0].headers) == {
        "User-Agent", "Accept", "Accept-Encoding",
        "KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE",
    }  # fmt: skip
    assert bot.adapter.requests[0].headers["User-Agent"] == "dora"


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    bot = scripted(FakeReply(404, {"error": {"code": "not_found"}}))
    assert bot.exchange.order("../balance?a=1") is None
    assert bot.adapter.targets() == ["GET /trade-api/v2/portfolio/orders/..%2Fbalance%3Fa%3D1"]
    verified_times(bot.adapter.requests)


def test_calls_are_counted_by_endpoint_without_ids() -> None:
    bot = scripted(FakeReply(200, {"order": order_row()}))
    bot.exchange.order("order-1")
    assert bot.exchange.calls == {"GET /portfolio/orders/{}": 1}


GROUP_WRITES: dict[str, Any] = {
    "create": lambda exchange: exchange.create_group(2, Count(20_000)),
    "trigger": lambda exchange: exchange.trigger_group("group-1", 2),
    "reset": lambda exchange: exchange.reset_group("group-1", 2),
    "delete": lambda exchange: exchange.delete_group("group-1", 2),
    "limit": lambda exchange: exchange.limit_group("group-1", 2, Count(30_000)),
}


@pytest.mark.parametrize("verb", GROUP_WRITES)
@pytest.mark.parametrize("which", NO_ANSWERS)
def test_a_group_write_without_an_answer_is_raised_and_never_sent_twice(verb: str, which: str) -> None:
    bot = scripted(NO_ANSWERS[which])
    with pytest.raises(ExchangeUnavailable):
        GROUP_WRITES[verb](bot.exchange)
    assert len(bot.adapter.requests) == 1


@pytest.mark.parametrize("verb", GROUP_WRITES)
def test_a_refused_group_write_is_raised_with_its_code(verb: str) -> None:
    bot = scripted(FakeReply(404, {"error": {"code": "not_found", "message": "not found"}}))
    with pytest.raises(ExchangeRefused) as refused:
        GROUP_WRITES[verb](bot.exchange)
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    assert len(bot.adapter.requests) == 1


def test_group_writes_name_shard_and_subaccount_and_all_but_the_delete_carry_a_json_body() -> None:
    bot = scripted(
        FakeReply(201, {"order_group_id": "group-1", "subaccount": 3}), FakeReply(200, {}), subaccount=3
    )
    assert GROUP_WRITES["create"](bot.exchange) == "group-1"
    for verb in ("trigger", "reset", "delete", "limit"):
        GROUP_WRITES[verb](bot.exchange)
    groups = "/trade-api/v2/portfolio/order_groups"
    assert bot.adapter.targets() == [
        f"POST {groups}/create",
        f"PUT {groups}/group-1/trigger",
        f"PUT {groups}/group-1/reset",
        f"DELETE {groups}/group-1",
        f"PUT {groups}/group-1/limit",
    ]
    assert [request.body for request in bot.adapter.requests].count(None) == 1
    assert bot.adapter.requests[3].body is None
    assert bot.adapter.queries()[1:] == [[("subaccount", "3"), ("exchange_index", "2")]] * 4
    types = [request.headers.get("Content-Type") for request in bot.adapter.requests]
    assert types == ["application/json"] * 3 + [None, "application/json"]


def test_a_created_group_without_an_id_is_not_a_group() -> None:
    with pytest.raises(WireInvalid, match="order_group_id"):
        scripted(FakeReply(201, {"subaccount": 0})).exchange.create_group(0, Count(100))
