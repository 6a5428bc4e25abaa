"""Request bodies and query parameters, with the refusals their malformations earn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .units import COUNT_DECIMALS, PRICE_DECIMALS, TooPreciseError, parse_fixed
from .wire import Refusal, Request, bad_query

Fields = Mapping[str, type]

CREATE: Fields = {
    "ticker": str,
    "client_order_id": str,
    "side": str,
    "count": str,
    "price": str,
    "expiration_time": int,
    "time_in_force": str,
    "post_only": bool,
    "self_trade_prevention_type": str,
    "cancel_order_on_pause": bool,
    "reduce_only": bool,
    "subaccount": int,
    "order_group_id": str,
    "exchange_index": int,
}
CREATE_REQUIRED = ("ticker", "side", "count", "price", "time_in_force", "self_trade_prevention_type")
CANCEL: Fields = {"order_id": str, "subaccount": int, "exchange_index": int, "market_ticker": str}
AMEND: Fields = {
    "ticker": str,
    "side": str,
    "price": str,
    "count": str,
    "client_order_id": str,
    "updated_client_order_id": str,
    "expiration_time": int,
    "exchange_index": int,
}
DECREASE: Fields = {"reduce_by": str, "reduce_to": str, "exchange_index": int, "market_ticker": str}
GROUP: Fields = {"subaccount": int, "contracts_limit": int, "contracts_limit_fp": str, "exchange_index": int}
TRANSFER: Fields = {
    "client_transfer_id": str,
    "source": str,
    "destination": str,
    "amount": int,
    "source_exchange_shard": int,
    "destination_exchange_shard": int,
    "source_subaccount": int,
    "destination_subaccount": int,
}
BATCH: Fields = {"orders": list}
ALLOCATION: Fields = {"allocations": list, "resting_margin_reservation": str}

_GO_NAMES = {str: "string", int: "int64", bool: "bool", list: "slice"}
_JSON_NAMES = {str: "string", int: "number", float: "number", bool: "bool", list: "array", dict: "object"}


def parse_body(request: Request, *, needs_type: bool) -> dict[str, Any]:
    """The JSON object of a request; an absent body is an empty object."""
    is_json = request.header("Content-Type").lower().startswith("application/json")
    if needs_type and not is_json:
        raise Refusal(400, "invalid_content_type")
    if not request.body:
        return {}
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refusal(400, "bad_request", "invalid character in JSON", shape="flat") from None
    if not isinstance(body, dict):
        raise _wrong_type(body, "request", "object")
    return body


def fields_of(body: dict[str, Any], struct: str, fields: Fields, *, refuse_unknown: bool) -> dict[str, Any]:
    """Fields of the right JSON type, nulls left out; the wrong type refuses the whole body."""
    for name, value in body.items():
        wanted = fields.get(name)
        if wanted is None:
            if refuse_unknown:
                raise Refusal(400, "bad_request", f'json: unknown field "{name}"', shape="flat")
        elif value is not None and type(value) is not wanted:
            raise _wrong_type(value, f"{struct}.{name}", _GO_NAMES[wanted])
    return {name: value for name, value in body.items() if value is not None and name in fields}


def require(fields: dict[str, Any], names: tuple[str, ...]) -> None:
    """Refuse when a required field is missing or empty."""
    missing = [name for name in names if fields.get(name) in (None, "")]
    if missing:
        raise Refusal(400, "missing_parameters", ", ".join(missing))


def one_of(value: str, allowed: tuple[str, ...], name: str) -> str:
    if value not in allowed:
        raise Refusal(400, "invalid_parameters", name)
    return value


def price_e4(text: str) -> int:
    try:
        return parse_fixed(text, PRICE_DECIMALS)
    except TooPreciseError:
        decimals = len(text.partition(".")[2])
        raise Refusal(400, "invalid_order", f"invalid price: invalid dollar precision: -{decimals}") from None
    except ValueError:
        raise Refusal(400, "invalid_parameters", "price") from None


def count_e2(text: str) -> int:
    try:
        return parse_fixed(text, COUNT_DECIMALS)
    except TooPreciseError:
        raise Refusal(400, "invalid_order_size") from None
    except ValueError:
        raise Refusal(400, "invalid_parameters", "count") from None


class Query:
    """Query parameters of one call."""

    def __init__(self, operation: str, pairs: list[tuple[str, str]]) -> None:
        self._operation = operation
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        return self._values.get(name, [""])[0]

    def repeated(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def comma(self, name: str) -> list[str]:
        """A comma-separated list; empty when absent."""
        return [part for part in self.text(name).split(",") if part]

    def flag(self, name: str) -> bool | None:
        text = self.text(name).lower()
        return None if not text else text in ("true", "1")

    def number(self, name: str, default: int | None = None) -> int | None:
        text = self.text(name)
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            raise self.bad(name, "numeric") from None

    def limit(self, *, most: int, least: int = 1, default: int = 100) -> int:
        """Page size within bounds; 0 means the default where it is allowed."""
        asked = self.number("limit")
        value = default if asked is None else asked
        if value > most:
            raise self.bad("limit", "lte")
        if value < least:
            raise self.bad("limit", "gte")
        return value or default

    def bad(self, name: str, tag: str) -> Refusal:
        return bad_query(self._operation, name.title().replace("_", ""), tag)


def _wrong_type(value: object, where: str, wanted: str) -> Refusal:
    got = _JSON_NAMES.get(type(value), "null")
    text = f"json: cannot unmarshal {got} into Go struct field {where} of type {wanted}"
    return Refusal(400, "bad_request", text, shape="flat")
