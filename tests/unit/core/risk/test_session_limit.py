"""The session's contract limit is never passed, whatever fills, and is reached to the contract."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dora.core.accounts.ledger import Position
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.requests import TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.facts import RiskFacts
from dora.core.risk.session_limit import contracts_free, contracts_matched, used_up
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import CONTRACT, Count
from tests.support.examples import EVENT, NOW, config, contracts, dollars, event, limits, market, target

TICKERS = ("KXA-26NOV21-T1", "KXA-26NOV21-T2", "KXA-26NOV21-T3")
SLOTS = tuple(Slot(ticker, side) for ticker in TICKERS for side in Side)


def session(limit: int, traded_at_start: int = 0) -> SessionMetadata:
    return SessionMetadata(
        session_id="s1",
        status=SessionStatus.ACTIVE,
        created_at_ms=NOW,
        contracts_limit=Count(limit),
        traded_at_start=Count(traded_at_start),
    )


def order(slot: Slot, count: int, name: str = "", **changes: Any) -> TrackedOrder:
    values: dict[str, Any] = {
        "client_order_id": f"{slot.ticker}-{slot.side}-{name}",
        "slot": slot,
        "shard": 0,
        "price": Count(4600 if slot.side is Side.BID else 5400),
        "count": Count(count),
        "remaining": Count(count),
        "state": OrderState.LIVE,
        "sent_ms": NOW,
    }
    return TrackedOrder(**{**values, **changes})


def facts(free: int | None, orders: tuple[TrackedOrder, ...] = ()) -> RiskFacts:
    """Markets with room for everything but the session's contracts."""
    return RiskFacts(
        limits=limits(max_event_loss=dollars("100000"), max_total_loss=dollars("100000")),
        markets={ticker: market(ticker=ticker) for ticker in TICKERS},
        configs={t: config(ticker=t, max_position=contracts("9000")) for t in TICKERS},
        events={EVENT: event()},
        positions={},
        orders=orders,
        external=(),
        cash={0: dollars("100000")},
        contracts_free=None if free is None else Count(free),
    )


def wanted(slot: Slot, count: str) -> TargetOrder:
    return target(slot.side, "0.46" if slot.side is Side.BID else "0.54", count)._replace(slot=slot)


ALL = [wanted(slot, "10") for slot in SLOTS]


# --- what counts ------------------------------------------------------------------------------------------


def test_booked_fills_and_proven_unbooked_fills_are_matched() -> None:
    half = order(SLOTS[0], 1_000, remaining=Count(400))
    gone = order(SLOTS[1], 1_000, remaining=Count(0), reduced=Count(300), state=OrderState.CLOSED)

    assert contracts_matched(session(9_000, 5_000), Count(5_500), [half, gone]) == 500 + 600 + 700


def test_a_fill_is_counted_once_from_order_to_proof_to_book() -> None:
    resting = order(SLOTS[0], 1_000)
    proven = resting._replace(remaining=Count(0), state=OrderState.CLOSED)
    booked = proven._replace(booked=Count(1_000))

    free = [
        contracts_free(session(3_000), Count(traded), [seen])
        for seen, traded in ((resting, 0), (proven, 0), (booked, 1_000))
    ]
    assert free == [2_000] * 3


def test_an_open_order_counts_in_full_whether_proven_or_not() -> None:
    for state in OrderState:
        free = contracts_free(session(3_000), Count(0), [order(SLOTS[0], 1_000, state=state)])
        assert free == (3_000 if state is OrderState.CLOSED else 2_000)


def test_a_session_with_less_than_one_contract_left_is_used_up() -> None:
    assert [used_up(session(1_000), Count(matched)) for matched in (900, 901, 1_000, 1_100)] == [
        False,
        True,
        True,
        True,
    ]


# --- what is placed ----------------------------------------------------------------------------------------


def test_the_tail_of_the_placements_is_refused_and_the_last_order_is_cut_to_what_is_left() -> None:
    result = apply_caps(ALL, facts(2_550))

    assert [own.count for own in result.kept] == [1_000, 1_000, 500]
    assert [why for _, why in result.cut] == [Reason.SESSION_CAP]
    assert [why for _, why in result.refused] == [Reason.SESSION_CAP] * 3


def test_without_a_session_no_contract_limit_applies() -> None:
    assert len(apply_caps(ALL, facts(None)).kept) == len(SLOTS)


def test_an_order_and_its_replacement_count_once_so_a_used_up_limit_keeps_what_rests() -> None:
    resting = order(SLOTS[0], 400)
    result = apply_caps(ALL, facts(0, (resting,)))

    assert [(own.slot, own.count) for own in result.kept] == [(SLOTS[0], 400)]


def test_an_order_of_unknown_fate_leaves_its_slot_no_second_claim() -> None:
    unknown = order(SLOTS[0], 400, state=OrderState.PENDING_NEW)

    assert apply_caps([wanted(SLOTS[0], "10")], facts(0, (unknown,))).kept == ()


