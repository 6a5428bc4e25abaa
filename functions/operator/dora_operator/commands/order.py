"""`order ID`: what the journal holds of one order, and every line of its life."""

import click

from dora.core.calendar import format_time
from dora.core.orders.journal import TrackedOrder
from dora.core.units import format_count, format_price
from dora_operator.desk import Desk, command, pairs, table
from dora_operator.failures import OperatorError
from dora_operator.log_lines import Row
from dora_operator.logs import run_query, saved_queries
from dora_operator.reading import Reading

COLUMNS = ("time", "event", "what", "decision")


@command("order")
@click.argument("own_id", metavar="ID")
@click.option("--hours", default=24.0, show_default=True, help="How far back the log is asked.")
def order(desk: Desk, own_id: str, hours: float) -> None:
    """The life of one order.

    ID is its client order id or the exchange's order id. The log is asked by the saved query order-life.
    """
    orders = Reading(desk.target).state.journal.orders.values()
    own = next((order for order in orders if own_id in (order.client_order_id, order.order_id)), None)
    text = saved_queries(desk.target)["order-life"]
    ids = [own_id] if own is None else [own.client_order_id, own.order_id or own.client_order_id]
    rows = _life([row for one in dict.fromkeys(ids) for row in _found(desk, text, one, hours)])
    if own is None and not rows:
        raise OperatorError(
            f"no order {own_id} in the journal, nor in the log of the last {hours:g} h",
            f"look further back: --hours {3 * hours:g}",
        )
    lines = [[_at(row), row["event_type"], _what(row), row.get("decision_id") or ""] for row in rows]
    facts = _facts(own) if own else [("journal", "holds it no longer")]
    desk.show({"journal": dict(facts), "life": rows}, pairs(own_id, facts), table("", COLUMNS, lines))


def _found(desk: Desk, text: str, own_id: str, hours: float) -> list[Row]:
    return run_query(desk.target, text, own_id=own_id, minutes=int(hours * 60))


def _life(rows: list[Row]) -> list[Row]:
    """Each line once, in order."""
    once = {(row["@timestamp"], row["event_type"], row.get("entry"), row.get("state")): row for row in rows}
    return sorted(once.values(), key=lambda row: str(row["@timestamp"]))


def _at(row: Row) -> str:
    return str(row["@timestamp"])


def _what(row: Row) -> str:
    """The part of a batch's line that is this order's, or the fields of a line of its own."""
    if row.get("entry"):
        return str(row["entry"]).strip()
    names = ("market", "side", "price", "size", "fee", "reason", "outcome", "error_code", "state", "evidence")
    return " ".join(str(row[name]) for name in names if row.get(name) not in (None, ""))


def _facts(own: TrackedOrder) -> list[tuple[str, object]]:
    counts = f"{format_count(own.count)} wanted, {format_count(own.remaining)} left"
    return [
        ("market", f"{own.slot.ticker} {own.slot.side}, level {own.slot.level}"),
        ("price", format_price(own.price)),
        ("contracts", counts),
        ("state", f"{own.state}, last write {format_time(own.write_ms)}" if own.write_ms else str(own.state)),
        ("order id", own.order_id or "not known"),
        ("client order id", own.client_order_id),
        ("decision", own.decision_id or "none: found in no journal"),
        ("expires", format_time(own.expires_ms) if own.expires_ms else "never"),
    ]
