"""What a cycle saw and decided, as one value for the archive; and the same decided from it again."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from dora.core.cycle_record import Asked, CycleRecord, Decided, Done, Loaded, Seen
from dora.core.exchange.market import Book, Side
from dora.core.exchange.public_data import PublicData
from dora.core.failures import told
from dora.core.incentives.programs import PROGRAMS, rewarded
from dora.core.orders.journal import Journal, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.ports import Ports
from dora.core.quoting.fair_value import LEVELS
from dora.flow.cycle.choose import choose
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.cycle.execute import Execution
from dora.flow.cycle.inputs import Choice, Inputs, net_positions, waits_of
from dora.flow.cycle.public_data import read_public
from dora.flow.cycle.purchase import bought
from dora.flow.cycle.recent_trades import skip_likely_filled

Entry = TypeVar("Entry")

Places = Mapping[str, int]
"""The place of each order in `Seen.orders`, by client order id."""


class Basis(NamedTuple):
    """What a cycle's choice was made from."""

    inputs: Inputs
    triggered: frozenset[str]
    asked: Asked = Asked()


class Finished(NamedTuple):
    """A cycle that is over, but for its archive."""

    context: CycleContext
    loaded: LoadedState
    basis: Basis
    choice: Choice
    execution: Execution
    record: Mapping[str, object]
    """The `CYCLE` line, and profit by market."""


def archive(ports: Ports, finished: Finished) -> None:
    """The archive is for later questions: a cycle is complete without it, whatever goes wrong here."""
    context = finished.context
    try:
        if ports.clock.now_ms() >= context.deadline_ms:
            raise TimeoutError("no time is left for it")
        public = read_public(ports, context, finished.loaded)
        record = partial(cycle_record, finished, dry_run=ports.dry_run, public=public)
        ports.archive.save(context.cycle_id, record)
    except Exception as error:
        ports.facts.emit("ERROR", what="archive of the cycle", why=told(error))


def cycle_record(finished: Finished, *, dry_run: bool, public: PublicData | None = None) -> CycleRecord:
    """The cycle as one value. Pure."""
    basis = finished.basis
    orders = _told(finished)
    places = _places(orders)
    return CycleRecord(
        cycle_id=finished.context.cycle_id,
        began_ms=finished.context.began_ms,
        dry_run=dry_run,
        loaded=_loaded(finished.loaded, basis.inputs, places),
        seen=_seen(basis, orders, places),
        asked=basis.asked,
        decided=_decided(finished.choice, places),
        done=_done(finished, basis.inputs),
        public=public,
    )


def decide_again(seen: Seen, asked: Asked) -> Decided:
    """What the core decides from the same facts, and the part of the plan that the same tokens buy. Pure."""
    inputs = inputs_of(seen)
    choice = choose(inputs, seen.triggered).choice
    if asked.tapes is not None:
        spared = skip_likely_filled(choice.plan, inputs.view.journal, asked.tapes, asked.since_ms)
        choice = choice._replace(plan=spared)
    plan = bought(inputs, choice, asked.tokens, asked.most_places)
    return _decided(choice._replace(plan=plan), _places(seen.orders))


def inputs_of(seen: Seen) -> Inputs:
    """The inputs as the cycle had them, without what reconciliation told of how it came by them."""
    names = list(seen.orders)
    view = ReconciledOrders(
        journal=Journal(seen.orders),
        external=seen.external,
        frozen=seen.frozen,
        blocked=seen.blocked,
        resolutions=(),
        shown=frozenset(names[place] for place in seen.shown),
    )
    return Inputs(
        now_ms=seen.now_ms,
        globals_=seen.globals_,
        wanted=seen.wanted,
        reference=seen.reference,
        snapshot=seen.snapshot,
        view=view,
        positions=seen.positions,
        nets=net_positions(seen.positions, view),
        permission=seen.permission,
        memory=seen.memory,
        session=seen.session,
        events=seen.events,
        waits=waits_of(seen.memory),
        limits=seen.limits,
    )


