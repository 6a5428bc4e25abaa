"""report.html: one self-contained page, readable without a network."""

from collections import Counter
from fractions import Fraction
from html import escape
from pathlib import Path
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tests.demo.charts import market_chart, outcome_chart, profit_chart, token_chart
from tests.demo.options import iso
from tests.demo.run import Run

PAGE = Path(__file__).with_name("report.template.html")
MOST_MARKETS = 6
CONFIG = {"displayModeBar": False, "responsive": True}


def render(run: Run) -> str:
    """The page as text."""
    page = Template(PAGE.read_text(encoding="utf-8"))
    return page.substitute(
        plotly=get_plotlyjs(),
        lead=escape(_lead(run)),
        figures="".join(_figures(run)),
        breaches="".join(_breaches(run)),
        profit=_drawn(profit_chart(run.seen), "profit"),
        markets="".join(_market_cards(run)),
        tokens=_drawn(token_chart(run.write_tokens, run.write_budget, _span(run)), "tokens"),
        outcomes=_drawn(outcome_chart(run.seen.cycles), "outcomes"),
    )


def most_traded(run: Run) -> list[str]:
    """The markets with most of our contracts first; where nothing traded, by ticker."""
    traded: Counter[str] = Counter()
    for fill in run.fills:
        traded[fill.trade.ticker] += fill.trade.count_e2
    return sorted(run.seen.tickers, key=lambda ticker: (-traded[ticker], ticker))[:MOST_MARKETS]


def _lead(run: Run) -> str:
    told = run.summary
    source = f"{told['data']}, from {told['start'].replace('T', ' ').rstrip('Z')} UTC" if isinstance(told["start"], str) else ""
    plant = f" The exchange was told to cheat: {told['plant']}." if told["plant"] else ""
    return (
        f"{source}. {told['cycles']} one-minute cycles over {told['markets']} markets, "
        f"{told['tier']} tier, seed {told['seed']}.{plant}"
    )


def _figures(run: Run) -> list[str]:
    told = run.summary
    slots, quoted = run.summary["slot_cycles"], run.summary["slot_cycles_quoted"]
    share = f"{100 * int(str(quoted)) / int(str(slots)):.1f} %"
    return [
        _figure("slots quoted", share, f"{quoted} of {slots}"),
        _figure("profit after fees", _dollars(told["pnl_dollars"]), f"fees {_dollars(told['fees_dollars'])}"),
        _figure("fills", str(told["fills"]), f"{told['contracts']} contracts"),
        _figure("placed", str(told["placed"]), f"{told['mean_batch']} a batch"),
        _figure("cancelled", str(told["cancelled"]), f"{told['kept']} kept"),
        _figure("requests a cycle", str(told["http_calls_per_cycle"]), f"{told['http_calls']} in all"),
        _figure("failed or unknown", f"{told['failed']} / {told['unknown']}", f"404 {told['cancel_404']}, 429 {told['rejected_429']}", bad=bool(told["failed"] or told["unknown"])),
        _figure("rules broken", str(told["invariants_broken"]), f"position drift {told['position_drift']}", bad=bool(told["invariants_broken"] or told["position_drift"])),
        _figure("open afterwards", str(told["open_after_teardown"]), f"session {told['teardown_status']}", bad=bool(told["open_after_teardown"])),
    ]  # fmt: skip


def _figure(name: str, value: str, note: str, *, bad: bool = False) -> str:
    kind = "figure bad" if bad else "figure"
    return f'<div class="{kind}"><b>{escape(value)}</b><span>{escape(name)}</span><i>{escape(note)}</i></div>'


def _dollars(value: object) -> str:
    """For reading: two decimals of a dollar, from a decimal string or a number."""
    value = float(value) if isinstance(value, Fraction) else float(str(value))
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"


def _breaches(run: Run) -> list[str]:
    if not run.breaches:
        return []
    rows = [f"<li><b>{breach.invariant}</b> {iso(breach.at_ms)} {escape(breach.text)}</li>" for breach in run.breaches[:10]]
    more = f"<li>and {len(run.breaches) - 10} more</li>" if len(run.breaches) > 10 else ""
    return ['<section class="card breaches"><h2>Broken rules</h2><ul>', *rows, more, "</ul></section>"]


def _market_cards(run: Run) -> list[str]:
    return [_market_card(run, number, ticker) for number, ticker in enumerate(most_traded(run))]


def _market_card(run: Run, number: int, ticker: str) -> str:
    samples = run.seen.samples[ticker]
    fills = [fill for fill in run.fills if fill.trade.ticker == ticker]
    contracts = sum(fill.trade.count_e2 for fill in fills) / 100
    profit = _dollars(samples[-1].profit_e6 / 10**6)
    note = f"{len(fills)} fills, {contracts:g} contracts, {profit} after fees"
    chart = _drawn(market_chart(samples, fills), f"market{number}")
    return f'<section class="card"><h2>{escape(ticker)}</h2><p class="note">{note}</p>{chart}</section>'


def _span(run: Run) -> tuple[int, int]:
    return run.scene.start_ms, run.scene.end_ms


def _drawn(figure: go.Figure, name: str) -> str:
    """A figure with an id of its own, so that the same run gives the same page."""
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG, div_id=name)
    return text
