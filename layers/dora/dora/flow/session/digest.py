"""The daily digest: what is told, and that a day is told once."""

from collections.abc import Iterator, Mapping
from functools import reduce

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.calendar import day_start_ms, exchange_day
from dora.core.digest import Digest, subject_of, text_of
from dora.core.ports import Ports
from dora.core.units import TimeMs
from dora.flow.session.status import NOBODY_TOLD, Response, status

NEAR_LIMIT_PERCENT = 80

_WARNED = {
    "orders_unresolved": "orders of unknown fate, older than three cycles",
    "unproven_orders": "orders whose fate is not proven yet",
    "drift": "positions that the exchange counts otherwise",
    "positions_unmarked": "positions without a price: profit is not known whole",
    "dropped": "orders that tokens or time did not reach for in the last cycle",
}
"""Figures of the status that are 0 while all is well."""


def digest(ports: Ports) -> Response:
    """Tell whoever subscribed how the day before went. Answers with the text.

    Safe to repeat: yes, a day is told once; what was not taken (StateUnavailable) is not told again.
    """
    now_ms = ports.clock.now_ms()
    today_ms = day_start_ms(now_ms)
    told = _digest(ports, today_ms)
    answer: Response = {"day": told.day, "text": text_of(told).splitlines()}
    if ports.notices is None:
        return {"status": "nobody told", "reason": NOBODY_TOLD, **answer}
    first = ports.notices.tell_once(today_ms, subject_of(told), text_of(told))
    return {"status": "told" if first else "told before", **answer}


def _digest(ports: Ports, today_ms: TimeMs) -> Digest:
    day = exchange_day(TimeMs(today_ms - 1))
    found = status(ports)
    state = ports.state.load()
    record = ports.state.summary(state.progress.cycle_id) if state.progress.cycle_id else None
    known, stood_still = record or {}, state.progress.completed_ms < today_ms
    blank = ProfitRow(day=day, ticker="", strategy="", session_id="")
    return Digest(
        day=day,
        earned=reduce(ProfitRow.plus, ports.state.profit_rows(day), blank),
        today=None if stood_still else _text(known, "day_pnl_dollars"),
        positions={own.ticker: f"{own.net / 100:.2f}" for own in state.positions.values() if own.net},
        worst_loss=_text(known, "worst_loss_dollars"),
        worst_loss_cap=_text(known, "worst_loss_cap_dollars"),
        markets=_whole(known, "markets"),
        quoted=_whole(known, "markets_quoted"),
        warnings=tuple(_warnings(found, stood_still)),
    )


def _warnings(found: Response, stood_still: bool) -> Iterator[str]:
    if stood_still:
        yield "no cycle was completed since the exchange's midnight: the day before has no last marks"
    reasons = found["why_not_quoting"]
    if isinstance(reasons, list) and reasons:
        yield f"nothing is quoted: {', '.join(reasons)}"
    for name, what in _WARNED.items():
        count = found.get(name)
        if isinstance(count, int) and count:
            yield f"{count} {what}"
    lost = found.get("loss_limit_percent")
    if isinstance(lost, int) and lost >= NEAR_LIMIT_PERCENT:
        yield f"{lost} percent of a loss limit are lost"
    refused = found.get("refused_markets")
    if isinstance(refused, list) and refused:
        yield f"{len(refused)} markets whose orders are refused"


def _text(record: Mapping[str, object], name: str) -> str | None:
    value = record.get(name)
    return None if value is None else str(value)


def _whole(record: Mapping[str, object], name: str) -> int | None:
    value = record.get(name)
    return value if isinstance(value, int) else None
