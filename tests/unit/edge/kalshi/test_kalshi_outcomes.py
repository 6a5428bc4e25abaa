"""What became of each order of a write: the whole table of done, refused and unknown."""

from itertools import permutations
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from dora.core.orders.requests import BatchCancelResult, BatchPlaceResult, DecreaseRequest, Outcome
from dora.core.units import Count, TimeMs
from dora.edge.kalshi.error_codes import DEFINITE_REFUSALS
from tests.support.kalshi_fakes import (
    NOW_MS,
    TICKER,
    FakeReply,
    Script,
    cancel_request,
    cancelled_entry,
    failed_entry,
    order_request,
    placed_entry,
    scripted,
    without,
)

DONE, REFUSED, UNKNOWN = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN
ABC = [order_request(number) for number in (1, 2, 3)]
CANCELS = [cancel_request(number) for number in (1, 2, 3)]
DECREASE = DecreaseRequest(
    order_id="order-1", client_order_id="dora-1", ticker=TICKER, shard=2, reduce_to=Count(500)
)

Said = dict[str, tuple[Outcome, str]]


def fates(result: BatchPlaceResult | BatchCancelResult) -> Said:
    """Outcome and code by client order id; every order exactly once."""
    done = result.placed if isinstance(result, BatchPlaceResult) else result.succeeded
    pairs = [(order.request.client_order_id, (DONE, "")) for order in done]
    pairs += [(order.request.client_order_id, (REFUSED, order.code)) for order in result.failed]
    pairs += [(order.request.client_order_id, (UNKNOWN, order.code)) for order in result.unknown]
    assert len(dict(pairs)) == len(pairs)
    assert all(order.outcome is REFUSED for order in result.failed)
    assert all(order.outcome is UNKNOWN for order in result.unknown)
    return dict(pairs)


def place(*entries: Any) -> list[tuple[Outcome, str]]:
    """The fates of A, B and C under an answer with these entries."""
    said = fates(scripted(FakeReply(201, {"orders": list(entries)})).exchange.place(ABC))
    return [said[request.client_order_id] for request in ABC]


def cancel(*entries: Any) -> list[tuple[Outcome, str]]:
    said = fates(scripted(FakeReply(200, {"orders": list(entries)})).exchange.cancel(CANCELS))
    return [said[request.client_order_id] for request in CANCELS]


