"""When a market may be quoted, and that no order of it is made to rest into a time when it may not."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.blackouts import PRESETS
from dora.core.calendar import parse_time
from dora.core.config_items import parse_market, parse_series
from dora.core.errors import ConfigInvalid
from dora.core.hours import LEAST_LIFE_MS, Hours, hours
from dora.core.orders.expiry import expires_ms, too_short
from dora.core.reasons import Reason
from dora.core.units import TimeMs
from tests.support.examples import TICKER, config, limits, market

FRIDAY, THURSDAY = parse_time("2026-11-20T14:00:00Z"), parse_time("2026-11-26T07:58:00Z")
HOUR_MS = 3_600_000


def later(text: str) -> TimeMs:
    return parse_time(f"2026-11-{text}:00Z")


@pytest.mark.parametrize(
    "settings, now_ms, expected",
    [
        ({}, FRIDAY, Hours(gone_by_ms=later("26T08:00"))),
        ({}, THURSDAY, Hours(gone_by_ms=later("26T08:00"))),
        ({}, THURSDAY + 60_001, Hours(Reason.MAINTENANCE, later("26T10:00"))),
        ({}, later("26T10:00"), Hours(gone_by_ms=parse_time("2026-12-03T08:00:00Z"))),
        ({"blackouts": "10:00-11:00 UTC"}, later("20T10:30"), Hours(Reason.BLACKOUT, later("20T11:00"))),
        ({"blackouts": "10:00-11:00 UTC"}, FRIDAY, Hours(gone_by_ms=later("21T10:00"))),
        ({"quote_until": "2026-11-20T10:00:00-05:00"}, FRIDAY, Hours(gone_by_ms=later("20T15:00"))),
        ({"quote_until": "2026-11-20T10:00:00-05:00"}, FRIDAY + HOUR_MS, Hours(Reason.QUOTE_UNTIL)),
        ({"quote_until": "ticker_date"}, FRIDAY, Hours(gone_by_ms=later("21T05:00"))),
        ({"quote_until": "ticker_date"}, later("21T04:59") + 1, Hours(Reason.QUOTE_UNTIL)),
        ({"quote_until": "ticker_date", "ticker": "KXFED"}, FRIDAY, Hours(Reason.QUOTE_UNTIL)),
    ],
)
def test_what_holds_in_a_market(settings: Mapping[str, str], now_ms: int, expected: Hours) -> None:
    assert hours(config(**settings), TimeMs(now_ms)) == expected


@given(
    st.lists(st.sampled_from([*PRESETS, "23:40-00:10 America/New_York"]), max_size=3),
    st.sampled_from(["", "ticker_date", "2026-11-26T07:30:00Z"]),
    st.integers(0, 7 * 24 * 60 * 60).map(lambda second: TimeMs(FRIDAY + second * 1000)),
    st.sampled_from([0, 600, 1_800, 604_800]),
)
def test_no_order_that_may_be_placed_rests_into_a_time_when_its_market_is_not_quoted(
    blackouts: list[str], quote_until: str, now_ms: TimeMs, life_s: int
) -> None:
    own = config(blackouts="; ".join(blackouts), quote_until=quote_until)
    listed = market(close_ms=TimeMs(FRIDAY + 30 * 24 * HOUR_MS))
    end_ms = expires_ms(listed, own, limits(order_life_s=life_s), None, now_ms)
    if hours(own, now_ms).why is not None:
        return
    assert not too_short(end_ms, now_ms)
    for moment in range(now_ms, end_ms - LEAST_LIFE_MS, max((end_ms - now_ms) // 50, 1000)):
        assert hours(own, TimeMs(moment)).why is None


@pytest.mark.parametrize(
    "raw, complaint",
    [
        ({"blackouts": "weather; nonsense"}, "MARKET#.*: 'nonsense' is no blackout; write for example"),
        (
            {"quote_until": "2026-11-20T10:00"},
            "quote_until is '2026-11-20T10:00'; write ticker_date, or a time",
        ),
    ],
)
def test_an_item_with_a_calendar_that_cannot_be_read_is_refused(
    raw: Mapping[str, str], complaint: str
) -> None:
    with pytest.raises(ConfigInvalid, match=complaint):
        parse_market(f"MARKET#{TICKER}", TICKER, raw)


def test_a_series_gives_its_calendar_to_each_of_its_markets() -> None:
    series = parse_series("KXRAIN", {"quote_until": "ticker_date", "blackouts": "weather"})
    assert series.template == {"quote_until": "ticker_date", "blackouts": "weather"}
