"""A credit goes to the one program that it can be of, and else to none."""

import pytest

from dora.core.incentives.credits import Ended, of_credit
from dora.core.units import Money, TimeMs
from dora.core.zones import DAY_MS, HOUR_MS
from tests.support.examples import NOW, TICKER, dollars

ONE = Ended("one", TICKER, NOW - DAY_MS, dollars("5"))


@pytest.mark.parametrize(
    ("amount", "found_ms", "paid_out", "matches"),
    [
        ("5", NOW, {"one"}, True),
        ("6.50", NOW, {"one"}, True),
        ("6.51", NOW, {"one"}, False),
        ("3.49", NOW, {"one"}, False),
        ("5", NOW, {"other"}, False),
        ("5", ONE.end_ms + 11 * HOUR_MS, {"one"}, False),
        ("5", ONE.end_ms + 5 * DAY_MS, {"one"}, False),
    ],
    ids=["all of it", "near", "too much", "too little", "not paid out", "too early", "too late"],
)
def test_amount_date_and_paid_out_must_fit(
    amount: str, found_ms: int, paid_out: set[str], matches: bool
) -> None:
    found = of_credit(dollars(amount), TimeMs(found_ms), [ONE], paid_out)
    assert found == (ONE if matches else None)


def test_what_two_programs_fit_stays_the_accounts() -> None:
    other = ONE._replace(program_id="two", estimate=Money(5_100_000))
    assert of_credit(dollars("5"), TimeMs(NOW), [ONE, other], {"one", "two"}) is None
    assert of_credit(dollars("5"), TimeMs(NOW), [ONE, other], {"two"}) == other
