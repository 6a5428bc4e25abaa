"""What the market routes show: markets, books, prints and events."""

from __future__ import annotations

from typing import Any

from tests.simulator.exchange import MarketSpec
from tests.simulator.knobs import Knobs
from tests.simulator.model import IncentiveProgram
from tests.support.simulator_desk import HOUR_MS, START_MS, TICKER, Desk, market, pages

NOW_S = START_MS // 1000


def test_pages_out_of_bounds() -> None:
    desk = Desk()
    body = desk.get("/markets", limit=1001).body
    assert list(body) == ["msg"]
    assert "GetMarkets" in body["msg"]
    assert "'lte' tag" in body["msg"]
    for path in ("/portfolio/orders", "/portfolio/fills", "/portfolio/settlements", "/portfolio/positions"):
        assert desk.get(path, limit=1001).status == desk.get(path, limit=0).status == 400
    assert desk.get("/portfolio/orders", limit="many").status == 400


def test_a_garbage_cursor_answers_the_first_page() -> None:
    desk = Desk()
    assert desk.get("/markets", limit=1, cursor="garbage").body == desk.get("/markets", limit=1).body
    rows = pages(desk, "/markets", "markets", limit=1)
    assert [row["ticker"] for row in rows] == [TICKER, "RAIN-B", "COIN-A"]


def test_market_filters_and_the_two_vocabularies_of_status() -> None:
    desk = Desk()
    desk.exchange.add_market(
        market("SOON-A", open_ms=START_MS + HOUR_MS, event_ticker="SOON", series_ticker="SSOON")
    )
    desk.exchange.set_status("RAIN-B", "inactive")
    desk.exchange.close_market("COIN-A")

    def tickers(**query: Any) -> list[str]:
        return [row["ticker"] for row in desk.get("/markets", **query).body["markets"]]

    assert tickers(status="open") == [TICKER]
    assert tickers(status="paused") == ["RAIN-B"]
    assert tickers(status="closed") == ["COIN-A"]
    assert tickers(status="unopened") == ["SOON-A"]
    desk.exchange.settle("COIN-A", "no")
    assert tickers(status="settled") == ["COIN-A"]
    assert tickers(tickers="RAIN-A,COIN-A") == [TICKER, "COIN-A"]
    assert tickers(series_ticker="SSOON") == tickers(event_ticker="SOON") == ["SOON-A"]
    assert tickers(mve_filter="only") == []
    assert desk.get("/markets", status="finalized").code == "bad_request"
    assert desk.get("/markets/SOON-A").body["market"]["status"] == "initialized"


def test_min_updated_ts_sees_only_what_changed_later() -> None:
    desk = Desk()
    desk.clock.advance_ms(5_000)
    desk.exchange.set_price_ranges(TICKER, ((0, 10_000, 10),))
    desk.exchange.background_order("RAIN-B", "bid", 4000, 100)
    rows = desk.get("/markets", min_updated_ts=NOW_S + 1).body["markets"]
    assert [row["ticker"] for row in rows] == [TICKER]
    assert rows[0]["price_ranges"] == [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}]


def test_the_market_list_may_come_from_a_cache() -> None:
    desk = Desk(Knobs(markets_cache_ms=15_000))
    before = desk.get("/markets").body
    desk.exchange.background_order(TICKER, "bid", 4000, 100)
    desk.clock.advance_ms(14_999)
    assert desk.get("/markets").body == before
    desk.clock.advance_ms(1)
    assert desk.get("/markets").body["markets"][0]["yes_bid_dollars"] == "0.4000"


def test_books_are_bids_on_both_legs_sorted_as_the_knob_says() -> None:
    desk = Desk()
    desk.exchange.set_background_book(TICKER, [(4400, 7550), (4300, 12_000)], [(4600, 1_000), (4700, 4_000)])
    book = desk.get(f"/markets/{TICKER}/orderbook").body["orderbook_fp"]
    assert book == {
        "yes_dollars": [["0.4300", "120.00"], ["0.4400", "75.50"]],
        "no_dollars": [["0.5300", "40.00"], ["0.5400", "10.00"]],
    }
    top = desk.get(f"/markets/{TICKER}/orderbook", depth=1).body["orderbook_fp"]
    assert top == {"yes_dollars": [["0.4400", "75.50"]], "no_dollars": [["0.5400", "10.00"]]}
    desk.exchange.knobs = Knobs(book_levels_sorted="descending", empty_book_side_is_null=True)
    assert desk.get(f"/markets/{TICKER}/orderbook").body["orderbook_fp"]["yes_dollars"][0] == [
        "0.4400",
        "75.50",
    ]
    assert desk.get("/markets/COIN-A/orderbook").body["orderbook_fp"]["yes_dollars"] is None