WHOLE: list[tuple[Script, Outcome, str]] = [
    (FakeReply(400, {"error": {"code": "insufficient_balance"}}), REFUSED, "insufficient_balance"),
    (FakeReply(400, {"code": "bad_request", "message": "bad request"}), REFUSED, "bad_request"),
    (FakeReply(400, {"msg": "validation"}), REFUSED, "http_400"),
    (FakeReply(401, {"error": {"code": "authentication_error"}}), REFUSED, "authentication_error"),
    (FakeReply(403, {"error": {"code": "permission_denied"}}), REFUSED, "permission_denied"),
    (FakeReply(400, {"error": {"msg": "validation"}}), REFUSED, "http_400"),
    (FakeReply(400, {"error": "invalid order"}), REFUSED, "invalid_order"),
    (FakeReply(403, b"<html>blocked"), UNKNOWN, "http_403"),
    (FakeReply(400, b""), UNKNOWN, "http_400"),
    (FakeReply(404, b"<html>no such page"), UNKNOWN, "http_404"),
    (FakeReply(404, {"message": "Not Found"}), UNKNOWN, "http_404"),
    (FakeReply(404, {"error": "Not Found", "status": 404}), UNKNOWN, "Not_Found"),
    (FakeReply(413, {"error": {"status": 413}}), UNKNOWN, "http_413"),
    (FakeReply(400, ["bad"]), UNKNOWN, "http_400"),
    (FakeReply(201, {"code": "internal_error", "message": "internal error"}), UNKNOWN, "unanswered"),
    (FakeReply(200, {"msg": "validation"}), UNKNOWN, "unanswered"),
    (FakeReply(404, {"error": {"code": "not_found"}}), REFUSED, "not_found"),
    (
        FakeReply(410, {"error": {"code": "deprecated_v1_order_endpoint"}}),
        REFUSED,
        "deprecated_v1_order_endpoint",
    ),
    (FakeReply(429, {"error": "too many requests"}), REFUSED, "too_many_requests"),
    (FakeReply(429, {"error": {"code": "too_many_requests"}}), REFUSED, "too_many_requests"),
    (FakeReply(429, b""), UNKNOWN, "too_many_requests"),
    (FakeReply(429, b"<html>slow down"), UNKNOWN, "too_many_requests"),
    (FakeReply(409, {"error": {"code": "order_already_exists"}}), UNKNOWN, "order_already_exists"),
    (FakeReply(409, {"error": None, "code": "order_already_exists"}), UNKNOWN, "order_already_exists"),
    (FakeReply(409, {"code": "order_already_exists"}), UNKNOWN, "order_already_exists"),
    (FakeReply(409, {"msg": "order already exists"}), UNKNOWN, "http_409"),
    (FakeReply(409, {"code": "client_order_id_taken"}), UNKNOWN, "client_order_id_taken"),
    (FakeReply(409, {"error": {"code": "service_timeout"}}), UNKNOWN, "service_timeout"),
    (FakeReply(499, {"code": "client_closed"}), UNKNOWN, "client_closed"),
    (FakeReply(425, {"msg": "too early"}), UNKNOWN, "http_425"),
    (FakeReply(409, {"error": {"code": "trading_is_paused"}}), REFUSED, "trading_is_paused"),
    (FakeReply(409, {"error": None, "code": "market_closed"}), REFUSED, "market_closed"),
    (FakeReply(422, {"code": "newly_named"}), REFUSED, "newly_named"),
    (FakeReply(408, {"error": "timeout"}), UNKNOWN, "unanswered"),
    (FakeReply(500, b""), UNKNOWN, "unanswered"),
    (FakeReply(503, {"error": {"code": "service_unavailable"}}), UNKNOWN, "unanswered"),
    (FakeReply(504, b"<html>"), UNKNOWN, "unanswered"),
    (FakeReply(302, b"", {"Location": "http://elsewhere.test"}), UNKNOWN, "unanswered"),
    (requests.ConnectionError("reset"), UNKNOWN, "unanswered"),
    (requests.ConnectTimeout("slow"), UNKNOWN, "unanswered"),
    (requests.ReadTimeout("slow"), UNKNOWN, "unanswered"),
    (requests.exceptions.ChunkedEncodingError("cut"), UNKNOWN, "unanswered"),
    (FakeReply(201, b'{"orders": [{"order_id": "ord'), UNKNOWN, "unanswered"),
    (FakeReply(201, b"<html>"), UNKNOWN, "unanswered"),
    (FakeReply(201, [placed_entry()]), UNKNOWN, "unanswered"),
    (FakeReply(201, {"error": {"code": "invalid_order"}}), UNKNOWN, "unanswered"),
    (FakeReply(201, {}), UNKNOWN, "answer_invalid"),
    (FakeReply(201, {"orders": None}), UNKNOWN, "not_named_in_answer"),
    (FakeReply(201, {"order": placed_entry()}), UNKNOWN, "answer_invalid"),
    (FakeReply(201, {"orders": []}), UNKNOWN, "not_named_in_answer"),
    (FakeReply(204, b""), UNKNOWN, "answer_invalid"),
]


@pytest.mark.parametrize(("script", "outcome", "code"), WHOLE)
def test_a_request_that_fails_as_a_whole_is_refused_or_unknown_for_every_order(
    script: Script, outcome: Outcome, code: str
) -> None:
    creates, cancels = scripted(script), scripted(script)
    for result in (creates.exchange.place(ABC), cancels.exchange.cancel(CANCELS)):
        assert set(fates(result).values()) == {(outcome, code)}
    assert [len(bot.adapter.requests) for bot in (creates, cancels)] == [1, 1], "a write is never sent twice"


@pytest.mark.parametrize(
    ("script", "outcome", "code"), [row for row in WHOLE if row[2] != "not_named_in_answer"]
)
def test_a_decrease_fails_on_the_same_terms(script: Script, outcome: Outcome, code: str) -> None:
    bot = scripted(script)
    result = bot.exchange.decrease(DECREASE)
    assert (result.outcome, result.code) == (outcome, code)
    assert len(bot.adapter.requests) == 1


def test_a_write_that_never_left_is_refused_not_unknown() -> None:
    bot = scripted(FakeReply(201, {"orders": []}))
    bot.exchange.until(TimeMs(NOW_MS))
    assert set(fates(bot.exchange.place(ABC)).values()) == {(REFUSED, "not_sent")}
    assert set(fates(bot.exchange.cancel(CANCELS)).values()) == {(REFUSED, "not_sent")}
    assert bot.exchange.decrease(DECREASE).code == "not_sent"
    assert bot.adapter.requests == []


