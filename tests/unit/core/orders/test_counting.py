"""What is decided from the orders that still count is what would be decided from all of them."""

from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.risk.caps import apply_caps
from dora.core.risk.session_limit import contracts_free
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import Count, Price, TimeMs
from tests.support.diff_cases import view
from tests.support.examples import NOW, TICKER, target
from tests.support.risk_cases import OTHER, facts

SESSION = SessionMetadata(
    session_id="s1", status=SessionStatus.ACTIVE, created_at_ms=NOW, contracts_limit=Count(50_000)
)


@st.composite
def orders(draw: st.DrawFn) -> list[TrackedOrder]:
    """In every state; ended ones too whose fills are booked, or not, or in part."""
    made = []
    for number in range(draw(st.integers(0, 6))):
        state = draw(st.sampled_from(OrderState))
        count, filled = draw(st.sampled_from([1_000, 2_500])), draw(st.sampled_from([0, 300, 1_000]))
        remaining = 0 if state is OrderState.CLOSED else count - filled
        side = draw(st.sampled_from(Side))
        made.append(
            TrackedOrder(
                client_order_id=f"c-{number}",
                slot=Slot(draw(st.sampled_from([TICKER, OTHER])), side, draw(st.integers(0, 1))),
                shard=0,
                price=Price(4_400 if side is Side.BID else 5_600),
                count=Count(count),
                remaining=Count(remaining),
                state=state,
                sent_ms=TimeMs(0),
                reduced=Count(count - remaining - filled),
                booked=Count(draw(st.integers(0, filled))),
            )
        )
    return made


def found_from(found: ReconciledOrders) -> tuple[object, ...]:
    ours = tuple(found.journal.orders.values())
    wanted = [target(Side.BID, "0.44", "10"), target(Side.ASK, "0.56", "25", ticker=OTHER)]
    return (
        found.resting_by_ticker(),
        contracts_free(SESSION, Count(0), ours),
        apply_caps(wanted, facts(orders=ours)),
    )


@given(orders())
def test_what_has_ended_and_is_booked_changes_nothing(all_of_them: list[TrackedOrder]) -> None:
    found = view(all_of_them)
    assert found_from(found.counting()) == found_from(found)


@given(orders())
def test_only_that_is_left_out(all_of_them: list[TrackedOrder]) -> None:
    found = view(all_of_them)
    left = found.counting().journal
    assert left == Journal({o.client_order_id: o for o in all_of_them if o.open or o.unbooked})
    assert found.journal.orders.keys() == {o.client_order_id for o in all_of_them}, (
        "the journal is kept whole"
    )
