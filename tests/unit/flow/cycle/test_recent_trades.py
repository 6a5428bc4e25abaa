"""Which public trades put an order in doubt, and which cancels they hold back."""

from types import SimpleNamespace
from typing import Any

import pytest

from dora.core.exchange.market import Side, Trade
from dora.core.orders.journal import Journal
from dora.core.orders.reconciliation import TRADE_CLOCK_MARGIN_MS, maybe_filled
from dora.core.orders.slot_plan import SlotPlan, cancel_request
from dora.core.reasons import CancelReason
from dora.core.units import Price, TimeMs
from dora.flow.cycle.recent_trades import read_tapes, skip_likely_filled
from tests.support.journal_cases import LATER, SLOT, WRITE, tracked
from tests.support.kalshi_fakes import FakeFacts
from tests.support.ticking_clock import Clock
from tests.world.one_by_one import OneByOne

ORDER = tracked()
AT_ITS_PRICE = Trade(SLOT.ticker, Side.BID, Price(4_400), LATER)


@pytest.mark.parametrize(
    ("at_ms", "since_ms", "doubtful"),
    [
        (WRITE - TRADE_CLOCK_MARGIN_MS - 1, 0, False),
        (WRITE - TRADE_CLOCK_MARGIN_MS, 0, True),
        (LATER, 0, True),
        (LATER, LATER, True),
        (LATER, LATER + 1, False),
    ],
)
def test_a_trade_from_before_our_last_write_to_an_order_says_nothing_of_it(
    at_ms: int, since_ms: int, doubtful: bool
) -> None:
    found = Trade(SLOT.ticker, Side.BID, Price(4_400), TimeMs(at_ms))

    assert maybe_filled(ORDER, [found], TimeMs(since_ms)) is doubtful


@pytest.mark.parametrize(
    ("why", "goes"),
    [
        (CancelReason.DANGEROUS, True),
        (CancelReason.UNPRICED, True),
        (CancelReason.REPRICED, False),
        (CancelReason.NOT_WANTED, False),
    ],
)
def test_a_trade_holds_back_no_cancel_of_what_must_not_rest(why: CancelReason, goes: bool) -> None:
    exchange = SimpleNamespace(trades_since=lambda _ticker, _since_ms: (AT_ITS_PRICE,))
    limiter = SimpleNamespace(reserve=lambda _bucket, costs, now_ms, _until_ms: (now_ms,) * len(costs))
    ports: Any = SimpleNamespace(
        clock=Clock(), workers=OneByOne(), exchange=exchange, limiter=limiter, facts=FakeFacts()
    )
    cancel = cancel_request(ORDER)
    plan = SlotPlan(
        kept=(), decreases=(), cancels=(cancel,), places=(), withheld=(), why={cancel.client_order_id: why}
    )
    tapes = read_tapes(ports, plan, WRITE)
    after = skip_likely_filled(plan, Journal().with_orders([ORDER]), tapes, WRITE)

    assert after.cancels == ((cancel,) if goes else ())
