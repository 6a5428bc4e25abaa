"""report.html: one self-contained page, readable without a network."""

from collections import Counter
from fractions import Fraction
from html import escape
from pathlib import Path
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tests.demo.charts import Span, market_chart, outcome_chart, profit_chart, token_chart
from tests.demo.options import MINUTE_MS, iso
from tests.demo.run import Run
from tests.demo.summary import Summary
from tests.simulator.invariants import Breach

PAGE = Path(__file__).with_name("report.template.html")
MOST_MARKETS = 6
MOST_BREACHES = 10
CONFIG = {"displayModeBar": False, "responsive": True}


def render(run: Run) -> str:
    """The page as text."""
    span = _span(run)
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        plotly=get_plotlyjs(),
        lead=escape(_lead(run)),
        figures="".join(_figures(run)),
        breaches=_breaches(run.breaches),
        profit=_drawn(profit_chart(run.seen, span), "profit"),
        by_market=_by_market(run.summary),
        markets="".join(_market_card(run, number, ticker) for number, ticker in enumerate(most_traded(run))),
        budget=f"{run.write_budget:,}",
        tokens=_drawn(token_chart(run.write_tokens, run.write_budget, span), "tokens"),
        outcomes=_drawn(outcome_chart(run.seen.cycles, span), "outcomes"),
    )


def most_traded(run: Run) -> list[str]:
    """The markets with most of our contracts first; where nothing traded, by ticker."""
    traded: Counter[str] = Counter()
    for fill in run.fills:
        traded[fill.trade.ticker] += fill.trade.count_e2
    return sorted(run.seen.tickers, key=lambda ticker: (-traded[ticker], ticker))[:MOST_MARKETS]


def _lead(run: Run) -> str:
    told = run.summary
    plant = f" The exchange was told to cheat: {told['plant']}." if told["plant"] else ""
    return (
        f"{told['data']}, from {iso(run.scene.start_ms).replace('T', ' ')[:16]} UTC: "
        f"{told['cycles']} one-minute cycles over {told['markets']} markets, "
        f"{told['tier']} tier, seed {told['seed']}.{plant}"
    )


def _figures(run: Run) -> list[str]:
    """What it did, then what should read zero."""
    told = run.summary
    return [*_done(told), *_wrong(told)]


def _done(told: Summary) -> list[str]:
    share = 100 * int(str(told["slot_cycles_quoted"])) / int(str(told["slot_cycles"]))
    quoted = f"{told['slot_cycles_quoted']} of {told['slot_cycles']}"
    return [
        _figure("profit after fees", _dollars(told["pnl_dollars"]), f"fees {_dollars(told['fees_dollars'])}"),
        _figure("fills", told["fills"], f"{told['contracts']} contracts"),
        _figure("of all quotes stood after a cycle", f"{share:.1f} %", quoted),
        _figure("orders placed", told["placed"], f"{told['mean_batch']} in a batch"),
        _figure("orders cancelled", told["cancelled"], f"{told['kept']} kept"),
        _figure("requests a cycle", told["http_calls_per_cycle"], f"{told['http_calls']} in all"),
    ]


def _wrong(told: Summary) -> list[str]:
    failed, unknown, drift = told["failed"], told["unknown"], told["position_drift"]
    not_found, too_many, broken = told["cancel_404"], told["rejected_429"], told["invariants_broken"]
    left = told["open_after_teardown"]
    books, cash = told["ledger_difference_micro_dollars"], told["cash_difference_micro_dollars"]
    return [
        _figure("orders failed", failed, f"{unknown} unknown", bad=failed != 0 or unknown != 0),
        _figure(
            "cancels that came too late", not_found, f"{too_many} over the rate limit", bad=too_many != 0
        ),
        _figure("rules broken", broken, f"{drift} positions wrong", bad=broken != 0 or drift != 0),
        _figure("micro-dollars wrong in books", books, f"{cash} in cash", bad=books != 0 or cash != 0),
        _figure("orders left open", left, f"session {told['teardown_status']}", bad=left != 0),
    ]


def _figure(name: str, value: object, note: str, *, bad: bool = False) -> str:
    kind = "figure bad" if bad else "figure"
    told = f"<b>{escape(str(value))}</b><span>{escape(name)}</span><i>{escape(note)}</i>"
    return f'<div class="{kind}">{told}</div>'


def _dollars(value: object) -> str:
    """For reading: two decimals of a dollar, from a decimal string or a number."""
    number = float(value) if isinstance(value, Fraction) else float(str(value))
    return f"{'-' if number < 0 else ''}${abs(number):,.2f}"


def _breaches(breaches: tuple[Breach, ...]) -> str:
    if not breaches:
        return ""
    rows = [f"<b>{b.invariant}</b> {iso(b.at_ms)} {escape(b.text)}" for b in breaches[:MOST_BREACHES]]
    if len(breaches) > MOST_BREACHES:
        rows.append(f"and {len(breaches) - MOST_BREACHES} more")
    listed = "".join(f"<li>{row}</li>" for row in rows)
    return f'<section class="card breaches"><h2>Broken rules</h2><ul>{listed}</ul></section>'


def _by_market(told: Summary) -> str:
    """A table of the markets that traded, the best first."""
    profits = told["pnl_by_market"]
    assert isinstance(profits, dict)
    ranked = sorted(profits.items(), key=lambda entry: (-Fraction(entry[1]), entry[0]))
    rows = (f"<tr><td>{escape(ticker)}</td><td>{_dollars(profit)}</td></tr>" for ticker, profit in ranked)
    return f"<table>{''.join(rows)}</table>"


def _market_card(run: Run, number: int, ticker: str) -> str:
    samples = run.seen.samples[ticker]
    fills = [fill for fill in run.fills if fill.trade.ticker == ticker]
    contracts = sum(fill.trade.count_e2 for fill in fills) / 100
    profit = _dollars(samples[-1].profit_e6 / 10**6)
    note = f"{len(fills)} fills, {contracts:g} contracts, {profit} after fees"
    chart = _drawn(market_chart(samples, fills, _span(run)), f"market{number}")
    return f'<section class="card"><h2>{escape(ticker)}</h2><p class="note">{note}</p>{chart}</section>'


def _span(run: Run) -> Span:
    """From the start of the session to the end of its teardown."""
    last_ms = max(samples[-1].at_ms for samples in run.seen.samples.values())
    return run.scene.start_ms, -(-last_ms // MINUTE_MS) * MINUTE_MS


def _drawn(figure: go.Figure, name: str) -> str:
    """A figure with an id of its own, so that the same run gives the same page."""
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG, div_id=name)
    return text
