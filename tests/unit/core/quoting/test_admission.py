"""Markets that no strategy is asked about, and why."""

import pytest

from dora.core.exchange.fees import FREE, FeeTerms
from dora.core.exchange.market import Market, MarketStatus
from dora.core.quoting.admission import not_admitted
from dora.core.reasons import Reason
from dora.core.units import TimeMs
from tests.support.examples import NOW, config, market


@pytest.mark.parametrize(
    ("shown", "fees", "why"),
    [
        (market(), FREE, None),
        (market(plain=False), FREE, Reason.MARKET_UNSUPPORTED),
        (market(close_ms=TimeMs(NOW + 300_000)), FREE, None),
        (market(close_ms=TimeMs(NOW + 299_999)), FREE, Reason.NEAR_CLOSE),
        (market(expected_expiration_ms=TimeMs(NOW + 299_999)), FREE, Reason.NEAR_CLOSE),
        (market(), None, Reason.FEES_UNKNOWN),
    ],
)
def test_a_market_is_admitted_or_says_why_not(
    shown: Market, fees: FeeTerms | None, why: Reason | None
) -> None:
    assert not_admitted(shown, config(), fees, NOW) is why


@pytest.mark.parametrize("status", [status for status in MarketStatus if status is not MarketStatus.ACTIVE])
def test_only_active_markets_are_admitted(status: MarketStatus) -> None:
    assert not_admitted(market(status=status), config(), FREE, NOW) is Reason.MARKET_NOT_ACTIVE
