"""Which quotes go although nothing may be placed: by their price after fees, or by their age without one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.fees import FREE, FeeTerms
from dora.core.exchange.market import Side
from dora.core.orders.danger import Pricing, exposed, is_dangerous, removable
from dora.core.orders.evidence import EXPIRY_MARGIN_MS
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.slot_plan import SlotPlan, cancel_request, with_cancels
from dora.core.quoting.ladder import NANO
from dora.core.reasons import CancelReason
from dora.core.units import ONE_DOLLAR, Count, Price, TimeMs
from tests.support.journal_cases import LATER, SLOT, WRITE, tracked

HALF = NANO // 2
MAKER = FeeTerms(7_000_000, 1_750_000)
MAX_AGE_MS = 300_000


def quote(side: Side, price: int, **changes: object) -> TrackedOrder:
    return tracked(slot=SLOT._replace(side=side), price=Price(price), **changes)


@pytest.mark.parametrize(
    ("side", "price", "fees", "dangerous"),
    [
        (Side.BID, 5_000, FREE, False),
        (Side.BID, 5_100, FREE, True),
        (Side.ASK, 5_000, FREE, False),
        (Side.ASK, 4_900, FREE, True),
        (Side.BID, 4_900, FREE, False),
        (Side.BID, 4_998, MAKER, True),  # the fee of 10 contracts is half a cent
        (Side.BID, 4_900, MAKER, False),
        (Side.ASK, 5_002, MAKER, True),
        (Side.ASK, 5_100, MAKER, False),
        (Side.BID, 5_000, None, False),
        (Side.BID, 5_100, None, True),
    ],
)
def test_a_quote_is_dangerous_whose_fill_would_lose_money_at_todays_fair_value(
    side: Side, price: int, fees: FeeTerms | None, dangerous: bool
) -> None:
    assert is_dangerous(quote(side, price), Pricing(HALF, fees)) is dangerous


@given(st.integers(1, ONE_DOLLAR - 1), st.integers(1, NANO - 1), st.integers(1, 10_000))
def test_both_sides_of_one_price_are_never_both_harmless_once_fees_are_paid(
    price: int, fair_e9: int, count: int
) -> None:
    pricing = Pricing(fair_e9, MAKER)
    sides = [is_dangerous(quote(side, price, count=Count(count)), pricing) for side in Side]

    assert any(sides)


def names(orders: tuple[TrackedOrder, ...]) -> list[str]:
    return [order.client_order_id for order in orders]


@pytest.mark.parametrize(("age_ms", "goes"), [(MAX_AGE_MS, False), (MAX_AGE_MS + 1, True)])
def test_what_has_no_price_goes_when_its_last_write_is_too_long_ago(age_ms: int, goes: bool) -> None:
    order = quote(Side.BID, 9_900)
    found = exposed([order], {}, TimeMs(WRITE + age_ms), MAX_AGE_MS)

    assert (names(found.unpriced), found.dangerous) == (names((order,)) if goes else [], ())


@pytest.mark.parametrize(("age_ms", "goes"), [(MAX_AGE_MS, False), (MAX_AGE_MS + 1, True)])
def test_what_has_a_price_goes_by_its_age_too_where_its_quotes_cannot_be_computed(
    age_ms: int, goes: bool
) -> None:
    order, pricing = quote(Side.BID, 4_000), {SLOT.ticker: Pricing(HALF, FREE)}
    found = exposed([order], pricing, TimeMs(WRITE + age_ms), MAX_AGE_MS, priced_age_too=True)

    assert (names(found.unpriced), found.dangerous) == (names((order,)) if goes else [], ())


def test_what_has_a_price_goes_by_its_price_alone() -> None:
    old, high = quote(Side.BID, 4_000), quote(Side.BID, 6_000, client_order_id="high")
    pricing = {SLOT.ticker: Pricing(HALF, FREE)}

    found = exposed([old, high], pricing, TimeMs(WRITE + 10 * MAX_AGE_MS), MAX_AGE_MS)
    assert (names(found.dangerous), found.unpriced) == (["high"], ())


@pytest.mark.parametrize(
    ("order", "shown", "acknowledged", "removable_"),
    [
        (tracked(), True, False, True),
        (tracked(), False, False, False),
        (tracked(), False, True, True),
        (tracked(order_id=None), True, True, False),
        (tracked(OrderState.PENDING_CHANGE), True, True, False),
        (tracked(OrderState.NOT_FOUND), True, True, False),
        (tracked(OrderState.PENDING_NEW), False, True, False),
        (tracked(expires_ms=TimeMs(LATER + EXPIRY_MARGIN_MS)), True, True, False),
    ],
)
def test_only_live_orders_are_removed_and_those_a_row_shows_unless_all_reads_are_behind(
    order: TrackedOrder, shown: bool, acknowledged: bool, removable_: bool
) -> None:
    view = ReconciledOrders(
        journal=Journal().with_orders([order]),
        external=(),
        frozen=frozenset(),
        blocked=frozenset(),
        resolutions=(),
        shown=frozenset({order.client_order_id} if shown else ()),
    )
    assert bool(removable(view, LATER, by_acknowledgement=acknowledged)) is removable_


def test_an_order_that_is_taken_off_is_neither_kept_nor_changed_and_is_cancelled_once() -> None:
    gone, stays = tracked(), tracked(client_order_id="two", order_id="o-2")
    plan = SlotPlan(kept=(gone, stays), decreases=(), cancels=(), places=(), withheld=())

    once = with_cancels(plan, [gone], CancelReason.DANGEROUS)
    assert (once.kept, once.cancels) == ((stays,), (cancel_request(gone),))
    assert once.why == {gone.client_order_id: "dangerous"}
    assert with_cancels(once, [gone], CancelReason.UNPRICED) == once