@st.composite
def books(draw: st.DrawFn) -> tuple[tuple[TrackedOrder, ...], list[TargetOrder]]:
    states = st.sampled_from([OrderState.LIVE, OrderState.LIVE, OrderState.PENDING_NEW, OrderState.NOT_FOUND])
    ours = []
    for number, slot in enumerate(draw(st.lists(st.sampled_from(SLOTS), max_size=5))):
        count = draw(st.integers(1, 2_000))
        left = draw(st.integers(1, count))
        ours.append(order(slot, count, str(number), remaining=Count(left), state=draw(states)))
    slots = draw(st.sets(st.sampled_from(SLOTS)))
    return tuple(ours), [wanted(slot, str(draw(st.integers(1, 10)))) for slot in sorted(slots)]


@given(books(), st.integers(0, 8_000))
def test_whatever_fills_of_the_admitted_the_limit_is_not_passed(
    case: tuple[tuple[TrackedOrder, ...], list[TargetOrder]], spare: int
) -> None:
    """All that is open or admitted fills: a slot holds its order or, once that is gone, its target."""
    ours, targets = case
    claimed = contracts_matched(session(0), Count(0), ours) + sum(own.remaining for own in ours)
    limit = claimed + spare
    kept = apply_caps(targets, facts(contracts_free(session(limit), Count(0), ours), ours)).kept

    after = claimed
    for own in kept:
        live = [o for o in ours if o.slot == own.slot and o.state is OrderState.LIVE]
        after += max(own.count - sum(o.remaining for o in live), 0)
    assert after <= limit
    assert all(own.count % CONTRACT == 0 for own in kept)


class Venue:
    """What truly rests and fills, and what the bot's journal and ledger have learned of it."""

    def __init__(self, limit: int) -> None:
        self.session = session(limit * CONTRACT)
        self.resting = dict[Slot, int]()
        self.known = dict[Slot, TrackedOrder]()
        self.past: list[TrackedOrder] = []
        self.filled = self.traded = self.sent = 0

    @property
    def journal(self) -> tuple[TrackedOrder, ...]:
        return (*self.known.values(), *self.past)

    def place(self) -> None:
        free = contracts_free(self.session, Count(self.traded), self.journal)
        targets = [own for own in ALL if own.slot not in self.known]
        for own in apply_caps(targets, facts(free, self.journal)).kept:
            self.sent += 1
            self.known[own.slot] = order(own.slot, own.count, str(self.sent))
            self.resting[own.slot] = own.count

    def take(self, slot: Slot, contracts_: int) -> None:
        taken = min(contracts_ * CONTRACT, self.resting.get(slot, 0))
        self.filled += taken
        if taken:
            self.resting[slot] -= taken

    def cancel(self, slot: Slot) -> None:
        """Confirmed: what was not taken off was filled."""
        if slot in self.known:
            gone, left = self.known.pop(slot), Count(self.resting.pop(slot))
            self.past.append(gone._replace(remaining=Count(0), reduced=left, state=OrderState.CLOSED))

    def see(self, slot: Slot) -> None:
        """Its row is read."""
        left = self.resting.get(slot)
        if left is not None:
            self.known[slot] = self.known[slot]._replace(remaining=Count(left))
        if left == 0:
            self.past.append(self.known.pop(slot)._replace(state=OrderState.CLOSED))
            del self.resting[slot]

    def book(self, slot: Slot) -> None:
        """Its fills are read and booked, those of its past orders too; its row may still be an old one."""
        if slot in self.known:
            self.known[slot] = self._booked(self.known[slot], self.resting[slot])
        self.past = [self._booked(own, 0) if own.slot == slot else own for own in self.past]

    def _booked(self, own: TrackedOrder, left: int) -> TrackedOrder:
        filled = Count(own.count - own.reduced - left)
        self.traded += filled - own.booked
        return own._replace(booked=filled)


STEPS = st.tuples(
    st.sampled_from(["place", "take", "take", "see", "book", "cancel"]),
    st.sampled_from(SLOTS),
    st.integers(1, 12),
)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 80), st.lists(STEPS, max_size=60))
def test_no_order_of_fills_cancels_and_late_reads_passes_the_limit_and_all_filled_it_is_met_exactly(
    limit: int, steps: list[tuple[str, Slot, int]]
) -> None:
    venue = Venue(limit)
    for what, slot, contracts_ in steps:
        if what == "place":
            venue.place()
        elif what == "take":
            venue.take(slot, contracts_)
        else:
            getattr(venue, what)(slot)
        assert venue.filled <= venue.session.contracts_limit

    while not used_up(venue.session, contracts_matched(venue.session, Count(venue.traded), venue.journal)):
        for slot in SLOTS:
            venue.take(slot, limit)
            venue.see(slot)
            venue.book(slot)
        venue.place()
    assert venue.filled == venue.session.contracts_limit


def test_positions_of_earlier_sessions_do_not_count() -> None:
    held = Position(ticker=TICKERS[0], shard=0, traded=Count(70_000))
    assert contracts_matched(session(5_000, 70_000), held.traded, ()) == 0
