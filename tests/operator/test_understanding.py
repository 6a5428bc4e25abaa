"""What the command tells of a run is what the exchange knows of it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import boto3
import pytest

from dora.core.calendar import format_time
from dora.core.units import TimeMs, format_count, format_price
from dora_operator.commands.top import lines
from dora_operator.failures import Exit
from dora_operator.reading import Reading
from dora_operator.target import FOLDER, local_target
from tests.operator.driver import Driver, local_driver
from tests.simulator.model import Fill
from tests.world import config_items


@pytest.fixture(scope="module")
def dora() -> Iterator[Driver]:
    """Half an hour of a session; the last market is disabled in between."""
    with local_driver() as driver:
        assert driver.run("start", "--yes").exit_code == 0
        driver.minutes(12)
        yield driver


def _fills(dora: Driver) -> list[Fill]:
    found = dora.stack.world.member.fills
    assert found
    return found


def _net(dora: Driver) -> dict[str, int]:
    net: Counter[str] = Counter()
    for own in _fills(dora):
        net[own.trade.ticker] += own.trade.count_e2 if own.order.side == "bid" else -own.trade.count_e2
    return dict(net)


def test_each_market_s_position_and_quotes_are_those_on_the_exchange(dora: Driver) -> None:
    told = {own["market"]: own for own in dora.answer("top")["markets"]}
    resting = dora.stack.world.member.resting.values()

    for ticker in dora.stack.scene.tickers:
        assert told[ticker]["position"] == format_count(_net(dora).get(ticker, 0))
        for side, name in (("bid", "bid"), ("ask", "ask")):
            own = [order for order in resting if (order.market.ticker, order.side) == (ticker, side)]
            shown = [f"{format_price(order.price_e4)} x {format_count(order.remaining_e2)}" for order in own]
            assert told[ticker][name] == (shown[0] if shown else "-")


def test_a_market_that_is_left_out_says_why_and_since_when(dora: Driver) -> None:
    ticker = dora.stack.scene.tickers[-1]
    item = {"enabled": False, "quote_size": 10, "max_position": 200}
    dora.stack.world.put_market(ticker, item)
    dora.minutes(2)
    (told,) = dora.answer("top", "--market", ticker)["markets"]
    since = dora.stack.world.clock.now_ms() - 60_000

    assert (told["reason"], told["since"]) == ("market_disabled", format_time(since)[11:16])


def test_a_stopped_bot_tells_since_when_in_every_market_that_it_would_quote(dora: Driver) -> None:
    assert dora.run("halt", "--yes").exit_code == 0
    dora.minutes(3)
    since = dora.stack.world.clock.now_ms() - 120_000
    told = {(own["reason"], own["since"]) for own in dora.answer("top")["markets"]}
    assert dora.run("resume", "--yes").exit_code == 0
    dora.minutes(1)

    assert ("halted", format_time(since)[11:16]) in told
    assert all(own for _, own in told), told


def test_since_when_is_of_the_cycle_shown_though_another_ends_meanwhile(
    dora: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(dora.folder))
    ticker = dora.stack.scene.tickers[-1]
    reading = Reading(local_target())
    reading.now_ms = TimeMs(reading.now_ms + 120_000)
    assert reading.latest_cycle is not None
    dora.stack.world.put_market(ticker, config_items.MARKET)
    dora.minutes(1)
    (told,) = [own for own in lines(reading) if own.market == ticker]

    assert told.reason == "market_disabled"
    assert re.fullmatch(r"\d\d:\d\d", told.since)


def test_today_s_profit_is_what_the_fills_brought_where_nothing_is_held(dora: Driver) -> None:
    told = {own["market"]: own["today"] for own in dora.answer("top")["markets"]}
    flat = [ticker for ticker, net in _net(dora).items() if net == 0]
    rows = {own["market"]: own for own in dora.answer("pnl", "--by", "market")["rows"]}

    for ticker in flat:
        earned = Decimal(sum(_cash_e6(own) for own in _fills(dora) if own.trade.ticker == ticker)) / 1_000_000
        assert Decimal(told[ticker]) == Decimal(rows[ticker]["profit"]) == earned


def _cash_e6(own: Fill) -> int:
    signed = own.trade.count_e2 if own.order.side == "bid" else -own.trade.count_e2
    return -signed * own.trade.price_e4 - own.fee_e6


@pytest.mark.parametrize("key", ["day", "market", "event", "strategy", "session"])
def test_profit_by_any_key_counts_every_fill_once(dora: Driver, key: str) -> None:
    rows = dora.answer("pnl", "--by", key)["rows"]

    assert sum(int(own["fills"]) for own in rows) == len(_fills(dora))
    traded = sum(own.trade.count_e2 for own in _fills(dora))
    assert sum(Decimal(own["contracts"]) for own in rows) == Decimal(traded) / 100


def test_profit_as_a_file_has_the_same_figures(dora: Driver) -> None:
    written = list(csv.DictReader(io.StringIO(dora.run("pnl", "--by", "market", "--csv").output)))

    assert written == dora.answer("pnl", "--by", "market")["rows"]


def test_fills_are_the_exchange_s_each_once(dora: Driver) -> None:
    written = list(csv.DictReader(io.StringIO(dora.run("fills", "--csv").output)))

    assert sorted((own["market"], own["side"], own["price"], own["contracts"]) for own in written) == sorted(
        (own.trade.ticker, own.order.side, format_price(own.trade.price_e4), format_count(own.trade.count_e2))
        for own in _fills(dora)
    )
    assert len(dora.answer("fills", "--last", "2")) == 2


def test_why_explains_the_same_fair_value_that_top_shows(dora: Driver) -> None:
    ticker = dora.stack.scene.tickers[0]
    (line,) = dora.answer("top", "--market", ticker)["markets"]
    told = dora.answer("why", ticker)
    model = {own["what"]: own["value"] for own in told["Fair value and model, in dollars"]}

    assert f"{float(model['fair value']):.4f}" == line["fair_value"]


def test_why_shows_figures_as_a_person_reads_them_and_exact_ones_to_programs(dora: Driver) -> None:
    ticker = dora.stack.scene.tickers[0]
    drawn = dora.run("why", ticker).output
    told = dora.answer("why", ticker)
    memory = {own["what"]: own["after"] for own in told["Memory"]}
    limits = {own["what"]: own["value"] for own in told["Limits"]}

    assert not [own for own in re.findall(r"\d+\.\d{5,}", drawn) if not own.startswith("0.000")]
    assert "_e9" not in drawn
    assert "_ms" not in drawn
    assert f"{int(memory['fair_e9']) / 10**9:.4f}" in drawn
    assert re.search(r"worst loss of an event +\d+\.\d\d \$", drawn)
    assert re.fullmatch(r"\d+\.\d{6}", limits["worst loss of an event"])


def test_why_can_ask_of_an_earlier_cycle(dora: Driver) -> None:
    assert dora.answer("why", dora.stack.scene.tickers[0], "--at", "2026-03-02T15:03:30Z")["cycle"] == (
        "2026-03-02T15:03:00.000Z"
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("why", "KXNOPE-1"), Exit.NEGATIVE, "KXNOPE-1 is no market of this cycle; there are KX"),
        (("why", "kxsyn0-e0000-1"), Exit.NEGATIVE, "did you mean KXSYN0-E0000-1"),
        (("fills", "--last", "-3"), Exit.USAGE, "-3 is not in the range x>=0"),
        (("suggest", "--count", "0"), Exit.USAGE, "0 is not in the range x>=1"),
        (("why", "A", "--at", "noon"), Exit.USAGE, "2026-11-21T14:05:00Z"),
        (("why", "A", "--at", "2020-01-01T00:00:00Z"), Exit.NEGATIVE, "is the parameter Archive on?"),
        (("order", "d2-nothing"), Exit.NEGATIVE, "no order d2-nothing in the journal"),
        (("query", "nope"), Exit.USAGE, "Known: calls-and-batches"),
        (("top", "--market", "kxsyn0-e0000-1"), Exit.NEGATIVE, "Did you mean KXSYN0-E0000-1"),
        (("query", "decision"), Exit.USAGE, "say it with --id"),
        (("pnl", "--by", "hour"), Exit.USAGE, "'day', 'market', 'event', 'strategy', 'session'"),
    ],
)
def test_what_cannot_be_answered_says_what_can(
    dora: Driver, words: tuple[str, ...], code: Exit, said: str
) -> None:
    result = dora.run(*words)

    assert result.exit_code == code
    assert said in " ".join(result.output.split())


def test_the_life_of_an_order_runs_from_its_batch_to_its_fill(dora: Driver) -> None:
    filled = _fills(dora)[0].order
    told = dora.answer("order", filled.client_order_id)
    events = [own["event_type"] for own in told["life"]]

    assert events[:2] == ["BATCH_PLACE", "BATCH_PLACED"]
    assert "ORDER_FILLED" in events
    assert dora.run("order", filled.client_order_id).exit_code == 0


def test_an_order_that_rests_is_found_by_the_exchange_s_id_as_well(dora: Driver) -> None:
    order = next(iter(dora.stack.world.member.resting.values()))
    told = dora.answer("order", order.id)

    assert told["journal"]["client order id"] == order.client_order_id
    assert told["journal"]["price"] == format_price(order.price_e4)


def test_an_open_session_is_told_with_what_it_has_earned_so_far(dora: Driver) -> None:
    (told,) = dora.answer("sessions")
    (earned,) = dora.answer("pnl", "--by", "session")["rows"]

    assert (told["session"], told["ended"], told["why"]) == (earned["session"], "not closed yet", "active")
    assert abs(Decimal(told["profit"]) - Decimal(earned["profit"])) < Decimal("0.01")
    assert Decimal(earned["unrealised"]) != 0
    assert told["fills"] == len(_fills(dora))


def test_a_session_that_is_over_is_told_with_what_it_traded(dora: Driver) -> None:
    dora.run("teardown", "--yes", "--reason", "evening")
    (told,) = dora.answer("sessions")

    assert told["ended"] is not None
    assert (told["why"], told["groups"], told["tripped"]) == ("evening", 1, 1)
    assert Decimal(told["contracts"]) == Decimal(sum(own.trade.count_e2 for own in _fills(dora))) / 100
    assert told["fills"] == len(_fills(dora))


def test_what_nobody_can_price_is_no_figure_of_a_session(dora: Driver) -> None:
    """Marks come from the archive; the last test here, for it takes that away."""
    client = boto3.client("s3")
    for own in client.list_objects_v2(Bucket="dora-archive")["Contents"]:
        client.delete_object(Bucket="dora-archive", Key=own["Key"])
    (told,) = dora.answer("sessions")

    assert told["profit"] is None
    assert told["fills"] == len(_fills(dora))
