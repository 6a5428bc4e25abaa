"""A look at the public tape before a cancel, when the reads of our own orders lag.

A cancel of an order that filled in the meantime answers 404 and proves nothing. So while reads are late,
an order that a public trade may have filled is left alone until its own row says what became of it. But not
where it must not rest (`MUST_GO`): an order that is missing costs its market some cycles, a fill costs money.
"""

from collections.abc import Iterable, Mapping

from dora.core.cycle_record import Asked
from dora.core.exchange.market import Trade
from dora.core.exchange.pacing import READ_COST
from dora.core.orders.journal import Journal
from dora.core.orders.reconciliation import maybe_filled
from dora.core.orders.requests import CancelRequest, DecreaseRequest
from dora.core.orders.slot_plan import SlotPlan
from dora.core.ports import Ports
from dora.core.reasons import CancelReason, Reason
from dora.core.units import TimeMs
from dora.flow.cycle.inputs import Choice, Inputs
from dora.flow.shared.reads import LONGEST_WAIT_MS, Reader, paced

MOST_TAPES = 30
"""Markets looked up in one cycle; the cancels of further ones go without a look."""
MUST_GO = frozenset({CancelReason.DANGEROUS, CancelReason.UNPRICED})
"""Cancels that no public trade holds back."""


LONGEST_TAPE_MS = 10 * 60_000
"""Public trades further back are not asked for, however late the reads of our orders are."""

Tapes = Mapping[str, tuple[Trade, ...]]


def after_the_tape(ports: Ports, inputs: Inputs, choice: Choice) -> tuple[Choice, Asked]:
    """Late reads may show orders that are gone: those that the tape puts in doubt are not cancelled.

    Only while placing is allowed: what goes although nothing may be placed must not rest on.
    """
    now_ms, as_of_ms = ports.clock.now_ms(), inputs.snapshot.as_of_ms
    if now_ms - as_of_ms <= inputs.globals_.tape_after_ms:
        return choice, Asked()
    since_ms = TimeMs(max(as_of_ms, now_ms - LONGEST_TAPE_MS))
    tapes = read_tapes(ports, choice.plan, since_ms)
    plan = skip_likely_filled(choice.plan, inputs.view.journal, tapes, since_ms)
    return choice._replace(plan=plan), Asked(tapes=tapes, since_ms=since_ms)


def skip_likely_filled(plan: SlotPlan, journal: Journal, tapes: Tapes, since_ms: TimeMs) -> SlotPlan:
    """The plan without writes to orders that may have filled since their rows were true. Pure."""
    optional = _optional_cancels(plan)
    writes: tuple[CancelRequest | DecreaseRequest, ...] = (*optional, *plan.decreases)
    doubtful = {
        r.client_order_id
        for r in writes
        if r.ticker in tapes and maybe_filled(journal.orders[r.client_order_id], tapes[r.ticker], since_ms)
    }
    spared = {journal.orders[r.client_order_id].slot for r in optional if r.client_order_id in doubtful}
    return plan._replace(
        cancels=tuple(r for r in plan.cancels if r.client_order_id not in doubtful),
        decreases=tuple(r for r in plan.decreases if r.client_order_id not in doubtful),
        places=tuple(place for place in plan.places if place.slot not in spared),
        withheld=(*plan.withheld, *((slot, Reason.SLOT_UNRESOLVED) for slot in sorted(spared))),
    )


def _optional_cancels(plan: SlotPlan) -> list[CancelRequest]:
    return [r for r in plan.cancels if plan.why.get(r.client_order_id) not in MUST_GO]


def read_tapes(ports: Ports, plan: SlotPlan, since_ms: TimeMs) -> Tapes:
    """Prints by ticker; a tape that could not be read is absent, and its orders are not spared."""
    writes: Iterable[CancelRequest | DecreaseRequest] = (*_optional_cancels(plan), *plan.decreases)
    tickers = sorted({request.ticker for request in writes})[:MOST_TAPES]
    until_ms, prints = TimeMs(ports.clock.now_ms() + LONGEST_WAIT_MS), ports.exchange.trades_since
    with Reader(ports.workers) as reader:
        some = paced(ports, "read", tickers, READ_COST, until_ms)
        reads = {ticker: reader.start(f"tape of {ticker}", prints, ticker, since_ms) for ticker in some}
        tapes = {ticker: read.result() for ticker, read in reads.items()}
    for name, why in reader.failures.items():
        ports.facts.emit("ERROR", what=name, why=why)
    return {ticker: tape for ticker, tape in tapes.items() if tape is not None}
