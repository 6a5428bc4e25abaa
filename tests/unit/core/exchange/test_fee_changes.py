"""Announced changes of fees hold from their time on, a minute early; what is not understood is not quoted."""

import pytest

from dora.core.exchange.fee_changes import AHEAD_MS, UNREADABLE, FeeChange, due, events_after, series_after
from dora.core.exchange.fees import FREE, fee_terms
from dora.core.units import TimeMs
from tests.support.examples import EVENT, NOW, event, market, series

SERIES = series()
OVERRIDDEN = event(fee_type_override="quadratic_with_maker_fees", fee_multiplier_override_e4=5_000)
LATER = FeeChange(SERIES.ticker, "", NOW + AHEAD_MS, "quadratic_with_maker_fees", 5_000)


@pytest.mark.parametrize(("early_ms", "holds"), [(AHEAD_MS + 1, False), (AHEAD_MS, True), (0, True)])
def test_a_change_holds_for_quotes_that_rest_until_then(early_ms: int, holds: bool) -> None:
    change = LATER._replace(at_ms=NOW + early_ms)
    terms = series_after({SERIES.ticker: SERIES}, due([change], NOW))[SERIES.ticker]
    expected = ("quadratic_with_maker_fees", 5_000) if holds else ("quadratic", 10_000)
    assert (terms.fee_type, terms.fee_multiplier_e4) == expected


def test_of_two_changes_that_hold_the_later_one_counts() -> None:
    changes = [LATER._replace(at_ms=NOW, fee_type="quadratic"), LATER._replace(at_ms=NOW - 5)]
    assert series_after({SERIES.ticker: SERIES}, due(changes, NOW))[SERIES.ticker].fee_type == "quadratic"


def test_an_override_begins_and_is_cleared() -> None:
    begun = FeeChange(SERIES.ticker, EVENT, NOW, "quadratic_with_maker_fees", 5_000)
    cleared = FeeChange(SERIES.ticker, EVENT, NOW, None, None)
    assert events_after({EVENT: event()}, [begun])[EVENT] == OVERRIDDEN
    assert events_after({EVENT: OVERRIDDEN}, [cleared])[EVENT] == event()


def test_a_change_of_a_series_leaves_events_and_other_series_alone() -> None:
    own = {SERIES.ticker: SERIES}
    assert events_after({EVENT: event()}, [LATER]) == {EVENT: event()}
    assert series_after(own, [LATER._replace(series_ticker="KXOTHER")]) == own
    assert series_after(own, [LATER._replace(event_ticker=EVENT)]) == own


@pytest.mark.parametrize(
    "change",
    [
        LATER._replace(fee_type=UNREADABLE),
        LATER._replace(fee_type="flat"),
        LATER._replace(fee_type=None),
        LATER._replace(multiplier_e4=None),
    ],
)
def test_terms_that_become_unknown_are_no_terms(change: FeeChange) -> None:
    after = series_after({SERIES.ticker: SERIES}, [change])[SERIES.ticker]
    assert fee_terms(after, event(), market(), NOW) is None
    assert fee_terms(after, event(), market(fee_waiver_until_ms=TimeMs(NOW + 1)), NOW) in (None, FREE)
