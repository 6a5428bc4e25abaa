"""The figures that alarms go by: 0 while all is well, and never 0 where something is not known."""

import pytest

from dora.core.exchange.account import ShardStatus
from dora.core.fallbacks import UNLEARNED
from dora.core.health import (
    UNRESOLVED_MS,
    failed_percent,
    quotes_missing,
    stopped_by,
    tokens_of,
    unresolved,
)
from dora.core.orders.journal import OrderState
from dora.core.orders.write_tally import WriteTally
from dora.core.reasons import Reason
from dora.core.session import SessionStatus
from dora.core.state import KillSwitch
from dora.core.units import TimeMs
from tests.support.dynamo_values import session
from tests.support.examples import NOW
from tests.support.journal_cases import tracked

OPEN, PAUSED = (ShardStatus(0, exchange_active=True, trading_active=on) for on in (True, False))


@pytest.mark.parametrize(
    ("state", "age_ms", "count"),
    [
        (OrderState.PENDING_NEW, UNRESOLVED_MS + 1, 1),
        (OrderState.PENDING_CHANGE, UNRESOLVED_MS + 1, 1),
        (OrderState.NOT_FOUND, UNRESOLVED_MS + 1, 1),
        (OrderState.PENDING_NEW, UNRESOLVED_MS, 0),
        (OrderState.LIVE, UNRESOLVED_MS + 1, 0),
        (OrderState.CLOSED, UNRESOLVED_MS + 1, 0),
    ],
)
def test_an_order_of_unknown_fate_counts_once_three_cycles_have_not_proven_it(
    state: OrderState, age_ms: int, count: int
) -> None:
    order = tracked(state, sent_ms=TimeMs(NOW - age_ms), write_ms=TimeMs(0))

    assert unresolved([order], NOW) == count


@pytest.mark.parametrize(
    ("blocked_by", "status", "wanted", "quoted", "missing"),
    [
        (None, {0: OPEN}, 2, 0, True),
        (None, {0: PAUSED, 1: OPEN}, 2, 0, True),
        (Reason.READ_UNKNOWN, None, 2, 0, True),
        (Reason.SESSION_OVER, {0: OPEN}, 2, 0, True),
        (None, {0: PAUSED}, 2, 0, False),
        (None, {0: OPEN}, 2, 1, False),
        (None, {0: OPEN}, 0, 0, False),
        (Reason.HALTED, {0: OPEN}, 2, 0, False),
        (Reason.SESSION_NOT_ACTIVE, {0: OPEN}, 2, 0, False),
    ],
)
def test_quotes_are_missing_where_somebody_expects_them(
    blocked_by: Reason | None,
    status: dict[int, ShardStatus] | None,
    wanted: int,
    quoted: int,
    missing: bool,
) -> None:
    found = quotes_missing(wanted=wanted, quoted=quoted, blocked_by=blocked_by, status=status)

    assert found is missing


def test_what_a_person_stopped_waits_for_nobody() -> None:
    latched = session()._replace(status=SessionStatus.LIMIT_REACHED, reason="session_cap")
    by_risk = KillSwitch(halted=True, reason=Reason.DAILY_LOSS.value)

    assert stopped_by(latched, KillSwitch(), key_refused=False) == "session_cap"
    assert stopped_by(session(), by_risk, key_refused=False) == "daily_loss"
    assert stopped_by(session(), KillSwitch(), key_refused=True) == "auth_refused"
    assert stopped_by(session(), KillSwitch(halted=True, reason="lunch"), key_refused=False) == ""
    assert stopped_by(None, KillSwitch(), key_refused=False) == ""


def test_writes_that_failed_are_a_share_of_the_orders_they_named() -> None:
    tally = WriteTally().after_batch(4, ["cash", "cash", "cash"])

    assert (failed_percent(tally), failed_percent(WriteTally())) == (75, 0)


def test_tokens_are_those_of_the_account() -> None:
    limits = UNLEARNED._replace(cancel_cost=2, create_cost=10, default_cost=10)

    assert tokens_of(3, 2, 1, limits) == 36
