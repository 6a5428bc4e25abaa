"""What became of every order of a write: done, refused, or unknown. Never a guess.

An answer counts for an order only when it names that order and holds together: created orders by our client
order id, cancelled and decreased ones by order id. Everything else leaves the order unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from dora.core.errors import ExchangeError, ExchangeRefused, WireInvalid
from dora.core.orders.requests import (
    PROBE_COUNT,
    BatchCancelResult,
    BatchPlaceResult,
    CancelledOrder,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    ExtendRequest,
    FailedOrder,
    IdProbe,
    IdProbeRequest,
    OrderRequest,
    Outcome,
    PlacedOrder,
)
from dora.core.units import Count, TimeMs, parse_count
from dora.edge.kalshi.error_codes import ALREADY_EXISTS, DEFINITE_REFUSALS, is_refusal, read_error
from dora.edge.kalshi.transport import NotSent
from dora.edge.kalshi.wire import JsonObject, integer, name, text

Request = TypeVar("Request", OrderRequest, CancelRequest)
Done = TypeVar("Done")
_Read = Callable[[Request, JsonObject], Done | FailedOrder]

NOT_SENT = "not_sent"
UNANSWERED = "unanswered"
NOT_NAMED = "not_named_in_answer"
ANSWER_INVALID = "answer_invalid"
"""Codes where the exchange gave none."""

_FOREIGN = "?"
_NO_CONTRACTS = (None, "0.00", "0")
_UNNAMED = ChangeResult(Outcome.UNKNOWN, NOT_NAMED, "no entry of the answer is surely about this order")


def outcome_of(error: ExchangeError) -> ChangeResult:
    """What the failure of a request means for every order in it: the exchange's code, or one of the four."""
    if isinstance(error, ExchangeRefused):
        outcome = Outcome.REFUSED if is_refusal(error) else Outcome.UNKNOWN
        code = error.code or f"http_{error.status}"
        return ChangeResult(outcome, code, f"{error.message} {error.details}".strip())
    if isinstance(error, NotSent):
        return ChangeResult(Outcome.REFUSED, NOT_SENT, str(error))
    code = ANSWER_INVALID if isinstance(error, WireInvalid) else UNANSWERED
    return ChangeResult(Outcome.UNKNOWN, code, str(error))


def _outcome_of_entry(error: object, counts: Iterable[object]) -> ChangeResult:
    """A definite refusal, unless the code is not known as one or the entry counts contracts all the same."""
    code, message, details = read_error(error)
    definite = code in DEFINITE_REFUSALS and all(count in _NO_CONTRACTS for count in counts)
    outcome = Outcome.REFUSED if definite else Outcome.UNKNOWN
    return ChangeResult(outcome, code, f"{message} {details}".strip())


def _failed(request: OrderRequest | CancelRequest, why: ChangeResult) -> FailedOrder:
    return FailedOrder(request=request, code=why.code, message=why.message, outcome=why.outcome)


def _id_in(entry: JsonObject, key: str) -> str | None:
    """The id that an entry names; what cannot be read names somebody else."""
    try:
        return entry.optional(key, text) or None
    except WireInvalid:
        return _FOREIGN


# --- created ---------------------------------------------------------------------------------------


def placed_result(requests: Sequence[OrderRequest], answer: JsonObject) -> BatchPlaceResult:
    """Every order of an answered create batch. Raises WireInvalid when the answer has no list of entries."""
    entries = answer.rows("orders")
    by_id = _assigned(requests, entries)
    order_ids = [_id_in(row, "order_id") for row in entries]
    results = (_placed_or_not(r, by_id.get(r.client_order_id), order_ids) for r in requests)
    return BatchPlaceResult(*_by_outcome(results, PlacedOrder))


def placed_failure(requests: Sequence[OrderRequest], error: ExchangeError) -> BatchPlaceResult:
    """Every order of a create batch that failed as a whole."""
    return BatchPlaceResult(*_by_outcome((_failed(r, outcome_of(error)) for r in requests), PlacedOrder))


def _by_outcome(
    results: Iterable[Done | FailedOrder], done: type[Done]
) -> tuple[tuple[Done, ...], tuple[FailedOrder, ...], tuple[FailedOrder, ...]]:
    """Done, refused and unknown, each in the order of the requests."""
    orders = list(results)
    failed = [order for order in orders if isinstance(order, FailedOrder)]
    return (
        tuple(order for order in orders if isinstance(order, done)),
        tuple(order for order in failed if order.outcome is Outcome.REFUSED),
        tuple(order for order in failed if order.outcome is Outcome.UNKNOWN),
    )


def _judged(request: Request, entry: JsonObject | None, read: _Read[Request, Done]) -> Done | FailedOrder:
    """What an entry says of a request; unknown where there is none, or it is not understood."""
    if entry is None:
        return _failed(request, _UNNAMED)
    try:
        return read(request, entry)
    except WireInvalid as error:
        return _failed(request, outcome_of(error))


def _assigned(requests: Sequence[OrderRequest], entries: Sequence[JsonObject]) -> dict[str, JsonObject]:
    """Which entry speaks of which client order id: never by position alone, for the order is not promised.

    An entry that names no id is used only when every order has an entry and just as many are left without
    one: when a single one is left, or when all that are left were refused, so that whose is whose does not
    matter.
    """
    names = [_id_in(row, "client_order_id") for row in entries]
    ids = [request.client_order_id for request in requests]
    found = {own: row for own, row in zip(names, entries, strict=True) if own and names.count(own) == 1}
    left = [ours for ours in ids if ours not in names]
    nameless = [row for own, row in zip(names, entries, strict=True) if own is None]
    complete = len(entries) == len(ids) and len(left) == len(nameless)
    if complete and (len(left) == 1 or all(map(_is_refused, nameless))):
        found |= zip(left, nameless, strict=True)
    return found


