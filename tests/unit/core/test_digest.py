"""The daily digest: a text that a person understands who has never seen the code."""

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.digest import (
    DAYS_A_MONTH,
    MONTH_BY_MARKETS,
    MONTH_FIXED,
    Digest,
    day_cost,
    subject_of,
    text_of,
)
from dora.core.units import Money

DAY = "2026-03-02"
ROW = ProfitRow(
    day=DAY, ticker="", strategy="", session_id="",
    fills=71, realised=Money(3_000_000), settlement=Money(-1_000_000), unrealised=Money(504_000),
    fees=Money(250_000), rewards=Money(2_000_000), rewards_estimated=Money(9_000_000),
)  # fmt: skip
TEXT = """\
Profit on 2026-03-02: 4.25 $, fees taken off.
  from trades and payouts, open positions at their marks: 2.50 $
  fees paid to the exchange: 0.25 $
  rewards that the exchange credited: 2.00 $
Not in the profit: rewards estimated, and not credited: 9.00 $.
Fills: 71. Profit of today so far: -0.100000 $.

Positions: 2 markets (KXA -22.00, KXB 13.41).
Worst case, if every order filled and every market went against us: a loss of 310.500000 $, of 2000.000000 $ \
that are allowed.
Markets quoted in the last cycle: 9 of 40.

Warnings:
  - 1 positions that the exchange counts otherwise

What AWS asks for: about 0.27 $ a day, by estimate for 40 markets.
To look closer: dora now, dora status.
To stop: dora stop, or the test event `teardown` of the session function in the Lambda console."""


def told(**changes: object) -> Digest:
    known: dict[str, object] = {
        "day": DAY,
        "earned": ROW,
        "today": "-0.100000",
        "positions": {"KXB": "13.41", "KXA": "-22.00"},
        "worst_loss": "310.500000",
        "worst_loss_cap": "2000.000000",
        "markets": 40,
        "quoted": 9,
        "warnings": ("1 positions that the exchange counts otherwise",),
    }
    return Digest(**(known | changes))  # type: ignore[arg-type]


def test_the_mail_says_what_was_earned_what_is_held_and_what_to_look_at() -> None:
    assert text_of(told()) == TEXT


def test_the_subject_says_the_profit_and_whether_there_is_something_to_look_at() -> None:
    assert subject_of(told()) == "4.25 $ on 2026-03-02, 1 to look at"
    assert subject_of(told(warnings=())) == "4.25 $ on 2026-03-02, all well"


def test_what_is_not_known_is_not_shown_as_zero() -> None:
    text = text_of(told(today=None, worst_loss=None, markets=None, quoted=None))

    assert "Profit of today so far: unknown" in text
    assert "a loss of unknown $" in text
    assert "in the last cycle: unknown of unknown" in text
    assert "What AWS asks for: unknown" in text


def test_of_many_positions_some_are_named_and_the_rest_counted() -> None:
    text = text_of(told(positions={f"KX{n:03}": "1.00" for n in range(50)}))

    assert "50 markets (KX000 1.00, " in text
    assert "KX019 1.00, and 30 more)" in text


def test_the_cost_of_a_day_is_what_was_measured_and_lies_on_the_line_between() -> None:
    months = dict(MONTH_BY_MARKETS)

    for markets, own in MONTH_BY_MARKETS:
        assert day_cost(markets) == (own + MONTH_FIXED) // DAYS_A_MONTH
    assert day_cost(520) == ((months[40] + months[1_000]) // 2 + MONTH_FIXED) // DAYS_A_MONTH
    assert day_cost(2_000) == (2 * months[1_000] + MONTH_FIXED) // DAYS_A_MONTH
