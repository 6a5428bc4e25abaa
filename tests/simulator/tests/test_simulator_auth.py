"""Who may ask: signatures, clocks and the routes that need neither."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.simulator.exchange import Request
from tests.simulator.knobs import Knobs
from tests.simulator.wire import PREFIX
from tests.support.simulator_desk import TICKER, Desk, public_pem

BALANCE = "/portfolio/balance"


def refused(desk: Desk, request: Request) -> tuple[int, str]:
    reply = desk.exchange.handle(request)
    return reply.status, reply.body.decode()


def without(request: Request, name: str) -> Request:
    return replace(request, headers={key: value for key, value in request.headers.items() if key != name})


@pytest.mark.parametrize("skew_ms", [-20_000, -5_000, 0, 5_000, 20_000])
def test_a_timestamp_within_the_window_is_accepted(skew_ms: int) -> None:
    desk = Desk()
    assert desk.exchange.handle(desk.signed("GET", BALANCE, skew_ms=skew_ms)).status == 200


@pytest.mark.parametrize("skew_ms", [-20_001, 20_001, -30_000, 300_000])
def test_a_timestamp_outside_the_window_is_expired(skew_ms: int) -> None:
    desk = Desk()
    status, body = refused(desk, desk.signed("GET", BALANCE, skew_ms=skew_ms))
    assert status == 401
    assert "header_timestamp_expired" in body


def test_the_clock_window_is_a_knob() -> None:
    desk = Desk(Knobs(clock_skew_ms=1_000))
    assert refused(desk, desk.signed("GET", BALANCE, skew_ms=-1_001))[0] == 401
    assert refused(desk, desk.signed("GET", BALANCE, skew_ms=-999))[0] == 200


@pytest.mark.parametrize("name", ["KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"])
def test_a_missing_header_is_named(name: str) -> None:
    desk = Desk()
    status, body = refused(desk, without(desk.signed("GET", BALANCE), name))
    assert (status, "signature_is_missing_from_headers" in body) == (401, True)


def test_an_unknown_key_and_a_wrong_signature_are_told_apart() -> None:
    desk = Desk()
    request = desk.signed("GET", BALANCE)
    stranger = replace(request, headers={**request.headers, "KALSHI-ACCESS-KEY": "nobody"})
    forged = replace(
        request, headers={**request.headers, "KALSHI-ACCESS-SIGNATURE": base64.b64encode(b"x" * 64).decode()}
    )
    garbled = replace(request, headers={**request.headers, "KALSHI-ACCESS-SIGNATURE": "not base64!"})
    assert "NOT_FOUND" in refused(desk, stranger)[1]
    for request in (forged, garbled):
        assert "INCORRECT_API_KEY_SIGNATURE" in refused(desk, request)[1]


def test_the_query_is_not_signed_and_the_method_and_path_are() -> None:
    desk = Desk()
    request = desk.signed("GET", BALANCE)
    assert refused(desk, replace(request, query=[("subaccount", "0")]))[0] == 200
    assert refused(desk, replace(request, path=f"{PREFIX}/portfolio/fills"))[0] == 401


def test_header_names_are_read_in_any_case() -> None:
    desk = Desk()
    request = desk.signed("GET", BALANCE)
    shouted = replace(request, headers={key.lower(): value for key, value in request.headers.items()})
    assert refused(desk, shouted)[0] == 200


def test_rsa_pss_with_a_salt_of_32_bytes_signs_and_other_salts_do_not() -> None:
    key = rsa.generate_private_key(65537, 2048)
    desk = Desk()
    desk.exchange.add_member(key_id="rsa", public_key_pem=public_pem(key), cash_e6={0: 1})

    def ask(salt_bytes: int) -> int:
        stamp = str(desk.clock.now_ms())
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt_bytes)
        signature = key.sign(f"{stamp}GET{PREFIX}{BALANCE}".encode(), pss, hashes.SHA256())
        headers = {
            "KALSHI-ACCESS-KEY": "rsa",
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }
        return desk.exchange.handle(Request("GET", PREFIX + BALANCE, headers=headers)).status

    assert ask(32) == 200
    assert ask(20) == 401


@pytest.mark.parametrize(
    "path",
    [
        "/exchange/status",
        "/exchange/schedule",
        "/exchange/user_data_timestamp",
        "/markets",
        "/markets/trades",
        f"/markets/{TICKER}",
        f"/markets/{TICKER}/orderbook",
        "/series/SRAIN",
        "/series/fee_changes",
        "/events",
        "/events/RAIN",
        "/events/fee_changes",
        "/account/endpoint_costs",
        "/historical/cutoff",
    ],
)
def test_public_routes_need_no_signature(path: str) -> None:
    assert Desk().exchange.handle(Request("GET", PREFIX + path)).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/portfolio/balance"),
        ("GET", "/portfolio/orders"),
        ("GET", "/portfolio/fills"),
        ("GET", "/account/limits"),
        ("GET", "/portfolio/order_groups"),
        ("POST", "/portfolio/events/orders"),
        ("DELETE", "/portfolio/events/orders"),
        ("GET", "/historical/fills"),
    ],
)
def test_private_routes_need_one(method: str, path: str) -> None:
    assert Desk().exchange.handle(Request(method, PREFIX + path)).status == 401


def test_the_life_of_a_signature_is_a_knob() -> None:
    desk = Desk(Knobs(signature_life_ms=5_000))
    held = desk.signed("GET", BALANCE)
    desk.clock.advance_ms(5_001)
    assert desk.exchange.release(held).status == 401


def test_a_held_request_is_good_for_its_signatures_life_and_no_longer() -> None:
    desk = Desk()
    held = desk.signed("POST", "/portfolio/events/orders", body=desk.order())
    late = desk.signed("POST", "/portfolio/events/orders", body=desk.order())
    desk.clock.advance_ms(60_000)
    assert desk.exchange.handle(held).status == 401
    assert desk.exchange.release(held).status == 201
    desk.clock.advance_ms(1)
    assert desk.exchange.release(late).status == 401


def test_an_unknown_path_and_a_url_too_long() -> None:
    desk = Desk()
    assert desk.call("GET", "/nothing/here").status == 404
    assert desk.exchange.handle(Request("GET", f"{PREFIX}/markets", [("tickers", "A" * 8_200)])).status == 414
