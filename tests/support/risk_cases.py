"""What risk is judged by, for a market at rest."""

from typing import Any

from dora.core.risk.caps import RiskFacts
from tests.support.examples import (
    EVENT,
    TICKER,
    config,
    contracts,
    dollars,
    event,
    limits,
    market,
)

OTHER, THIRD = "KXRAIN-26NOV21-T2", "KXSNOW-26NOV21-T1"


def facts(**changes: Any) -> RiskFacts:
    """Three flat markets, two of them of one event, and more money than any test needs."""
    tickers = (TICKER, OTHER, THIRD)
    values: dict[str, Any] = {
        "limits": limits(max_event_loss=dollars("10000"), max_total_loss=dollars("10000")),
        "markets": {
            t: market(ticker=t, event_ticker=EVENT if t != THIRD else "KXSNOW-26NOV21") for t in tickers
        },
        "configs": {t: config(ticker=t, max_position=contracts("100")) for t in tickers},
        "events": {EVENT: event(), "KXSNOW-26NOV21": event(event_ticker="KXSNOW-26NOV21")},
        "positions": {},
        "orders": (),
        "external": (),
        "cash": {0: dollars("10000")},
    }
    return RiskFacts(**{**values, **changes})