def _is_refused(entry: JsonObject) -> bool:
    error = entry.optional("error", _as_it_is)
    return error is not None and _outcome_of_create(entry, error).outcome is Outcome.REFUSED


def _placed_or_not(
    request: OrderRequest, entry: JsonObject | None, order_ids: Sequence[str | None]
) -> PlacedOrder | FailedOrder:
    placed = _judged(request, entry, _placed)
    if isinstance(placed, PlacedOrder) and order_ids.count(placed.order_id) > 1:
        return _failed(request, _UNNAMED)
    return placed


def _placed(request: OrderRequest, entry: JsonObject) -> PlacedOrder | FailedOrder:
    error = entry.optional("error", _as_it_is)
    if error is not None:
        return _failed(request, _outcome_of_create(entry, error))
    placed = PlacedOrder(
        request=request,
        order_id=entry.field("order_id", name),
        remaining=entry.field("remaining_count", parse_count),
        filled=entry.field("fill_count", parse_count),
        ts_ms=TimeMs(entry.field("ts_ms", integer)),
    )
    if min(placed.remaining, placed.filled) < 0 or placed.remaining + placed.filled > request.count:
        raise entry.invalid("remaining_count", "these counts cannot be of this order")
    return placed


def _outcome_of_create(entry: JsonObject, error: object) -> ChangeResult:
    return _outcome_of_entry(
        error, [entry.optional(key, _as_it_is) for key in ("fill_count", "remaining_count")]
    )


def _as_it_is(value: object) -> object:
    return value


# --- cancelled and decreased -------------------------------------------------------------------------


def cancelled_result(requests: Sequence[CancelRequest], answer: JsonObject) -> BatchCancelResult:
    """Every order of an answered cancel batch. Raises WireInvalid when the answer has no list of entries."""
    entries = answer.rows("orders")
    order_ids = [_id_in(row, "order_id") for row in entries]
    by_id: Mapping[str | None, JsonObject] = {
        own: row for own, row in zip(order_ids, entries, strict=True) if order_ids.count(own) == 1
    }
    results = (_judged(r, by_id.get(r.order_id), _cancelled) for r in requests)
    return BatchCancelResult(*_by_outcome(results, CancelledOrder))


def cancelled_failure(requests: Sequence[CancelRequest], error: ExchangeError) -> BatchCancelResult:
    """Every order of a cancel batch that failed as a whole."""
    return BatchCancelResult(*_by_outcome((_failed(r, outcome_of(error)) for r in requests), CancelledOrder))


def _cancelled(request: CancelRequest, entry: JsonObject) -> CancelledOrder | FailedOrder:
    error = entry.optional("error", _as_it_is)
    if error is not None:
        return _failed(request, _outcome_of_entry(error, [entry.optional("reduced_by", _as_it_is)]))
    _check_client_id(entry, request.client_order_id)
    return CancelledOrder(
        request=request,
        reduced_by=entry.field("reduced_by", _not_negative),
        ts_ms=TimeMs(entry.field("ts_ms", integer)),
    )


def decreased(request: DecreaseRequest, answer: JsonObject) -> ChangeResult:
    """An answered decrease. Raises WireInvalid when the answer is about another order."""
    _check_order(request, answer)
    return _changed(answer, answer.field("remaining_count", _not_negative))


def extended(request: ExtendRequest, answer: JsonObject) -> ChangeResult:
    """An answered amend of the expiry, which names a remaining count only where that has changed.

    Raises WireInvalid when the answer is about another order.
    """
    _check_order(request, answer)
    remaining = answer.optional("remaining_count", _not_negative)
    return _changed(answer, request.remaining if remaining is None else remaining)


def _changed(answer: JsonObject, remaining: Count) -> ChangeResult:
    return ChangeResult(Outcome.DONE, remaining=remaining, ts_ms=TimeMs(answer.field("ts_ms", integer)))


def _check_order(request: DecreaseRequest | ExtendRequest, answer: JsonObject) -> None:
    if answer.field("order_id", name) != request.order_id:
        raise answer.invalid("order_id", f"asked about {request.order_id}")
    _check_client_id(answer, request.client_order_id)


# --- id probes -------------------------------------------------------------------------------------


def id_probed(request: IdProbeRequest, answer: JsonObject) -> IdProbe | None:
    """The engine took the probe, so the id was free. None when the answer is not surely about this probe.

    Immediate or cancel: nothing rests, whether the answer to a kill says that nothing remains or echoes the
    full count. Filled, the id was free as well; the fill comes with the list of fills.
    """
    if _id_in(answer, "client_order_id") != request.client_order_id or not _id_in(answer, "order_id"):
        return None
    try:
        counts = [answer.field(key, _not_negative) for key in ("fill_count", "remaining_count")]
    except WireInvalid:
        return None
    return IdProbe.GRANTED if sum(counts) <= PROBE_COUNT else None


def id_not_probed(error: ExchangeError) -> IdProbe | None:
    """A probe that was refused; only one code speaks of the id itself."""
    taken = isinstance(error, ExchangeRefused) and error.code == ALREADY_EXISTS
    return IdProbe.TAKEN if taken else None


def _check_client_id(answer: JsonObject, ours: str) -> None:
    # Answers that described another order than the one they acted on have been seen.
    if answer.optional("client_order_id", text) not in (None, "", ours):
        raise answer.invalid("client_order_id", f"asked about {ours}")


def _not_negative(value: str) -> Count:
    count = parse_count(value)
    if count < 0:
        raise ValueError("negative")
    return count