def test_an_empty_batch_is_not_sent() -> None:
    bot = scripted(FakeReply(500))
    assert bot.exchange.place([]) == BatchPlaceResult()
    assert bot.exchange.cancel([]) == BatchCancelResult()
    assert bot.adapter.requests == []


# --- creates --------------------------------------------------------------------------------------------


def test_a_placed_order_carries_what_the_engine_said() -> None:
    entry = placed_entry(1, remaining_count="0.00", fill_count="4.00")
    bot = scripted(FakeReply(201, {"orders": [entry]}))
    (placed,) = bot.exchange.place(ABC[:1]).placed
    assert (placed.order_id, placed.remaining, placed.filled, placed.ts_ms) == ("order-1", 0, 400, NOW_MS + 1)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_entries_belong_to_the_order_they_name_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    bot = scripted(FakeReply(201, {"orders": [placed_entry(number) for number in order]}))
    placed = bot.exchange.place(ABC).placed
    assert [(p.request.client_order_id, p.order_id) for p in placed] == [
        ("dora-1", "order-1"), ("dora-2", "order-2"), ("dora-3", "order-3"),
    ]  # fmt: skip


def test_mixed_and_shuffled_entries_keep_their_own_fates() -> None:
    entries = [
        failed_entry(3, "invalid_order", "post only cross"),
        placed_entry(1),
        failed_entry(2, "teapot"),
    ]
    assert place(*entries) == [(DONE, ""), (UNKNOWN, "teapot"), (REFUSED, "invalid_order")]


def test_a_missing_entry_leaves_its_order_unknown() -> None:
    assert place(placed_entry(3), placed_entry(1)) == [
        (DONE, ""),
        (UNKNOWN, "not_named_in_answer"),
        (DONE, ""),
    ]


def test_an_entry_that_names_a_foreign_order_says_nothing_of_ours() -> None:
    said = place(placed_entry(1), placed_entry(9), placed_entry(3))
    assert said[1] == (UNKNOWN, "not_named_in_answer")


def test_an_order_named_twice_is_unknown() -> None:
    said = place(placed_entry(1), placed_entry(1, order_id="order-9"), placed_entry(3))
    assert said[0] == said[1] == (UNKNOWN, "not_named_in_answer")


def test_two_orders_with_one_exchange_id_are_both_unknown() -> None:
    said = place(placed_entry(1), placed_entry(2, order_id="order-1"), placed_entry(3))
    assert said == [(UNKNOWN, "not_named_in_answer")] * 2 + [(DONE, "")]


@pytest.mark.parametrize("bad", [None, 7, "x", {"client_order_id": 2, "order_id": []}, {}])
def test_an_unreadable_entry_spoils_no_other(bad: Any) -> None:
    said = place(placed_entry(1), bad, placed_entry(3))
    assert [outcome for outcome, _ in said] == [DONE, UNKNOWN, DONE]


def test_one_nameless_entry_belongs_to_the_one_order_left() -> None:
    nameless = failed_entry(None, "invalid_price")
    assert place(nameless, placed_entry(3), placed_entry(1))[1] == (REFUSED, "invalid_price")
    success = without(placed_entry(2), "client_order_id")
    assert place(placed_entry(3), placed_entry(1), success)[1] == (DONE, "")


def test_nameless_entries_that_were_all_refused_refuse_all_orders_left() -> None:
    said = place(failed_entry(None, "invalid_price"), placed_entry(2), failed_entry(None, "invalid_order"))
    assert [outcome for outcome, _ in said] == [REFUSED, DONE, REFUSED]


@pytest.mark.parametrize(
    "other", [failed_entry(None, "order_already_exists"), without(placed_entry(2), "client_order_id")]
)
def test_nameless_entries_of_different_fates_are_not_matched_by_position(other: dict[str, Any]) -> None:
    said = place(placed_entry(1), failed_entry(None, "invalid_price"), other)
    assert said[1:] == [(UNKNOWN, "not_named_in_answer")] * 2


def test_a_nameless_entry_counts_for_nobody_when_the_numbers_differ() -> None:
    assert place(placed_entry(1), failed_entry(None))[1:] == [(UNKNOWN, "not_named_in_answer")] * 2
    external = [placed_entry(1), placed_entry(2), placed_entry(9), failed_entry(None)]
    assert place(*external)[2] == (UNKNOWN, "not_named_in_answer")


