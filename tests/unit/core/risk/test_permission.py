"""May we place? Every switch alone forbids, the most restrictive one wins, and shards are judged apart."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.account import OrderGroup, ShardStatus
from dora.core.reasons import Reason
from dora.core.risk.gates import (
    GROUP_SETTLES_MS,
    PULLS_QUOTES,
    GateInputs,
    Permission,
    closed_switches,
    may_place,
)
from dora.core.session import SessionGroup, SessionMetadata, SessionStatus
from dora.core.state import KillSwitch
from dora.core.units import Count, Money, TimeMs
from tests.support.examples import NOW, limits

SHARDS = (0, 1)
LONG_AGO = TimeMs(NOW - 3_600_000)
BURST = Count(10_000)

SESSION = SessionMetadata(
    session_id="s1",
    status=SessionStatus.ACTIVE,
    created_at_ms=LONG_AGO,
    contracts_limit=Count(500_000),
    order_groups=tuple(
        SessionGroup(group_id=f"g{shard}", shard=shard, tag="maker", burst_limit=BURST) for shard in SHARDS
    ),
)
OPEN = GateInputs(
    globals_=limits(trading_enabled=True),
    control=KillSwitch(),
    session=SESSION,
    account_known=True,
    reads_stale=False,
    auth_refused=False,
    skew_ms=0,
    max_skew_ms=2_000,
    status={shard: ShardStatus(shard, True, True) for shard in SHARDS},
    cash={shard: Money(1) for shard in SHARDS},
    groups=tuple(OrderGroup(f"g{shard}", shard, False, BURST) for shard in SHARDS),
    now_ms=NOW,
)

Switch = Callable[[GateInputs], GateInputs]
SWITCHES: dict[Reason, Switch] = {
    Reason.CONFIG_MISSING: lambda s: s._replace(globals_=None),
    Reason.HALTED: lambda s: s._replace(control=KillSwitch(halted=True)),
    Reason.TRADING_DISABLED: lambda s: s._replace(globals_=limits(trading_enabled=False)),
    Reason.NO_SESSION: lambda s: s._replace(session=None),
    Reason.SESSION_NOT_ACTIVE: lambda s: s._replace(session=SESSION._replace(status=SessionStatus.CLOSING)),
    Reason.SESSION_OVER: lambda s: s._replace(session=(s.session or SESSION)._replace(ends_at_ms=NOW)),
    Reason.AUTH_REFUSED: lambda s: s._replace(auth_refused=True),
    Reason.READ_UNKNOWN: lambda s: s._replace(account_known=False),
    Reason.READ_STALE: lambda s: s._replace(reads_stale=True),
    Reason.CLOCK_SKEW: lambda s: s._replace(skew_ms=-2_001),
}


def test_with_every_switch_open_all_shards_may_trade() -> None:
    assert may_place(OPEN, SHARDS) == Permission(None, {})


@pytest.mark.parametrize("reason", SWITCHES)
def test_each_switch_alone_forbids_every_placement_and_says_why(reason: Reason) -> None:
    assert may_place(SWITCHES[reason](OPEN), SHARDS) == Permission(
        reason, cancel_resting=reason in PULLS_QUOTES
    )


@pytest.mark.parametrize("status", [status for status in SessionStatus if status is not SessionStatus.ACTIVE])
def test_only_an_active_session_quotes(status: SessionStatus) -> None:
    standing = OPEN._replace(session=SESSION._replace(status=status))
    assert may_place(standing, SHARDS).blocked_by is Reason.SESSION_NOT_ACTIVE


@given(st.sets(st.sampled_from(sorted(SWITCHES)), min_size=1))
def test_of_several_closed_switches_one_that_pulls_our_quotes_wins(closed: set[Reason]) -> None:
    standing = OPEN
    for reason in sorted(closed):
        standing = SWITCHES[reason](standing)
    blocked_by = may_place(standing, SHARDS).blocked_by
    assert blocked_by in closed
    assert (blocked_by in PULLS_QUOTES) is bool(closed & PULLS_QUOTES)


@given(st.sets(st.sampled_from(sorted(SWITCHES.keys() - {Reason.NO_SESSION, Reason.TRADING_DISABLED}))))
def test_all_closed_switches_are_named_and_the_first_of_them_is_the_verdict(closed: set[Reason]) -> None:
    """Left out: the two that another one hides (no session has no status, no GLOBAL no flag)."""
    standing = OPEN
    for reason in sorted(closed):
        standing = SWITCHES[reason](standing)
    named = closed_switches(standing)

    assert set(named) == closed
    assert may_place(standing, SHARDS).blocked_by is next(iter(named), None)


@pytest.mark.parametrize(
    ("configured", "asked", "cancel_resting"),
    [(True, False, True), (True, True, True), (False, True, True), (False, False, False)],
)
def test_quotes_are_pulled_where_global_says_so_or_who_halts_asks_for_it(
    configured: bool, asked: bool, cancel_resting: bool
) -> None:
    standing = OPEN._replace(
        globals_=limits(trading_enabled=True, cancel_on_halt=configured),
        control=KillSwitch(halted=True, cancel=asked),
    )
    assert may_place(standing, SHARDS) == Permission(Reason.HALTED, cancel_resting=cancel_resting)


def test_a_lifted_halt_no_longer_asks_for_anything() -> None:
    left = OPEN._replace(control=KillSwitch(halted=False, cancel=True))
    assert may_place(left, SHARDS) == Permission(None)
    closed = left._replace(globals_=limits(trading_enabled=False, cancel_on_halt=False))
    assert may_place(closed, SHARDS) == Permission(Reason.TRADING_DISABLED)


@pytest.mark.parametrize(("skew_ms", "may"), [(2_000, True), (-2_000, True), (2_001, False), (-2_001, False)])
def test_a_clock_is_judged_by_its_distance_either_way(skew_ms: int, may: bool) -> None:
    assert (may_place(OPEN._replace(skew_ms=skew_ms), SHARDS).blocked_by is None) is may


# --- one shard ----------------------------------------------------------------------------------------


def on_shard_1(**changes: object) -> Permission:
    return may_place(OPEN._replace(**changes), SHARDS)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": {0: ShardStatus(0, True, True)}}, Reason.SHARD_CLOSED),
        ({"status": {**OPEN.status, 1: ShardStatus(1, False, True)}}, Reason.SHARD_CLOSED),
        ({"status": {**OPEN.status, 1: ShardStatus(1, True, False)}}, Reason.SHARD_CLOSED),
        ({"cash": {0: Money(1)}}, Reason.READ_UNKNOWN),
        ({"cash": {0: Money(1), 1: Money(0)}}, Reason.SHARD_UNFUNDED),
        ({"cash": {0: Money(1), 1: Money(-1)}}, Reason.SHARD_UNFUNDED),
        ({"groups": OPEN.groups[:1]}, Reason.SHARD_WITHOUT_GROUP),
        ({"groups": (OPEN.groups[0], OrderGroup("g1", 1, True, BURST))}, Reason.GROUP_TRIPPED),
        ({"session": SESSION._replace(order_groups=SESSION.order_groups[:1])}, Reason.SHARD_WITHOUT_GROUP),
    ],
)
def test_trouble_on_one_shard_forbids_that_shard_alone(changes: dict[str, object], reason: Reason) -> None:
    assert on_shard_1(**changes) == Permission(None, {1: reason})


def test_a_shard_nobody_asked_about_gets_no_verdict() -> None:
    assert may_place(OPEN, [0, 7]) == Permission(None, {7: Reason.SHARD_CLOSED})
    assert may_place(OPEN, []) == Permission(None, {})


def test_somebody_elses_tripped_group_does_not_matter() -> None:
    external = OrderGroup("not-ours", 1, True, BURST)
    assert on_shard_1(groups=(*OPEN.groups, external)) == Permission(None, {})


def test_one_tripped_group_of_several_on_a_shard_forbids_it() -> None:
    second = SessionGroup(group_id="g1b", shard=1, tag="other", burst_limit=BURST)
    session = SESSION._replace(order_groups=(*SESSION.order_groups, second))
    tripped = OrderGroup("g1b", 1, True, BURST)
    assert on_shard_1(session=session, groups=(*OPEN.groups, tripped)).shards == {1: Reason.GROUP_TRIPPED}


@pytest.mark.parametrize(
    ("age_ms", "shards"),
    [
        (0, {}),
        (GROUP_SETTLES_MS - 1, {}),
        (GROUP_SETTLES_MS, dict.fromkeys(SHARDS, Reason.SHARD_WITHOUT_GROUP)),
    ],
)
def test_a_group_that_is_not_listed_yet_is_trusted_only_while_it_is_young(
    age_ms: int, shards: dict[int, Reason]
) -> None:
    session = SESSION._replace(created_at_ms=TimeMs(NOW - age_ms))
    assert on_shard_1(session=session, groups=()).shards == shards


def test_youth_does_not_excuse_a_tripped_group_or_one_never_made() -> None:
    young = SESSION._replace(created_at_ms=NOW, order_groups=SESSION.order_groups[:1])
    tripped = (OrderGroup("g0", 0, True, BURST),)
    assert on_shard_1(session=young, groups=tripped).shards == {
        0: Reason.GROUP_TRIPPED,
        1: Reason.SHARD_WITHOUT_GROUP,
    }


def test_a_session_that_chose_to_run_without_groups_needs_none() -> None:
    session = SESSION._replace(use_order_groups=False, order_groups=())
    assert on_shard_1(session=session, groups=()) == Permission(None, {})
