"""Error answers of the exchange: their four envelopes, and which codes are a definite no."""

from collections.abc import Mapping

from dora.core.errors import AuthRefused, ExchangeRefused, RateLimited
from dora.core.exchange.error_codes import GROUP_NOT_FOUND, GROUP_TRIPPED
from dora.edge.kalshi.wire import load_json

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, REQUEST_TIMEOUT, TOO_MANY_REQUESTS = 401, 403, 404, 408, 429
CLIENT_ERRORS, SERVER_ERRORS = 400, 500

ALREADY_EXISTS = "order_already_exists"
"""An earlier attempt with this client order id landed: the opposite of a refusal."""

DEFINITE_REFUSALS = (
    GROUP_NOT_FOUND
    | GROUP_TRIPPED
    | {
        # the request itself
        "bad_request",
        "invalid_parameters",
        "missing_parameters",
        "invalid_order",
        "invalid_price",
        "invalid_order_size",
        "order_id_and_client_order_id_mismatch",
        "order_side_mismatch",
        "order_ticker_mismatch",
        "permission_denied",
        "too_many_requests",
        # nothing there, or no longer
        "market_not_found",
        "MARKET_NOT_FOUND",
        "user_not_found",
        # closed or paused
        "MARKET_INACTIVE",
        "market_closed",
        "trading_is_paused",
        "exchange_is_paused",
        # cash
        "insufficient_balance",
        "insufficient_shard_balance",
        "available_balance_too_low",
        # immediate orders
        "fill_or_kill_insufficient_resting_volume",
    }
)
"""Codes after which nothing rests and nothing will. Any other code of a batch entry leaves it unknown."""


PLAIN_REFUSALS = frozenset({400, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, 410, 422, TOO_MANY_REQUESTS})
"""Statuses that refuse whatever the exchange's own code: an unknown code on a 4xx is a refusal. Not a 409,
which also answers a repeat of an order that came, nor the others, which are words of what lies in between."""


def is_refusal(error: ExchangeRefused) -> bool:
    """Whether a 4xx means that nothing of the write it answers was or will be done.

    Source: the exchange's page on order errors, "treat an unknown code on a 4xx as refused", held to the
    statuses of which that is certain. Safe to repeat: yes, because it only judges.
    """
    if not error.own or error.code == ALREADY_EXISTS:
        return False
    return error.status in PLAIN_REFUSALS or error.code in DEFINITE_REFUSALS


def refusal(status: int, body: bytes) -> ExchangeRefused:
    """The error of a 4xx answer, whatever its body looks like."""
    code, message, details = read_body(body)
    own = is_error(_json(body), status)
    if status == TOO_MANY_REQUESTS:
        return RateLimited(status, code or "too_many_requests", message, details, own=own)
    if status in {UNAUTHORIZED, FORBIDDEN}:
        return AuthRefused(status, code, message, details, own=own)
    return ExchangeRefused(status, code, message, details, own=own)


def is_error(content: object, status: int = 0) -> bool:
    """Whether a body is one of the exchange's envelopes of an error.

    `{"error": {"code": ..}}`, `{"code": ..}`, `{"msg": ..}`; a text under `error` only with a 429, or when it
    is a code that the exchange is known to use: gateways word their own errors like that.
    """
    if not isinstance(content, Mapping):
        return False
    error = content.get("error")
    if isinstance(error, str):
        return status == TOO_MANY_REQUESTS or _code(error) in DEFINITE_REFUSALS
    told = content if error is None else error
    return isinstance(told, Mapping) and any(isinstance(told.get(part), str) for part in ("code", "msg"))


def read_body(body: bytes) -> tuple[str, str, str]:
    """Code, message and details of an error answer; the body itself as message when it is not JSON."""
    content = _json(body)
    if content is None:
        return "", body[:200].decode(errors="replace"), ""
    if isinstance(content, Mapping) and content.get("error") is not None:
        return read_error(content["error"])
    return read_error(content)


def _json(body: bytes) -> object:
    """None for what is not JSON."""
    try:
        return load_json(body)
    except (ValueError, RecursionError):
        return None


def read_error(error: object) -> tuple[str, str, str]:
    """Code, message and details of an error: an object with a code, one with a bare `msg`, or text."""
    if isinstance(error, str):
        return _code(error), error, ""
    if not isinstance(error, Mapping):
        return "", repr(error)[:200], ""
    message = error.get("message") or error.get("msg") or ""
    return _code(error.get("code")), str(message), str(error.get("details") or "")


def _code(word: object) -> str:
    """`user_not_found:_<id>` and `invalid order` have been seen for `user_not_found` and `invalid_order`."""
    return word.split(":")[0].strip().replace(" ", "_") if isinstance(word, str) else ""
