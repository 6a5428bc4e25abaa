"""Saved queries, executed on the lines of a run with faults, answer what the exchange knows to be true."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from dora.core.units import format_count
from dora.flow.cycle.decision_facts import LINE_BYTES
from dora_operator.log_lines import run_locally
from dora_operator.logs import saved_queries
from dora_operator.target import local_target
from tests.operator.book_watch import BookWatch
from tests.operator.driver import local_driver
from tests.operator.story import Told
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request

BATCH = "/portfolio/events/orders/batched"
DAY_EDGE_MS = 14 * 3_600_000 + 34 * 60_000
"""From three in the afternoon, UTC, to when the quality of the exchange's day that is over is told."""


class _Counted(Faults):
    """Counts the write batches that arrive; the first create batches are not carried out.

    Sees the books as they are when they are read.
    """

    def __init__(self, lost: int, watch: BookWatch) -> None:
        self._lost, self.creates, self.cancels, self.dropped = lost, 0, 0, 0
        self.watch = watch

    def before(self, request: Request) -> Reply | None:
        self.watch.asked(request)
        if not request.path.endswith(BATCH):
            return None
        self.creates += request.method == "POST"
        self.cancels += request.method == "DELETE"
        if request.method == "POST" and self._lost > 0:
            self._lost -= 1
            self.dropped += 1
            return Reply(503, b'{"error":{"code":"service_unavailable","message":"down"}}')
        return None

    def after(self, request: Request, reply: Reply) -> Reply:
        self.watch.answered()
        return reply


@dataclass(frozen=True)
class Story(Told):
    """The run, and what befell it."""

    faults: _Counted
    left_out: str
    """The market that was disabled, in the cycle of this id."""
    since: str


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """Three creates without an answer, a market that is disabled, and the edge of a day."""
    with local_driver() as driver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DORA_LOCAL_FOLDER", str(driver.folder))
        stack = driver.stack
        assert driver.run("start", "--yes").exit_code == 0
        stack.world.exchange.faults = faults = _Counted(1, BookWatch(stack.world.exchange))
        driver.minutes(8)
        ticker = stack.scene.tickers[-1]
        stack.world.put_market(ticker, {"enabled": False, "quote_size": 10, "max_position": 200})
        since = str(stack.minute()["cycle_id"])
        driver.minutes(1)
        stack.world.clock.advance_ms(DAY_EDGE_MS - stack.world.clock.now_ms() % 86_400_000 + 15 * 3_600_000)
        stack.sleep_to_the_next_tick()
        driver.minutes(1)
        yield Story(driver, saved_queries(local_target()), faults, ticker, since)


def test_every_query_of_the_stack_can_be_executed(story: Story) -> None:
    for name in story.queries:
        story.ask(name, "nothing-has-this-id")


def test_profit_by_day_and_market_counts_the_exchange_s_own_fills(story: Story) -> None:
    fills = story.driver.stack.world.member.fills
    told = {row["market"]: row for row in story.ask("profit-by-day-and-market")}
    traded: Counter[str] = Counter()
    for own in fills:
        traded[own.trade.ticker] += own.trade.count_e2

    assert {ticker: row["contracts"] for ticker, row in told.items()} == {
        ticker: format_count(count) for ticker, count in traded.items()
    }
    assert sum(row["trades"] for row in told.values()) == len(fills)
    assert {row["day"] for row in told.values()} == {"2026-03-02"}


def test_profit_is_what_the_fills_brought_and_what_is_held_is_marked_at(story: Story) -> None:
    told = {row["market"]: row for row in story.ask("profit-by-day-and-market")}
    for ticker, row in told.items():
        parts = Decimal(row["realised"]) + Decimal(row["paid_out"]) + Decimal(row["marked"])
        assert Decimal(row["profit"]) == parts - Decimal(row["fees_paid"])
        own = [fill for fill in story.driver.stack.world.member.fills if fill.trade.ticker == ticker]
        fees = sum(fill.fee_e6 for fill in own)
        assert Decimal(row["fees_paid"]) == Decimal(fees) / 1_000_000


def test_quality_is_what_the_exchange_s_books_make_of_our_orders_and_fills(story: Story) -> None:
    watch, member = story.faults.watch, story.driver.stack.world.member
    told = {row["market"]: row for row in story.ask("quote-quality")}
    over_ms = watch.looks[-1].at_ms - 3_600_000

    assert told.keys() == set(story.driver.stack.scene.tickers)
    assert {row["day"] for row in told.values()} == {"2026-03-02"}
    for ticker, row in told.items():
        quotes = watch.quotes(ticker, over_ms)
        assert (row["orders"], row["stood_ahead"]) == (
            len(quotes),
            format_count(sum(map(watch.ahead_e2, quotes))),
        )
        assert row["minutes_quoted"] == watch.minutes(ticker, 1, over_ms) > 0
        assert row["minutes_two_sided"] == watch.minutes(ticker, 2, over_ms)
        fills = member.fills_by_ticker[ticker]
        for minutes in (1, 5, 30):
            contracts, gains = map(sum, zip((0, 0), *watch.gains(fills, minutes), strict=True))
            assert row[f"contracts_{minutes}m"] == format_count(contracts)
            assert Decimal(row[f"gain_{minutes}m"]) == Decimal(gains) / 1_000_000
    assert any(float(row["gain_5m"]) for row in told.values())


def test_why_not_quoted_names_the_market_the_reason_and_the_cycle(story: Story) -> None:
    told = {row["market"]: row for row in story.ask("why-not-quoted")}

    assert (told[story.left_out]["reason"], told[story.left_out]["since"]) == ("market_disabled", story.since)


