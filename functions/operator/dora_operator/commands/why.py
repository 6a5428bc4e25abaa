"""`why TICKER`: the decision on one market explained, step by step, from what its cycle saw."""

import re

import click

from dora.core.calendar import parse_time
from dora.core.cycle_record import CycleRecord
from dora.core.errors import NumberInvalid
from dora.core.units import TimeMs
from dora_operator.desk import Desk, command, pairs, table
from dora_operator.explanation import UnknownMarketError, explanation
from dora_operator.failures import Exit, OperatorError
from dora_operator.figure import shown
from dora_operator.logs import run_query
from dora_operator.reading import Reading

_TICKER = re.compile(r"[A-Za-z0-9._-]{1,80}")
_LOG_MINUTES = 24 * 60
_LAST_DECISION = """
filter event_type = "DECISION_MADE" and market = "TICKER"
| fields @timestamp, skip_reason, fair_value, reservation_price, targets, clip_reasons, decision_id, cycle_id
| sort @timestamp desc
| limit 1
"""


@command("why")
@click.argument("ticker")
@click.option("--at", default="", help="A time in UTC, 2026-11-21T14:05:00Z; without it the latest cycle.")
def why(desk: Desk, ticker: str, at: str) -> None:
    """How one market's quotes came about, step by step.

    From the archive. Where that holds decisions alone, what was decided is shown and not from what; where
    nothing is archived, what the log told last of the market.
    """
    reading = Reading(desk.target)
    record = next(reading.cycles(_time(at) if at else reading.now_ms), None)
    if record is None and not at and _from_the_log(desk, ticker):
        return
    if record is None:
        raise OperatorError(
            "no cycle is archived at or before that time",
            "is the parameter Archive on? `dora query decision --id ...` asks the log instead",
            Exit.NEGATIVE,
        )
    if record.seen is None:
        _decision_alone(desk, record, ticker)
        return
    try:
        tables = explanation(record.seen, record.decided, ticker)
    except UnknownMarketError as error:
        raise OperatorError(str(error), "`dora config export` shows what is configured") from None
    data = {own.title: [dict(zip(own.columns, row, strict=True)) for row in own.rows] for own in tables}
    drawn = [table(own.title, own.columns, [tuple(map(shown, row)) for row in own.rows]) for own in tables]
    desk.show({"cycle": record.cycle_id, **data}, f"{ticker}, cycle {record.cycle_id}", *drawn)


def _time(text: str) -> TimeMs:
    try:
        return parse_time(text)
    except NumberInvalid as error:
        raise OperatorError(str(error), "write it like 2026-11-21T14:05:00Z", Exit.USAGE) from None


def _from_the_log(desk: Desk, ticker: str) -> bool:
    """What the log told last of this market, where no cycle is archived; False where it told nothing."""
    if not _TICKER.fullmatch(ticker):
        return False
    rows = run_query(desk.target, _LAST_DECISION.replace("TICKER", ticker), own_id="", minutes=_LOG_MINUTES)
    if rows:
        told = [(name, value) for name, value in rows[0].items() if value not in (None, "")]
        desk.show(rows[0], pairs(f"{ticker}: nothing is archived; what the log told last of it", told))
    return bool(rows)


def _decision_alone(desk: Desk, record: CycleRecord, ticker: str) -> None:
    own = next((own for own in record.decided.decisions if own.ticker == ticker), None)
    if own is None:
        raise OperatorError(f"cycle {record.cycle_id} decided nothing on {ticker}")
    rows = [
        ("cycle", record.cycle_id),
        ("quoted", f"no: {own.skip}" if own.skip else f"{len(own.targets)} slots"),
        ("fair value", own.fair_value),
        (
            "left out",
            "; ".join(f"{slot.side} {slot.level} {reason}" for slot, reason in own.dropped) or "nothing",
        ),
    ]
    told = [(name, f"{cell:.4f}" if isinstance(cell, float) else cell) for name, cell in rows]
    desk.show(dict(rows), pairs(f"{ticker}: the archive holds decisions alone", told))
