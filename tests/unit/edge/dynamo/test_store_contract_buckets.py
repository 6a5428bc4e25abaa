"""What the ports promise of token buckets and configs, held once against every storage."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dora.core.errors import StateUnavailable
from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import BALANCE_COST
from dora.core.fallbacks import UNLEARNED as BASIC
from dora.core.units import Count, TimeMs
from tests.support.dynamo_values import BOT, NOW_MS
from tests.support.reference_bucket import ReferenceBucket
from tests.support.store_backings import Backing, Loss

_fresh = count()


# --- token buckets -----------------------------------------------------------------------------------

visits = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "reserve", "push_back"]),
        st.integers(0, 1),
        st.integers(0, 1_500),
        st.integers(0, 2_500),
        st.lists(st.integers(1, 70), min_size=1, max_size=5),
    ),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits, st.integers(1, 700))
def test_users_of_one_bucket_together_never_reserve_more_than_it_holds(
    backing: Backing, rows: list[tuple[str, int, int, int, list[int]]], rate: int
) -> None:
    limits = Limits(tier="any", read_rate=1, read_capacity=1, write_rate=rate, write_capacity=70)
    name, blocked_ms, at_ms = f"key-{next(_fresh)}", 0, NOW_MS
    users = [backing.limiter(name), backing.limiter(name)]
    for user in users:
        user.configure(limits)
    reference = ReferenceBucket(rate, 70)

    for what, who, pause_ms, span_ms, costs in rows:
        at_ms += pause_ms
        if what == "push_back":
            hits, wait_ms = users[who].push_back("write", TimeMs(at_ms), span_ms, 10_000)
            assert wait_ms >= min(span_ms << (hits - 1), 10_000)
            blocked_ms = max(blocked_ms, at_ms + wait_ms)
            continue
        sends = users[who].reserve("write", costs, TimeMs(at_ms), TimeMs(at_ms + span_ms))
        for sent, cost in zip(sends, costs, strict=False):
            assert max(at_ms, blocked_ms) <= sent <= at_ms + span_ms
            reference.spend(sent, cost)
            assert reference.level >= 0


def test_bots_with_a_share_each_keep_to_it_and_together_to_the_budget(backing: Backing) -> None:
    """An hour of demand beyond all tokens: within a tenth of its share each, and never more than all."""
    all_ = Limits(tier="basic", read_rate=200, read_capacity=400, write_rate=100, write_capacity=100)
    name, minutes, percents = f"key-{next(_fresh)}", 60, {"a": 30, "b": 70}
    bots = {user: backing.limiter(name) for user in percents}
    spent = dict.fromkeys(percents, 0)
    for user, percent in percents.items():
        bots[user].configure(all_.share(percent), user)
    for minute in range(minutes):
        now_ms = TimeMs(NOW_MS + minute * 60_000)
        for user, bot in bots.items():
            spent[user] += 10 * len(bot.reserve("write", [10] * 1_000, now_ms, TimeMs(now_ms + 60_000)))
    budget = minutes * 60 * 100
    for user, percent in percents.items():
        assert abs(spent[user] - budget * percent // 100) <= budget * percent // 1_000
    assert sum(spent.values()) <= budget + 100


def test_users_without_a_share_spend_from_the_buckets_that_all_share(backing: Backing) -> None:
    name, at_ms = f"key-{next(_fresh)}", TimeMs(NOW_MS)
    alone, shared, other = (backing.limiter(name) for _ in range(3))
    alone.configure(BASIC.share(50), "a")
    assert alone.reserve("write", [50], at_ms, at_ms) == (at_ms,)
    assert shared.reserve("write", [100], at_ms, at_ms) == (at_ms,)
    assert other.reserve("write", [50], at_ms, at_ms) == ()
    assert alone.reserve("balance", [BALANCE_COST], at_ms, at_ms) == (at_ms,)
    assert shared.reserve("balance", [BALANCE_COST], at_ms, at_ms) == ()


def test_a_charge_counts_even_against_an_empty_bucket(backing: Backing) -> None:
    one, other = backing.limiter(), backing.limiter()
    one.charge("write", 60, TimeMs(NOW_MS))
    other.charge("write", 90, TimeMs(NOW_MS))

    assert one.reserve("write", [100], TimeMs(NOW_MS), TimeMs(NOW_MS + 9_000)) == (NOW_MS + 1_500,)


def test_a_push_back_holds_everybody_and_never_moves_a_bucket_back(backing: Backing) -> None:
    one, other = backing.limiter(), backing.limiter()
    one.push_back("write", TimeMs(NOW_MS), 4_000, 4_000)
    one.push_back("write", TimeMs(NOW_MS), 1_000, 1_000)

    assert other.reserve("write", [1], TimeMs(NOW_MS), TimeMs(NOW_MS + 4_500)) == ()
    assert other.reserve("write", [100], TimeMs(NOW_MS), TimeMs(NOW_MS + 9_000)) == (NOW_MS + 5_500,)


def test_429s_in_a_row_back_off_exponentially_for_all_users_up_to_a_cap_with_jitter(backing: Backing) -> None:
    told = [backing.limiter().push_back("write", TimeMs(NOW_MS), 1_000, 10_000) for _ in range(6)]

    assert [hits for hits, _ in told] == [1, 2, 3, 4, 5, 6]
    assert [wait_ms for _, wait_ms in told] == [1_125, 2_250, 4_500, 9_000, 11_250, 11_250]


def test_a_write_that_passes_ends_the_row_for_everybody(backing: Backing) -> None:
    one, other = backing.limiter(), backing.limiter()
    one.push_back("write", TimeMs(NOW_MS), 1_000, 10_000)
    other.push_back("write", TimeMs(NOW_MS), 1_000, 10_000)
    other.passed("write")

    assert one.push_back("write", TimeMs(NOW_MS), 1_000, 10_000)[0] == 1


def test_a_write_that_passed_before_somebody_elses_429_does_not_end_the_row(backing: Backing) -> None:
    one, other = backing.limiter(), backing.limiter()
    one.push_back("write", TimeMs(NOW_MS), 1_000, 10_000)
    other.push_back("write", TimeMs(NOW_MS), 1_000, 10_000)
    one.passed("write")

    assert one.push_back("write", TimeMs(NOW_MS), 1_000, 10_000)[0] == 3


def test_the_429s_of_one_bucket_or_key_are_not_anothers(backing: Backing) -> None:
    backing.limiter().push_back("write", TimeMs(NOW_MS), 1_000, 10_000)

    assert backing.limiter().push_back("write#1", TimeMs(NOW_MS), 1_000, 10_000)[0] == 1
    assert backing.limiter("other key").push_back("write", TimeMs(NOW_MS), 1_000, 10_000)[0] == 1


def test_a_reading_of_a_bucket_shows_whole_tokens_and_spends_none(backing: Backing) -> None:
    one, other = backing.limiter(), backing.limiter()
    untouched = other.level("write", TimeMs(NOW_MS))
    one.charge("write", 60, TimeMs(NOW_MS))

    levels = [other.level("write", TimeMs(NOW_MS + at_ms)) for at_ms in (0, 99, 100, 600, 9_000)]
    assert (untouched, levels) == (100, [40, 49, 50, 100, 100])
    assert one.reserve("write", [40], TimeMs(NOW_MS), TimeMs(NOW_MS)) == (NOW_MS,)
    one.charge("write", 90, TimeMs(NOW_MS))
    assert other.level("write", TimeMs(NOW_MS)) == 0
    assert other.level("read", TimeMs(NOW_MS)) == 200


def test_a_reading_knows_the_learned_capacity_and_refuses_a_bucket_that_is_none(backing: Backing) -> None:
    limiter = backing.limiter()
    limiter.configure(Limits(tier="any", read_rate=1, read_capacity=7, write_rate=300, write_capacity=600))

    assert limiter.level("read", TimeMs(NOW_MS)) == 7
    assert limiter.level("write#2", TimeMs(NOW_MS)) == 600
    with pytest.raises(ValueError, match="no bucket"):
        limiter.level("writes", TimeMs(NOW_MS))


def test_a_bucket_that_cannot_be_read_is_never_an_empty_or_full_one(backing: Backing) -> None:
    with pytest.raises(StateUnavailable):
        backing.limiter(lose="answer").level("write", TimeMs(NOW_MS))


def test_buckets_and_keys_are_apart(backing: Backing) -> None:
    now_ms = TimeMs(NOW_MS)
    limiter = backing.limiter()
    for bucket in ("write", "read", "write#1", "write#2", "balance"):
        assert limiter.reserve(bucket, [1 if bucket == "balance" else 100], now_ms, now_ms) == (NOW_MS,)

    assert limiter.reserve("write", [100], now_ms, now_ms) == ()
    assert backing.limiter("other key").reserve("write", [100], now_ms, now_ms) == (NOW_MS,)


@pytest.mark.parametrize("bucket", ["", "writes", "write#0", "write#x", "write#", "WRITE"])
def test_an_unknown_bucket_is_an_error(backing: Backing, bucket: str) -> None:
    with pytest.raises(ValueError, match="no bucket"):
        backing.limiter().reserve(bucket, [1], TimeMs(NOW_MS), TimeMs(NOW_MS))


def test_a_call_that_can_never_pass_is_an_error(backing: Backing) -> None:
    with pytest.raises(ValueError, match="cut it first"):
        backing.limiter().reserve("write", [50, 101], TimeMs(NOW_MS), TimeMs(NOW_MS + 60_000))


@pytest.mark.parametrize(("lose", "later"), [("request", (NOW_MS,)), ("answer", ())])
def test_tokens_whose_reservation_is_unknown_are_granted_to_nobody_twice(
    backing: Backing, lose: Loss, later: tuple[int, ...]
) -> None:
    with pytest.raises(StateUnavailable):
        backing.limiter(lose=lose).reserve("write", [100], TimeMs(NOW_MS), TimeMs(NOW_MS))

    assert backing.limiter().reserve("write", [100], TimeMs(NOW_MS), TimeMs(NOW_MS)) == later


# --- configs -----------------------------------------------------------------------------------------

GOOD = {"group_burst_limit": {"N": "100"}, "max_open_orders": {"N": "11"}}
BAD = {"group_burst_limit": {"N": "100"}, "max_open_orders": {"S": "eleven"}}


@pytest.mark.parametrize(
    "bad", [BAD, {**GOOD, "trading_enabled": {"S": "false"}}, {**GOOD, "trading_enable": {"BOOL": False}}]
)
def test_an_invalid_global_is_none_at_all_to_a_warm_reader_as_to_a_cold_one(
    backing: Backing, bad: dict[str, Any]
) -> None:
    warm = backing.configs()
    backing.put_config("GLOBAL", GOOD)
    assert warm.load().globals_ is not None
    backing.put_config("GLOBAL", bad)

    for configs in (warm.load(), warm.load(), backing.configs().load()):
        assert configs.globals_ is None
        assert [problem.where for problem in configs.problems] == ["GLOBAL"]


def test_a_bad_item_costs_only_itself_and_other_bots_items_do_not_count(backing: Backing) -> None:
    backing.put_config("GLOBAL", GOOD)
    backing.put_config("MARKET#KXA-1", {"quote_size": {"N": "0"}})
    backing.put_config("MARKET#KXA-2", {"quote_size": {"N": "2.5"}})
    backing.put_config("MARKETS#KXA-3", {})
    backing.put_config("MARKET#KXA-4", {}, bot=f"not {BOT}")

    configs = backing.configs().load()

    assert {ticker: own.quote_size for ticker, own in configs.markets.items()} == {"KXA-2": Count(250)}
    assert [problem.where for problem in configs.problems] == ["MARKET#KXA-1", "MARKETS#KXA-3"]


@pytest.mark.parametrize("lose", ["request", "answer"])
def test_a_table_that_does_not_answer_is_never_an_empty_config(backing: Backing, lose: Loss) -> None:
    with pytest.raises(StateUnavailable):
        backing.configs(lose=lose).load()
