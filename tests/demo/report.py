"""report.html: one self-contained page, readable without a network."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from html import escape
from pathlib import Path
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from dora.core.calendar import exchange_day
from dora.core.units import TimeMs
from tests.demo.charts import Span, outcome_chart, token_chart
from tests.demo.interval import interval
from tests.demo.options import MINUTE_MS, iso
from tests.demo.reasons import reason_table, why
from tests.demo.report_data import report_data
from tests.demo.run import Run
from tests.demo.settings_table import Row, settings_of
from tests.demo.strip import most_of_all, quoted_share, strips
from tests.demo.summary import Summary
from tests.simulator.invariants import Breach

PAGE = Path(__file__).with_name("report.template.html")
SCRIPT = PAGE.with_name("report.js")
OPEN_MARKETS = 4
"""So many charts are drawn at once; every other one when its line is opened."""
MOST_BREACHES = 10
CONFIG = {"displayModeBar": False, "responsive": True}


def render(run: Run) -> str:
    """The page as text."""
    span, order = _span(run), most_traded(run)
    words = strips(run.seen.tickers, run.seen.cycles, run.log)
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        plotly=get_plotlyjs(),
        lead=escape(_lead(run)),
        figures="".join(_figures(run)),
        breaches=_breaches(run.breaches),
        markets="".join(_market_card(run, at, ticker, words[ticker]) for at, ticker in enumerate(order)),
        budget=f"{run.write_budget:,}",
        reasons=reason_table(words, order),
        tokens=_drawn(token_chart(run.write_tokens, run.write_budget, span), "tokens"),
        outcomes=_drawn(outcome_chart(run.seen.cycles, span), "outcomes"),
        settings=_settings(run),
        data=_embedded(report_data(run, words, order)),
        script=SCRIPT.read_text(encoding="utf-8"),
    )


def most_traded(run: Run) -> list[str]:
    """All markets, those with most of our contracts first; where nothing traded, by ticker."""
    traded: Counter[str] = Counter()
    for fill in run.fills:
        traded[fill.trade.ticker] += fill.trade.count_e2
    return sorted(run.seen.tickers, key=lambda ticker: (-traded[ticker], ticker))


def _embedded(data: object) -> str:
    """JSON that no browser takes for the end of its script."""
    return json.dumps(data, separators=(",", ":")).replace("</", "<\\/")


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
    return [*_done(run), *_wrong(run.summary)]


def _sureness(run: Run) -> str:
    """The 95 % interval over event-days."""
    specs, events = run.scene.recording.markets, defaultdict[str, float](float)
    for ticker, samples in run.seen.samples.items():
        for sample, before in zip(samples, [None, *samples[:-1]], strict=True):
            day = exchange_day(TimeMs(sample.at_ms))
            earned = sample.profit_e6 - (before.profit_e6 if before else 0)
            events[f"{specs[ticker].event_ticker} {day}"] += float(earned) / 10**6
    found = interval(list(events.values()))
    if found is None:
        return f"{len(events)} event-days: no interval"
    return f"95 %: {_dollars(found[0])} to {_dollars(found[1])} over {len(events)} event-days"


def _done(run: Run) -> list[str]:
    told = run.summary
    share = 100 * int(str(told["slot_cycles_quoted"])) / int(str(told["slot_cycles"]))
    quoted = f"{told['slot_cycles_quoted']} of {told['slot_cycles']}"
    return [
        _figure("profit after fees", _dollars(told["pnl_dollars"]), _sureness(run)),
        _figure("fills", told["fills"], f"{told['contracts']} contracts"),
        _figure("of all quotes stood after a cycle", f"{share:.1f} %", quoted),
        _figure("orders placed", told["placed"], f"{told['mean_batch']} in a batch"),
        _figure("orders cancelled", told["cancelled"], f"{told['kept']} kept"),
        _figure("requests a cycle", told["http_calls_per_cycle"], f"{told['http_calls']} in all"),
        _fees(run),
    ]


def _fees(run: Run) -> str:
    """What was paid, and for what: a maker and a taker pay by the fee type of the series."""
    kinds = {run.scene.recording.markets[ticker].fee_type for ticker in run.scene.tickers}
    takers = sum(fill.is_taker for fill in run.fills)
    note = f"{len(run.fills) - takers} fills as maker, {takers} as taker; fee type {', '.join(sorted(kinds))}"
    return _figure("trade fees paid", _dollars(run.summary["fees_dollars"]), note)


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
    number = round(float(value) if isinstance(value, Fraction) else float(str(value)), 2)
    return f"{'-' if number < 0 else ''}${abs(number):,.2f}"


def _breaches(breaches: tuple[Breach, ...]) -> str:
    if not breaches:
        return ""
    rows = [f"<b>{b.invariant}</b> {iso(b.at_ms)} {escape(b.text)}" for b in breaches[:MOST_BREACHES]]
    if len(breaches) > MOST_BREACHES:
        rows.append(f"and {len(breaches) - MOST_BREACHES} more")
    listed = "".join(f"<li>{row}</li>" for row in rows)
    return f'<section class="card breaches"><h2>Broken rules</h2><ul>{listed}</ul></section>'


def _market_card(run: Run, place: int, ticker: str, words: list[str]) -> str:
    """One market: a line that says what it came to, and its chart when somebody opens it."""
    fills = [fill for fill in run.fills if fill.trade.ticker == ticker]
    contracts = sum(fill.trade.count_e2 for fill in fills) / 100
    last = run.seen.samples[ticker][-1]
    settled = run.settled.get(ticker)
    cells = [
        (f"<b>{escape(ticker)}</b>", ""),
        (_dollars(last.profit_e6 / 10**6), "after fees"),
        (f"{len(fills)}", f"fills, {contracts:g} contracts"),
        (f"{100 * quoted_share(words):.0f} %", "of cycles quoted"),
        (f"{last.net_e2 / 100:g}", "held") if settled is None else (f"${settled[1] / 10_000:g}", "settled"),
        ("", escape(most_of_all(words))),
    ]
    told = "".join(f"<span>{value} <i>{note}</i></span>" for value, note in cells)
    opened = " open" if place < OPEN_MARKETS else ""
    inside = f'<summary>{told}</summary><div class="chart"></div>{why(words)}'
    return f'<details class="card" id="market-{escape(ticker)}"{opened}>{inside}</details>'


def _settings(run: Run) -> str:
    """What the run was asked for, and every setting of its items."""
    setup = run.scene.setup("adapter", "process")
    asked = [(name, str(own), "", True) for name, own in vars(run.scene.options).items() if own is not None]
    tables = {"asked for": asked, **settings_of(setup.globals, next(iter(setup.items.values())))}
    return "".join(_setting_table(title, rows) for title, rows in tables.items())


def _setting_table(title: str, rows: Sequence[Row]) -> str:
    cells = (
        f"<tr{' class=written' if written else ''}><td>{escape(key)}</td>"
        f"<td>{escape(f'{value} {unit}'.rstrip())}</td></tr>"
        for key, value, unit, written in rows
    )
    return f"<table><caption>{escape(title)}</caption>{''.join(cells)}</table>"


def _span(run: Run) -> Span:
    """From the start of the session to the end of its teardown."""
    last_ms = max(samples[-1].at_ms for samples in run.seen.samples.values())
    return run.scene.start_ms, -(-last_ms // MINUTE_MS) * MINUTE_MS


def _drawn(figure: go.Figure, name: str) -> str:
    """A figure with an id of its own, so that the same run gives the same page."""
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG, div_id=name)
    return text
