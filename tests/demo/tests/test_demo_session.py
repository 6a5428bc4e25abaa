"""A short demo, end to end: the real handlers over a synthetic market, its figures, its files, its plants."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.demo.__main__ import main
from tests.demo.interval import interval
from tests.demo.labels import LABELS, MUST_BE_ZERO
from tests.demo.options import MINUTE_MS, DemoError, Options
from tests.demo.report import most_traded, render
from tests.demo.run import Run, run
from tests.demo.scene import SYNTHETIC_START_MS, choose_scene
from tests.simulator.plant import MODES
from tests.support.flow_fakes import TWO_PRINTS, write_gzip
from tests.world.bot import Answer
from tests.world.output import facts_in

SHORT = Options(cycles=24, markets=8)
ON_FILE = Path("tests/demo/order_requests_24_cycles_8_markets.txt")
"""Made by `make demo CYCLES=24 MARKETS=8`, which leaves `build/demo/order_requests.txt`."""
KEYS = frozenset(
    [
        "data",
        "start",
        "cycles",
        "markets",
        "seed",
        "tier",
        "plant",
        "slot_cycles",
        "slot_cycles_quoted",
        "placed",
        "cancelled",
        "kept",
        "failed",
        "unknown",
        "mean_batch",
        "http_calls",
        "http_calls_per_cycle",
        "cancel_404",
        "rejected_429",
        "fills",
        "contracts",
        "position_drift",
        "pnl_dollars",
        "fees_dollars",
        "pnl_by_market",
        "markets_paid_out",
        "ledger_difference_micro_dollars",
        "cash_difference_micro_dollars",
        "invariants_broken",
        "open_after_teardown",
        "teardown_status",
        "seconds",
    ]
)


def nobody(_number: int, _answer: Answer) -> None:
    """Hears of every cycle and says nothing."""


def play(options: Options = SHORT) -> Run:
    return run(choose_scene(options), nobody)


def figures(done: Run) -> dict[str, object]:
    return {name: value for name, value in done.summary.items() if name != "seconds"}


@pytest.fixture(scope="module")
def short() -> Iterator[Run]:
    yield play()


def test_the_summary_has_its_keys_and_its_sums_agree(short: Run) -> None:
    told = short.summary
    assert told.keys() == KEYS
    assert (told["data"], told["start"]) == ("synthetic", "2026-03-02T15:00:00Z")
    assert told["slot_cycles"] == 24 * 8 * 2
    assert told["placed"] == sum(row.answer["placed"] for row in short.seen.cycles)
    assert Decimal(told["contracts"]) == Decimal(sum(fill.trade.count_e2 for fill in short.fills)) / 100


def test_the_profit_of_the_markets_is_the_profit(short: Run) -> None:
    """By the bot's own books, and recounted from the exchange's fills."""
    told = short.summary
    by_market = {ticker: Decimal(profit) for ticker, profit in told["pnl_by_market"].items()}
    assert by_market.keys() == {fill.trade.ticker for fill in short.fills} != set()
    assert sum(by_market.values()) == Decimal(told["pnl_dollars"])
    assert all(ticker in render(short) for ticker in by_market)


def test_a_clean_run_trades_and_every_wrong_thing_is_zero(short: Run) -> None:
    told = short.summary
    assert {name: told[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    assert told["teardown_status"] == "closed"
    assert min(told["placed"], told["cancelled"], told["kept"], told["fills"]) > 0
    assert 0 < told["slot_cycles_quoted"] <= told["slot_cycles"]


@pytest.fixture(scope="module")
def usual() -> Iterator[Run]:
    yield play(Options())


@pytest.mark.long
def test_the_default_demo_in_which_markets_close_fails_no_order(usual: Run) -> None:
    told = usual.summary

    assert {name: told[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)


def test_profit_is_the_cash_flow_of_the_fills_and_the_marked_position(short: Run) -> None:
    cash_e6 = sum(
        -f.trade.price_e4 * f.trade.count_e2 * (1 if f.order.side == "bid" else -1) for f in short.fills
    )
    held_e6 = Decimal(0)
    for samples in short.seen.samples.values():
        last = samples[-1]
        if last.net_e2:
            held_e6 += last.net_e2 * Decimal(last.bid_e4 + last.ask_e4) / 2
    assert Decimal(short.summary["pnl_dollars"]) == (cash_e6 + held_e6) / 10**6


def test_the_same_arguments_give_the_same_summary() -> None:
    small = Options(cycles=4, markets=4)

    assert figures(play(small)) == figures(play(small))


@pytest.mark.long
def test_a_run_over_real_sockets_is_as_clean() -> None:
    told = run(choose_scene(SHORT), nobody, wire="http", cloud="server").summary
    assert (told["invariants_broken"], told["open_after_teardown"], told["teardown_status"]) == (
        0,
        0,
        "closed",
    )
    assert told["fills"] > 0


def test_the_order_requests_of_the_short_run_are_the_ones_on_file(short: Run) -> None:
    """A change of structure changes none. Where one is meant to, write the file anew and say why."""
    assert list(short.order_requests) == ON_FILE.read_text(encoding="utf-8").splitlines()


@pytest.mark.long
def test_another_seed_gives_another_run(short: Run) -> None:
    assert figures(play(replace(SHORT, seed=2))) != figures(short) | {"seed": 2}


def test_every_cycle_is_one_minute_after_the_last_and_told(short: Run) -> None:
    begins = [row.at_ms for row in short.seen.cycles]
    assert all(later - earlier == MINUTE_MS for earlier, later in pairwise(begins))
    facts = facts_in(short.log)
    assert {"SESSION_INITIALIZED", "BATCH_PLACED", "ORDER_FILLED", "CYCLE", "SESSION_CLOSED"} <= {
        fact["event_type"] for fact in facts
    }
    assert sum(fact["event_type"] == "CYCLE" for fact in facts) == SHORT.cycles


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_each_plant_turns_a_zero_of_the_summary_non_zero(mode: str) -> None:
    told = play(replace(SHORT, plant=mode)).summary
    assert any(told[name] != 0 for name in MUST_BE_ZERO)


def own_part(page: str) -> str:
    """The page without the chart library."""
    return re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)


def data_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


def spread(changes: list[Any], length: int) -> list[Any]:
    """As `report.js` does it."""
    values: list[Any] = []
    for at in range(0, len(changes), 2):
        until = changes[at + 2] if at + 2 < len(changes) else length
        values += [changes[at + 1]] * (until - len(values))
    return values


def test_the_report_stands_alone_and_every_market_can_be_opened(short: Run) -> None:
    page = render(short)
    own = own_part(page)
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", own)
    assert all(f'id="market-{ticker}"' in own for ticker in short.seen.tickers)
    assert [market["name"] for market in data_of(page)["markets"]] == most_traded(short)
    assert page == render(short)


def test_the_charts_are_drawn_from_what_was_seen(short: Run) -> None:
    data = data_of(render(short))
    first = data["markets"][0]
    samples = short.seen.samples[first["name"]]
    assert spread(first["our_bid"], len(samples)) == [sample.our_bid_e4 for sample in samples]
    assert spread(first["net"], len(samples)) == [sample.net_e2 for sample in samples]
    assert len(data["times"]) == len(samples)
    assert sum(len(market["fills"]) for market in data["markets"]) == len(short.fills)


def test_the_strip_of_reasons_says_of_every_cycle_what_was_quoted_or_why_not(short: Run) -> None:
    data = data_of(render(short))
    decided = [fact for fact in facts_in(short.log) if fact["event_type"] == "DECISION_MADE"]
    reasons = {fact["skip_reason"] for fact in decided} - {""}
    words = [
        data["words"][place]
        for market in data["markets"]
        for place in spread(market["strip"], len(short.seen.cycles))
    ]
    assert len(words) == SHORT.cycles * SHORT.markets
    assert reasons <= set(words)
    assert {"both sides"} < set(words) <= {"both sides", "one side", "no_edge"} | reasons


@pytest.mark.long
def test_a_market_that_pays_out_is_marked_in_its_chart(usual: Run) -> None:
    told = {own["name"]: own["settled"] for own in data_of(render(usual))["markets"] if own["settled"]}
    assert told.keys() == usual.settled.keys()
    assert {value for _, value in told.values()} <= {0, 10_000}
    assert told


def test_reasons_are_told_in_words_under_each_chart_and_in_one_table(short: Run) -> None:
    own = own_part(render(short))
    rows = re.findall(r"<tr><td>(KX[^<]+|all markets)</td>(.*?)</tr>", own)
    told = {name: [int(count or 0) for count in re.findall(r"<td>(\d*)</td>", cells)] for name, cells in rows}
    assert told.keys() == {*short.seen.tickers, "all markets"}
    assert {sum(told[ticker]) for ticker in short.seen.tickers} == {SHORT.cycles}
    assert told["all markets"] == [sum(column) for column in zip(*list(told.values())[:-1], strict=True)]
    assert "<b>warming_up</b> in 10 of 24 cycles: It was not watched for" in own


def test_every_figure_of_a_summary_has_words_for_a_reader(short: Run) -> None:
    assert LABELS.keys() == {name for name, value in short.summary.items() if not isinstance(value, dict)}
    assert set(MUST_BE_ZERO) < LABELS.keys()


def test_the_made_up_markets_are_ones_that_the_defaults_trade_in(short: Run) -> None:
    """A demo in which nothing is quoted shows nothing; ten of its cycles are the warm-up."""
    assert short.summary["slot_cycles_quoted"] * 3 > short.summary["slot_cycles"]
    assert len({fill.trade.ticker for fill in short.fills}) > 2


def test_the_settings_of_a_run_are_told_with_their_defaults(short: Run) -> None:
    own = own_part(render(short))
    assert "<tr class=written><td>quote_size</td><td>10.00 contracts</td></tr>" in own
    assert "<tr><td>close_guard_s</td><td>300 seconds</td></tr>" in own
    assert "<tr class=written><td>seed</td><td>1</td></tr>" in own


def test_the_profit_is_told_with_its_interval_where_there_are_event_days_enough(short: Run) -> None:
    assert "event-days" in render(short)
    assert interval([1.0, -1.0]) is None
    low, high = interval([1.0] * 3 + [-1.0] * 3) or (0.0, 0.0)
    assert -6 <= low < 0 < high <= 6
    assert interval([2.0, 2.0, 2.0]) == (6.0, 6.0)


@pytest.mark.long
def test_a_broken_rule_is_named_in_the_report() -> None:
    done = play(replace(SHORT, plant="skip-fill"))
    assert "Broken rules" in render(done)
    assert "<b>I9</b>" in render(done)


def test_the_program_leaves_its_three_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "demo"
    assert main(["--cycles", "2", "--markets", "2", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "report.html" in told
    assert "None" not in told
    assert json.loads((out / "summary.json").read_text())["cycles"] == 2
    assert all(json.loads(line) for line in (out / "log.jsonl").read_text().splitlines())
    assert (out / "report.html").stat().st_size > 1_000_000


def test_a_start_at_which_nothing_is_open_is_one_line(tmp_path: Path) -> None:
    rows = write_gzip(tmp_path / "trades-two.csv.gz", TWO_PRINTS)
    with pytest.raises(DemoError, match=r"no market of trades-two is open at 2031-01-01T00:00:00Z"):
        choose_scene(replace(SHORT, data=rows, start_ms=1_924_992_000_000))


def test_without_a_start_the_busiest_stretch_is_played(tmp_path: Path) -> None:
    rows = write_gzip(tmp_path / "trades-two.csv.gz", TWO_PRINTS)
    scene = choose_scene(replace(SHORT, data=rows))
    assert scene.start_ms <= scene.recording.first_ms < scene.end_ms
    assert choose_scene(SHORT).start_ms == SYNTHETIC_START_MS
