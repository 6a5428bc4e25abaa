"""As a market's end draws near quotes get smaller, then only reduce, then stop."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.fees import FREE
from dora.core.orders.expiry import expires_ms
from dora.core.quoting.admission import not_admitted
from dora.core.quoting.closing import closing
from dora.core.reasons import Reason
from dora.core.units import CONTRACT, Count, TimeMs
from tests.support.examples import HOUR_MS, NOW, config, contracts, limits, market

DAY_S = 86_400


@pytest.mark.parametrize(
    "settings, left_s, size, reduces",
    [
        ({}, 60, "10", False),
        ({"taper_s": 4_000}, 4_000, "10", False),
        ({"taper_s": 4_000}, 3_001, "10", False),
        ({"taper_s": 4_000}, 3_000, "7", False),
        ({"taper_s": 4_000}, 2_000, "5", False),
        ({"taper_s": 4_000}, 1, "2", False),
        ({"taper_s": 4_000, "quote_size": contracts("0.5")}, 1, "0.5", False),
        ({"taper_s": 4_000, "stop_before_close_s": 1_000}, 3_000, "5", False),
        ({"reduce_before_close_s": 3_600}, 3_601, "10", False),
        ({"reduce_before_close_s": 3_600}, 3_600, "10", True),
        ({"reduce_before_close_s": 3_600, "stop_before_close_s": 60}, 3_660, "10", True),
    ],
)
def test_size_and_reducing_by_what_is_left(
    settings: dict[str, Any], left_s: int, size: str, reduces: bool
) -> None:
    ending = market(close_ms=TimeMs(NOW + 99 * HOUR_MS), expected_expiration_ms=TimeMs(NOW + left_s * 1000))
    now = closing(ending, config(**settings), NOW)
    assert (now.quote_size, now.reduce_only) == (contracts(size), reduces)


@given(st.integers(1, 100_000), st.integers(1, 30 * DAY_S), st.lists(st.integers(0, 60 * DAY_S), min_size=2))
def test_size_never_grows_as_time_goes_by_nor_leaves_its_bounds(
    size: int, taper_s: int, left: list[int]
) -> None:
    own = config(quote_size=Count(size), max_position=Count(size), taper_s=taper_s)
    sizes = [
        closing(market(close_ms=TimeMs(NOW + left_s * 1000)), own, NOW).quote_size
        for left_s in sorted(left, reverse=True)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert all(min(size, CONTRACT) <= one <= size for one in sizes)


def test_a_market_with_neither_setting_keeps_its_very_config() -> None:
    own = config()
    assert closing(market(), own, NOW) is own


def test_nothing_is_quoted_in_the_last_days_that_a_market_excludes_and_no_order_rests_into_them() -> None:
    own = config(stop_before_close_s=3 * DAY_S)
    near = market(close_ms=TimeMs(NOW + 3 * DAY_S * 1000 - 1))
    far = market(
        close_ms=TimeMs(NOW + 4 * DAY_S * 1000), expected_expiration_ms=TimeMs(NOW + 3 * DAY_S * 1000 + 7_000)
    )
    assert not_admitted(near, own, FREE, NOW) is Reason.NEAR_CLOSE
    assert not_admitted(far, own, FREE, NOW) is None
    assert expires_ms(far, own, limits(), None, NOW) == NOW + 7_000