@pytest.mark.parametrize("field", ["order_id", "fill_count", "remaining_count", "ts_ms"])
def test_a_success_that_lacks_a_part_is_unknown(field: str) -> None:
    for entry in (
        without(placed_entry(1), field),
        *(placed_entry(1, **{field: bad}) for bad in (None, "", [7])),
    ):
        assert place(entry)[0] == (UNKNOWN, "answer_invalid")


@pytest.mark.parametrize(
    "counts", [("5.00", "6.00"), ("0.00", "10.01"), ("-1.00", "10.00"), ("0.00", "-1.00")]
)
def test_counts_that_cannot_be_of_our_order_leave_it_unknown(counts: tuple[str, str]) -> None:
    entry = placed_entry(1, fill_count=counts[0], remaining_count=counts[1])
    assert place(entry)[0] == (UNKNOWN, "answer_invalid")


@pytest.mark.parametrize("code", sorted(DEFINITE_REFUSALS))
def test_a_definite_code_refuses(code: str) -> None:
    assert place(failed_entry(1, code))[0] == (REFUSED, code)


@pytest.mark.parametrize(
    "code", ["order_already_exists", "service_unavailable", "EXCHANGE_UNAVAILABLE", "", "new"]
)
def test_any_other_code_leaves_the_order_unknown(code: str) -> None:
    assert place(failed_entry(1, code))[0] == (UNKNOWN, code)


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        ({"code": "invalid order", "details": "post only cross"}, (REFUSED, "invalid_order")),
        ({"code": "user_not_found:_4f1", "message": "user not found"}, (REFUSED, "user_not_found")),
        ("too many requests", (REFUSED, "too_many_requests")),
        ({}, (UNKNOWN, "")),
        ([], (UNKNOWN, "")),
        ({"code": 7}, (UNKNOWN, "")),
    ],
)
def test_errors_of_entries_come_in_several_shapes(error: Any, fate: tuple[Outcome, str]) -> None:
    assert place(failed_entry(1) | {"error": error})[0] == fate


def test_a_refusal_that_counts_contracts_all_the_same_is_unknown() -> None:
    for counts in ({"fill_count": "1.00"}, {"remaining_count": "10.00"}):
        assert place(failed_entry(1) | counts)[0] == (UNKNOWN, "invalid_order")
    assert place(failed_entry(1) | {"fill_count": "0.00", "remaining_count": "0.00"})[0][0] is REFUSED


def test_what_is_said_about_a_refusal_is_kept() -> None:
    entry = failed_entry(1, "invalid_order", "post only cross")
    (failed,) = scripted(FakeReply(201, {"orders": [entry]})).exchange.place(ABC[:1]).failed
    assert (failed.request, failed.message) == (ABC[0], "invalid_order post only cross")


ENTRIES = st.lists(
    st.one_of(
        st.builds(placed_entry, st.integers(1, 4)),
        st.builds(
            failed_entry, st.one_of(st.none(), st.integers(1, 4)), st.sampled_from(["invalid_order", "new"])
        ),
        st.sampled_from([None, {}, []]),
    ),
    max_size=5,
)


@given(ENTRIES)
def test_under_any_answer_every_order_has_one_fate_and_only_named_orders_are_placed(
    entries: list[Any],
) -> None:
    result = scripted(FakeReply(201, {"orders": entries})).exchange.place(ABC)
    assert set(fates(result)) == {request.client_order_id for request in ABC}
    assert all(placed.order_id[-1] == placed.request.client_order_id[-1] for placed in result.placed)


def test_one_order_too_goes_as_a_batch_with_everything_that_routes_and_guards_it() -> None:
    bot = scripted(FakeReply(201, {"orders": [placed_entry()]}), subaccount=3)
    bot.exchange.place(ABC[:1])
    assert bot.adapter.targets() == ["POST /trade-api/v2/portfolio/events/orders/batched"]
    ((entry,),) = [body["orders"] for body in bot.adapter.bodies()]
    assert (entry["post_only"], entry["exchange_index"], entry["subaccount"]) == (True, 2, 3)


# --- cancels ----------------------------------------------------------------------------------------------