def _told(finished: Finished) -> dict[str, TrackedOrder]:
    """The journal without what had ended and was booked before, and of which no read showed anything.

    Nothing is decided by those orders, and most of a journal is of them: earlier objects tell their ends.
    """
    before, view = finished.loaded.state.journal.orders, finished.basis.inputs.view
    counting = view.counting().journal.orders
    return {
        name: order
        for name, order in view.journal.orders.items()
        if name in counting or name in view.shown or _differs(before.get(name), order)
    }


def _seen(basis: Basis, orders: Mapping[str, TrackedOrder], places: Places) -> Seen:
    inputs, view = basis.inputs, basis.inputs.view
    return Seen(
        now_ms=inputs.now_ms,
        globals_=inputs.globals_,
        wanted=inputs.wanted,
        reference=inputs.reference,
        snapshot=replace(inputs.snapshot, books=_cut(inputs)),
        orders=orders,
        shown=tuple(sorted(places[name] for name in view.shown)),
        external=view.external,
        frozen=view.frozen,
        blocked=view.blocked,
        positions=inputs.positions,
        permission=inputs.permission,
        memory=inputs.memory,
        session=inputs.session,
        limits=inputs.limits,
        triggered=basis.triggered,
        events=inputs.events,
    )


def _cut(inputs: Inputs) -> dict[str, Book]:
    """The books as deep as quoting looks: it takes our account's own orders off before it counts levels.

    Where a program is scored it looks at all that was read.
    """
    own = inputs.view.resting_by_ticker()
    whole = rewarded(inputs.wanted) if PROGRAMS in inputs.memory else ()
    cut: dict[str, Book] = {}
    for ticker, book in inputs.snapshot.books.items():
        if ticker in whole:
            cut[ticker] = book
            continue
        sides = [side for side, _, _ in own.get(ticker, ())]
        bids, asks = (LEVELS + sides.count(side) for side in Side)
        cut[ticker] = Book(book.ticker, book.bids[:bids], book.asks[:asks])
    return cut


def _loaded(loaded: LoadedState, inputs: Inputs, places: Places) -> Loaded:
    state = loaded.state
    orders, new_orders = _before(state.journal.orders, inputs.view.journal.orders)
    positions, new_positions = _before(state.positions, inputs.positions)
    return Loaded(
        globals_=loaded.configs.globals_,
        series=tuple(
            replace(series, template={key: str(value) for key, value in series.template.items()})
            for series in loaded.configs.series.values()
        ),
        problems=tuple(map(str, loaded.configs.problems)),
        orders=orders,
        new_orders=tuple(places[name] for name in new_orders),
        plans=state.plans,
        positions=positions,
        new_positions=new_positions,
        cursors=state.cursors,
        progress=state.progress,
        control=state.control,
        limits=state.limits,
    )


def _before(
    before: Mapping[str, Entry], after: Mapping[str, Entry]
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Entries as they were that are others now or gone, and the names of new ones."""
    changed = [own for name, own in before.items() if (now := after.get(name)) is not own and now != own]
    return tuple(changed), tuple(name for name in after if name not in before)


def _decided(choice: Choice, places: Places) -> Decided:
    plan = choice.plan
    return Decided(
        decisions=choice.decisions,
        failed=choice.failed,
        kept=tuple(places[order.client_order_id] for order in plan.kept),
        decreases=plan.decreases,
        extends=plan.extends,
        cancels=plan.cancels,
        places=plan.places,
        withheld=plan.withheld,
        why={name: str(why) for name, why in plan.why.items()},
    )


def _done(finished: Finished, inputs: Inputs) -> Done:
    execution, before = finished.execution, inputs.view.journal.orders
    return Done(
        orders=tuple(o for name, o in execution.journal.orders.items() if _differs(before.get(name), o)),
        codes=execution.tally.codes,
        stopped=execution.stopped,
        record=finished.record,
    )


def _differs(before: TrackedOrder | None, after: TrackedOrder) -> bool:
    return before is not after and before != after


def _places(orders: Mapping[str, TrackedOrder]) -> Places:
    return {name: place for place, name in enumerate(orders)}