def test_batches_are_counted_as_the_exchange_received_them(story: Story) -> None:
    rows = story.ask("calls-and-batches")

    assert sum(row["place_batches"] for row in rows) == story.faults.creates
    assert sum(row["cancel_batches"] for row in rows) == story.faults.cancels


def test_failures_that_recur_are_those_that_the_exchange_did_not_answer(story: Story) -> None:
    rows = story.ask("recurring-failures")

    assert story.faults.dropped == 1
    assert {row["market"] for row in rows} == set(story.driver.stack.scene.tickers)
    assert {(row["event_type"], row["outcome"]) for row in rows} == {("BATCH_PLACE_FAILED", "unknown")}
    assert {row["cycles"] for row in rows} == {1}


def test_the_life_of_a_filled_order_ends_in_its_fills(story: Story) -> None:
    order = story.driver.stack.world.member.fills[0].order
    rows = story.ask("order-life", order.client_order_id)
    fills = [own for own in story.driver.stack.world.member.fills if own.order is order]

    assert [row["event_type"] for row in rows][0] == "BATCH_PLACE"
    booked = [row for row in rows if row["event_type"] == "ORDER_FILLED"]
    assert [row["size"] for row in booked] == [format_count(own.trade.count_e2) for own in fills]


def test_a_cancelled_order_s_life_shows_the_batch_that_cancelled_it_and_why(story: Story) -> None:
    with (story.driver.folder / "log.jsonl").open(encoding="utf-8") as lines:
        batches = run_locally('filter event_type = "BATCH_CANCEL" | fields orders', lines)
    entry = str(batches[0]["orders"]).split("; ", maxsplit=1)[0].split()
    rows = story.ask("order-life", entry[4])
    shown = [str(row["entry"]).split() for row in rows if row["event_type"] == "BATCH_CANCEL"]

    assert shown == [entry]
    assert entry[-1] in {"repriced", "not_wanted", "resized", "market_disabled", "too_fast"}


def test_what_a_decision_saw_and_did_is_found_by_its_id(story: Story) -> None:
    (first, *_) = story.ask("", text='filter event_type = "DECISION_MADE" | fields decision_id, market')
    rows = story.ask("decision", first["decision_id"])

    assert {"DECISION_MADE", "BATCH_PLACE", "BATCH_PLACE_FAILED"} <= {row["event_type"] for row in rows}
    assert {row["market"] for row in rows} == {first["market"], None}
    assert [str(row["entry"]).split()[0] for row in rows if row["entry"]] == [first["market"]]


def test_no_line_of_a_decision_is_longer_than_it_may_be(story: Story) -> None:
    with (story.driver.folder / "log.jsonl").open(encoding="utf-8") as lines:
        decided = [line.rstrip("\n") for line in lines if '"event_type":"DECISION_MADE"' in line]

    assert len(decided) > len(story.driver.stack.scene.tickers)
    assert max(len(line.encode()) for line in decided) <= LINE_BYTES


def test_cycles_are_counted_by_hour_and_status(story: Story) -> None:
    rows = story.ask("cycle-duration")

    assert sum(row["cycles"] for row in rows) == story.driver.stack.cycles
    assert {row["bin(1h)"] for row in rows} == {"2026-03-02 15:00:00.000", "2026-03-03 05:00:00.000"}


def test_lines_of_a_virtual_run_carry_the_virtual_time(story: Story) -> None:
    rows = story.ask("", text='filter event_type = "CYCLE" | fields @timestamp, cycle_id | limit 1')

    assert str(rows[0]["@timestamp"])[:16] == str(rows[0]["cycle_id"])[:16].replace("T", " ")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("profit-by-day-and-market", "latest(fills)", "earliest(cycle_id)"),
        ("profit-by-day-and-market", "MARKET_PNL", "DAY_PNL"),
        ("why-not-quoted", 'reason != ""', 'reason = ""'),
        ("why-not-quoted", "latest(cycle_id)", "earliest(cycle_id)"),
        ("calls-and-batches", "count(total_to_place)", "count(total_to_cancel)"),
        ("recurring-failures", "BATCH_PLACE_FAILED", "BATCH_PLACED"),
        ("cycle-duration", "bin(1h)", "bin(1d)"),
        ("cycle-duration", "max(duration_ms)", "min(duration_ms)"),
        ("errors-and-warnings", '"WARNING"', '"WARN"'),
        ("quote-quality", "MARKET_QUALITY", "MARKET_PNL"),
        ("quote-quality", "latest(markout_1m_dollars)", "latest(markout_5m_dollars)"),
        ("quote-quality", "by day, market, strategy", "by day, strategy"),
        ("order-life", "@message like", "client_order_id like"),
        ("order-life", "(?<entry>[^;]*", "(?<entry>"),
        ("order-life", "asc", "desc"),
        ("decision", "@message like", "decision_id like"),
        ("decision", "[^;]*)/", ")/"),
        ("decision", "targets", "target_count"),
    ],
)
def test_a_changed_query_changes_the_result(story: Story, name: str, before: str, after: str) -> None:
    text = story.queries[name]
    assert before in text

    own_id = _of_interest(story, name)
    assert story.ask(name, own_id) != story.ask(name, own_id, text=text.replace(before, after))


def _of_interest(story: Story, name: str) -> str:
    """An order that was filled, or the decision that placed it, where a query is about one."""
    order = story.driver.stack.world.member.fills[0].order.client_order_id
    if name == "order-life":
        return order
    (booked, *_) = (row for row in story.ask("order-life", order) if row["event_type"] == "ORDER_FILLED")
    return str(booked["decision_id"]) if name == "decision" else ""
