"""Every event adds to one row, and the rows add up to the books."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.booking import RECENT
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import (
    EXTERNAL,
    Attribution,
    Posting,
    estimated_reward,
    post_entry,
    post_fill,
    post_fills,
    post_mark,
    post_reward,
    post_settlement,
)
from dora.core.accounts.profit_rows import ProfitRow, RowKey
from dora.core.accounts.row_sums import added
from dora.core.calendar import exchange_day
from dora.core.exchange.market import Side
from dora.core.units import Count, Money, Price, TimeMs
from dora.core.zones import HOUR_MS
from tests.support.account_cases import FLAT, MARKS, PRICES, ask, bid, booked, entry, fill, settled
from tests.support.examples import NOW, TICKER, cents, contracts, dollars

OURS = Attribution("reservation", "s1")
LATER = Attribution("ladder", "s2")
TODAY = exchange_day(NOW)
DAY_MS = 24 * HOUR_MS


def test_a_fill_adds_to_the_row_of_its_day_strategy_and_session() -> None:
    held = post_fill(FLAT, bid("0.44", "10", "0.02"), OURS).ledger
    row = post_fill(held, ask("0.50", "4", "0.01", after_ms=DAY_MS), LATER).row
    assert row == ProfitRow(
        day=exchange_day(TimeMs(NOW + DAY_MS)),
        ticker=TICKER,
        strategy="ladder",
        session_id="s2",
        fills=1,
        traded=contracts("4"),
        volume=dollars("2"),
        realised=dollars("0.24"),
        fees=dollars("0.01"),
    )
    assert row.profit == dollars("0.23")


def test_days_end_where_the_exchange_s_do_also_when_clocks_change() -> None:
    # 2026-11-01 has 25 hours in New York: it ends at 05:00 UTC of the next day.
    edge = TimeMs(1_793_595_600_000)
    days = [post_fill(FLAT, bid("0.4", "1", at_ms=TimeMs(edge + ms)), OURS).row.day for ms in (-1, 0)]
    assert days == ["2026-11-01", "2026-11-02"]


def test_a_payout_is_a_line_of_its_own_and_a_correction_stands_on_the_day_it_was_seen() -> None:
    held = post_fill(FLAT, bid("0.44", "10"), OURS).ledger
    paid = post_settlement(held, settled("1", "yes"), OURS, NOW)
    assert (paid.row.settlement, paid.row.realised, paid.row.day) == (dollars("5.6"), 0, TODAY)

    seen_ms = TimeMs(NOW + 3 * DAY_MS)
    corrected = post_settlement(paid.ledger, settled("0", "no", after_ms=90_000), OURS, seen_ms)
    assert (corrected.row.settlement, corrected.row.day) == (dollars("-10"), exchange_day(seen_ms))
    assert post_settlement(corrected.ledger, settled("1", "yes"), OURS, seen_ms).row.empty


def test_a_late_fill_of_a_settled_market_is_paid_in_its_own_row() -> None:
    paid = post_settlement(FLAT, settled("1", "yes"), OURS, NOW).ledger
    row = post_fill(paid, bid("0.40", "10"), LATER).row
    assert (row.realised, row.fills, row.strategy) == (dollars("6"), 1, "ladder")


def test_at_the_day_s_edge_the_open_position_is_marked_in_the_day_that_ends() -> None:
    held = post_fill(FLAT, bid("0.44", "10"), OURS).ledger
    edge_ms = TimeMs(1_795_237_200_000)
    first = post_mark(held, cents("0.50"), edge_ms, OURS)
    assert (first.row.unrealised, first.row.day) == (dollars("0.6"), exchange_day(TimeMs(edge_ms - 1)))
    assert first.row.day != exchange_day(edge_ms)
    assert post_mark(first.ledger, cents("0.50"), edge_ms, OURS).row.empty

    second = post_mark(first.ledger, cents("0.47"), TimeMs(edge_ms + DAY_MS), OURS)
    assert second.row.unrealised == dollars("-0.3")
    paid = post_settlement(second.ledger, settled("1", after_ms=3 * DAY_MS), OURS, NOW)
    assert (paid.row.unrealised, paid.row.settlement) == (dollars("-0.3"), dollars("5.6"))


def test_rewards_count_when_they_are_credited_and_not_when_they_are_expected() -> None:
    assert estimated_reward(TICKER, dollars("2"), NOW, OURS).profit == 0
    posting = post_reward(FLAT, dollars("1.5"), NOW, OURS)
    assert (posting.row.profit, posting.ledger.rewards, posting.ledger.movement) == (
        dollars("1.5"),
        dollars("1.5"),
        dollars("1.5"),
    )


def test_an_entry_adds_to_no_row() -> None:
    assert post_entry(FLAT, entry("10", "4", opening=True)).row.empty


def test_fills_are_posted_once_each_in_the_order_of_their_times() -> None:
    first, second, third = bid("0.40", "10"), ask("0.50", "5", after_ms=1), bid("0.45", "1", after_ms=2)
    by_hand = bid("0.2", "1", ticker="other", fill_id="h", order_id="hand")
    posted = post_fills({}, [third, second, first, second, by_hand], {"f2"}, {"o": OURS})
    assert {one.fill_id for one in posted.fills} == {"f0", "f1", "h"}
    assert posted.ledgers[TICKER].net == contracts("5")
    assert {row.key: row.fills for row in posted.rows} == {
        RowKey(TODAY, TICKER, *OURS): 2,
        RowKey(TODAY, "other", *EXTERNAL): 1,
    }


def test_a_long_list_may_come_newest_first() -> None:
    fills = [
        (bid if number % 3 else ask)(f"0.{40 + number}", "7", after_ms=number * 1_000)
        for number in range(3 * RECENT)
    ]
    right = post_fills({}, fills, (), {}).ledgers[TICKER]
    assert post_fills({}, [*reversed(fills)], (), {}).ledgers[TICKER] == right == booked(fills)


def test_rows_of_one_key_add_and_empty_ones_are_left_out() -> None:
    one = post_fill(FLAT, bid("0.40", "10"), OURS)
    other = post_fill(one.ledger, ask("0.50", "10", after_ms=1), OURS)
    nothing = post_entry(FLAT, entry("0", "0")).row
    rows = added([one.row, nothing, other.row])
    assert list(rows) == [RowKey(TODAY, TICKER, *OURS)]
    (row,) = rows.values()
    assert (row.realised, row.traded) == (dollars("1"), contracts("20"))


TIMES = st.integers(0, 5 * 24 * 60).map(lambda minutes: TimeMs(NOW + minutes * 60_000))
WHO = st.sampled_from([OURS, LATER, EXTERNAL])


@st.composite
def events(draw: st.DrawFn) -> Callable[[MarketLedger], Posting]:
    at_ms, by = draw(TIMES), draw(WHO)
    kind = draw(st.sampled_from(["fill", "fill", "fill", "entry", "mark", "payout", "reward"]))
    after_ms = at_ms - NOW
    if kind == "fill":
        drawn = fill(draw(st.sampled_from(Side)), "0.5", "1", after_ms=after_ms)
        priced = drawn._replace(price=draw(PRICES), count=Count(draw(st.integers(1, 5_000))), fee=Money(7))
        return lambda ledger: post_fill(ledger, priced, by)
    if kind == "entry":
        net = draw(st.integers(-5_000, 5_000))
        stated = entry("0", "0", after_ms=after_ms)._replace(net=Count(net), cost=Money(abs(net) * 4_321))
        stated = stated._replace(opening=draw(st.booleans()))
        return lambda ledger: ledger_is_open(ledger, lambda: post_entry(ledger, stated))
    if kind == "mark":
        mark = draw(MARKS)
        return lambda ledger: post_mark(ledger, mark, at_ms, by)
    if kind == "payout":
        row = settled("0", "scalar", after_ms=after_ms)._replace(value=draw(MARKS))
        return lambda ledger: post_settlement(ledger, row, by, at_ms)
    return lambda ledger: post_reward(ledger, Money(123_456), at_ms, by)


def ledger_is_open(ledger: MarketLedger, post: Callable[[], Posting]) -> Posting:
    """Positions of settled markets are never compared, so no entry is made for one."""
    return Posting(ledger, post_reward(ledger, Money(0), NOW, OURS).row) if ledger.settled else post()


@given(st.lists(events(), max_size=25), MARKS)
def test_the_rows_sum_to_the_ledger_whatever_happened(
    drawn: list[Callable[[MarketLedger], Posting]], mark: Price
) -> None:
    ledger, rows = FLAT, list[ProfitRow]()
    for post in drawn:
        posting = post(ledger)
        ledger = posting.ledger
        rows.append(posting.row)
        total = added(rows).values()
        assert sum(row.realised + row.settlement for row in total) == ledger.realised
        assert sum(row.unrealised for row in total) == ledger.marked
        assert sum(row.fees for row in total) == ledger.fees
        assert sum(row.traded for row in total) == ledger.traded
        assert sum(row.volume for row in total) == ledger.volume
        assert sum(row.fills for row in total) == ledger.fills
        assert sum(row.profit for row in total) == (
            ledger.realised + ledger.marked + ledger.rewards - ledger.fees
        )
    marked = post_mark(ledger, mark, TimeMs(NOW + 9 * DAY_MS), OURS)
    profit = sum(row.profit for row in added([*rows, marked.row]).values())
    assert profit == ledger.profit(mark) + ledger.rewards