def test_cancels_are_matched_by_order_id_and_reduced_by_is_taken_as_reported() -> None:
    entries = [
        cancelled_entry(3, reduced_by="9.00"),
        cancelled_entry(1),
        cancelled_entry(2, reduced_by="0.00"),
    ]
    result = scripted(FakeReply(200, {"orders": entries})).exchange.cancel(CANCELS)
    assert [(c.request.order_id, c.reduced_by, c.ts_ms) for c in result.succeeded] == [
        ("order-1", 700, NOW_MS + 1), ("order-2", 0, NOW_MS + 2), ("order-3", 900, NOW_MS + 3),
    ]  # fmt: skip


def refused_cancel(number: int, code: str, reduced_by: Any = "0.00") -> dict[str, Any]:
    error = {"code": code, "message": code, "details": ""}
    return {"order_id": f"order-{number}", "reduced_by": reduced_by, "ts_ms": None, "error": error}


@pytest.mark.parametrize("code", ["not_found", "MARKET_INACTIVE", "exchange_is_paused", "permission_denied"])
def test_a_refused_cancel_says_why(code: str) -> None:
    assert cancel(refused_cancel(1, code), cancelled_entry(2))[:2] == [(REFUSED, code), (DONE, "")]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (refused_cancel(1, "new_code"), "new_code"),
        (refused_cancel(1, "not_found", "3.00"), "not_found"),
        (without(cancelled_entry(1), "reduced_by"), "answer_invalid"),
        (cancelled_entry(1, reduced_by=None), "answer_invalid"),
        (cancelled_entry(1, reduced_by=7), "answer_invalid"),
        (cancelled_entry(1, reduced_by="-1.00"), "answer_invalid"),
        (cancelled_entry(1, ts_ms=None), "answer_invalid"),
        (cancelled_entry(1, client_order_id="dora-9"), "answer_invalid"),
        (cancelled_entry(1, order_id="order-9"), "not_named_in_answer"),
        (without(cancelled_entry(1), "order_id"), "not_named_in_answer"),
        (None, "not_named_in_answer"),
    ],
)
def test_a_cancel_without_a_sound_answer_of_its_own_is_unknown(entry: Any, code: str) -> None:
    assert cancel(cancelled_entry(3), cancelled_entry(2), entry) == [(UNKNOWN, code), (DONE, ""), (DONE, "")]


def test_a_cancel_answered_twice_is_unknown() -> None:
    assert cancel(cancelled_entry(1), cancelled_entry(1))[0] == (UNKNOWN, "not_named_in_answer")


def test_a_cancel_batch_is_a_delete_with_a_body_that_routes_every_entry() -> None:
    bot = scripted(FakeReply(200, {"orders": []}), subaccount=3)
    bot.exchange.cancel(CANCELS[:1])
    assert bot.adapter.targets() == ["DELETE /trade-api/v2/portfolio/events/orders/batched"]
    assert bot.adapter.bodies() == [
        {"orders": [{"order_id": "order-1", "market_ticker": TICKER, "exchange_index": 2, "subaccount": 3}]}
    ]


# --- decreases ----------------------------------------------------------------------------------------

DECREASED = {
    "order_id": "order-1",
    "client_order_id": "dora-1",
    "remaining_count": "5.00",
    "ts_ms": NOW_MS + 1,
}


def test_a_decrease_names_the_count_to_reach_and_reports_the_count_reached() -> None:
    bot = scripted(FakeReply(200, DECREASED | {"remaining_count": "4.50"}), subaccount=3)
    result = bot.exchange.decrease(DECREASE)
    assert (result.outcome, result.remaining, result.ts_ms) == (DONE, 450, NOW_MS + 1)
    assert bot.adapter.targets() == ["POST /trade-api/v2/portfolio/events/orders/order-1/decrease"]
    assert bot.adapter.queries() == [[("subaccount", "3")]]
    assert bot.adapter.bodies() == [{"reduce_to": "5.00", "market_ticker": TICKER, "exchange_index": 2}]


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": "order-9"},
        {"order_id": None},
        {"client_order_id": "dora-9"},
        {"remaining_count": None},
        {"remaining_count": "-1"},
        {"ts_ms": None},
    ],
)
def test_a_decrease_answered_for_another_order_or_in_part_is_unknown(changes: dict[str, Any]) -> None:
    result = scripted(FakeReply(200, DECREASED | changes)).exchange.decrease(DECREASE)
    assert (result.outcome, result.code) == (UNKNOWN, "answer_invalid")