def test_many_books_in_one_call() -> None:
    desk = Desk()
    desk.rest()
    query = [("tickers", "COIN-A"), ("tickers", TICKER), ("tickers", "NO-SUCH")]
    rows = desk.call("GET", "/markets/orderbooks", query).body["orderbooks"]
    assert [row["ticker"] for row in rows] == ["COIN-A", TICKER]
    assert rows[1]["orderbook_fp"]["yes_dollars"] == [["0.4000", "10.00"]]
    assert desk.call("GET", "/markets/orderbooks", [("tickers", f"T{i}") for i in range(101)]).status == 400
    assert desk.call("GET", "/markets/orderbooks").status == 400
    desk.exchange.knobs = Knobs(unknown_book_ticker="refused")
    assert desk.call("GET", "/markets/orderbooks", query).status == 404


def test_prints_are_public_newest_first_and_say_who_took() -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "10.00")
    for _ in range(3):
        desk.taken("ask", 4000, 100)
        desk.clock.advance_ms(1_000)
    rows = pages(desk, "/markets/trades", "trades", ticker=TICKER, limit=2)
    assert len(rows) == 3
    assert rows[0]["created_time"] > rows[2]["created_time"]
    assert (rows[0]["taker_book_side"], rows[0]["taker_outcome_side"]) == ("ask", "no")
    assert len(desk.get("/markets/trades", min_ts=NOW_S + 1).body["trades"]) == 2
    assert desk.get("/markets/trades", ticker="COIN-A").body["trades"] == []
    row = desk.get(f"/markets/{TICKER}").body["market"]
    assert (row["last_price_dollars"], row["volume_24h_fp"]) == ("0.4000", "3.00")


def test_events_gather_their_markets() -> None:
    desk = Desk()
    lone = MarketSpec(
        ticker="L-1",
        event_ticker="L",
        series_ticker="SL",
        open_ms=0,
        close_ms=9**15,
        mutually_exclusive=False,
    )
    desk.exchange.add_market(lone)
    rows = pages(desk, "/events", "events", limit=1)
    assert [(row["event_ticker"], row["collateral_return_type"]) for row in rows] == [
        ("COIN", "MECNET"),
        ("L", ""),
        ("RAIN", "MECNET"),
    ]
    nested = desk.get("/events", with_nested_markets="true", tickers="RAIN").body["events"][0]
    assert [row["ticker"] for row in nested["markets"]] == [TICKER, "RAIN-B"]
    assert [row["ticker"] for row in desk.get("/events/RAIN").body["markets"]] == [TICKER, "RAIN-B"]
    assert desk.get("/events/NONE").status == 404
    assert desk.get("/events", limit=201).status == 400


def test_prints_of_the_whole_exchange_come_page_by_page() -> None:
    desk = Desk()
    desk.rest("bid", "0.4000", "10.00")
    desk.rest("bid", "0.4000", "10.00", ticker="COIN-A", exchange_index=2)
    for ticker in (TICKER, "COIN-A", TICKER):
        desk.taken("ask", 4000, 100, ticker)
        desk.clock.advance_ms(1_000)

    rows = pages(desk, "/markets/trades", "trades", limit=2)

    assert [row["ticker"] for row in rows] == [TICKER, "COIN-A", TICKER]
    assert len(desk.get("/markets/trades", min_ts=NOW_S + 1, max_ts=NOW_S + 1).body["trades"]) == 1


def test_incentive_programs_hang_together_by_next_cursor() -> None:
    desk = Desk()
    span = {"start_ms": START_MS - HOUR_MS, "end_ms": START_MS + HOUR_MS, "reward_e4": 200_000}
    desk.exchange.venue.programs += [
        IncentiveProgram(id="p-1", ticker=TICKER, **span),
        IncentiveProgram(id="p-2", ticker="RAIN-B", **span | {"start_ms": START_MS + 1}),
        IncentiveProgram(id="p-3", ticker="COIN-A", target_e2=None, discount_bps=None, **span),
        IncentiveProgram(id="p-4", ticker="COIN-A", kind="volume", **span),
        IncentiveProgram(id="p-5", ticker="COIN-A", paid_out=True, **span),
    ]

    def listed(**query: Any) -> list[str]:
        return [row["id"] for row in desk.get("/incentive_programs", **query).body["incentive_programs"]]

    first = desk.get("/incentive_programs", limit=1, status="active", type="liquidity").body
    rest = desk.get(
        "/incentive_programs", limit=1, status="active", type="liquidity", cursor=first["next_cursor"]
    ).body
    (row,) = first["incentive_programs"]
    assert (row["id"], row["period_reward"], row["target_size_fp"]) == ("p-1", 200_000, "300.00")
    assert [row["id"] for row in rest["incentive_programs"]] == ["p-3"]
    assert (rest["incentive_programs"][0]["target_size_fp"], "next_cursor" in rest) == (None, False)
    assert listed(status="upcoming") == ["p-2"]
    assert (listed(status="paid_out"), listed(type="volume")) == (["p-5"], ["p-4"])
    assert listed() == ["p-1", "p-2", "p-3", "p-4", "p-5"]
    assert listed(status="running") == []
    assert desk.get("/incentive_programs", limit=10_001).status == 400
