"""The pictures of a report: each function turns part of a run into one figure.

Only here do exact ints become floats: a picture needs no more.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tests.demo.observation import CycleRow, Observation, Sample
from tests.demo.options import MINUTE_MS
from tests.simulator.model import Fill

INK, MUTED, GRID = "#1f2933", "#7b8794", "#e4e7eb"
BOOK = "rgba(123,135,148,0.16)"
BID, ASK, HOLD, GAIN = "#1d6fb8", "#c2620c", "#52606d", "#0b7a5b"
OUTCOME_COLOURS = {
    "kept": "#cbd2d9", "placed": "#1d6fb8", "cancelled": "#9fb3c8", "failed": "#c2620c", "unknown": "#b91c1c",
}  # fmt: skip
FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"
MARKET_HEIGHT, STRIP_HEIGHT = 330, 250


def market_chart(samples: list[Sample], fills: list[Fill]) -> go.Figure:
    """Our quotes against everybody else's book with our fills on them; the inventory below."""
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.07)
    times = [_time(sample.at_ms) for sample in samples]
    _band(figure, times, samples)
    _steps(figure, times, [_dollars(s.our_bid_e4) for s in samples], "our bid", BID)
    _steps(figure, times, [_dollars(s.our_ask_e4) for s in samples], "our ask", ASK)
    _marks(figure, (fill for fill in fills if fill.order.side == "bid"), "bought", "triangle-up", BID)
    _marks(figure, (fill for fill in fills if fill.order.side == "ask"), "sold", "triangle-down", ASK)
    held = [sample.net_e2 / 100 for sample in samples]
    line = {"color": HOLD, "width": 1.2, "shape": "hv"}
    area = go.Scatter(x=times, y=held, name="position", line=line, fill="tozeroy", fillcolor="rgba(82,96,109,0.15)")
    figure.add_trace(area.update(mode="lines", showlegend=False), row=2, col=1)
    figure.update_yaxes(title_text="$ of YES", row=1, col=1, tickformat=".2f")
    figure.update_yaxes(title_text="position", row=2, col=1)
    return _styled(figure, MARKET_HEIGHT)


def _band(figure: go.Figure, times: list[datetime], samples: list[Sample]) -> None:
    """The space between everybody else's best bid and ask."""
    edge = {"width": 0.8, "color": "rgba(123,135,148,0.55)", "shape": "hv"}
    bids, asks = ([_dollars(price) for price in side] for side in zip(*((s.bid_e4, s.ask_e4) for s in samples), strict=True))
    figure.add_trace(go.Scatter(x=times, y=bids, line=edge, mode="lines", name="best bid", showlegend=False))
    band = go.Scatter(x=times, y=asks, line=edge, mode="lines", fill="tonexty", fillcolor=BOOK, name="the book")
    figure.add_trace(band)


def _steps(figure: go.Figure, times: list[datetime], prices: list[float | None], name: str, colour: str) -> None:
    line = {"color": colour, "width": 1.8, "shape": "hv"}
    figure.add_trace(go.Scatter(x=times, y=prices, name=name, mode="lines", line=line, connectgaps=False))


def _marks(figure: go.Figure, fills: Iterable[Fill], name: str, symbol: str, colour: str) -> None:
    rows = list(fills)
    marker = {"symbol": symbol, "size": 11, "color": colour, "line": {"color": "white", "width": 1.2}}
    trace = go.Scatter(
        x=[_time(fill.at_ms) for fill in rows],
        y=[_dollars(fill.trade.price_e4) for fill in rows],
        text=[f"{fill.trade.count_e2 / 100:g} contracts" for fill in rows],
        name=name, mode="markers", marker=marker,
    )  # fmt: skip
    figure.add_trace(trace)


def profit_chart(seen: Observation) -> go.Figure:
    """Profit after fees, marked at the middle of the book: all markets together, and each of them thin."""
    figure = go.Figure()
    columns = list(seen.samples.values())
    times = [_time(sample.at_ms) for sample in columns[0]]
    for ticker, samples in seen.samples.items():
        line = {"color": "rgba(123,135,148,0.45)", "width": 1, "shape": "hv"}
        values = [float(sample.profit_e6) / 1e6 for sample in samples]
        figure.add_trace(go.Scatter(x=times, y=values, name=ticker, mode="lines", line=line, showlegend=False))
    totals = [float(sum(row.profit_e6 for row in rows)) / 1e6 for rows in zip(*columns, strict=True)]
    line = {"color": GAIN, "width": 2.6, "shape": "hv"}
    figure.add_trace(go.Scatter(x=times, y=totals, name="all markets", mode="lines", line=line))
    figure.add_hline(y=0, line={"color": MUTED, "width": 1})
    figure.update_yaxes(title_text="$ after fees")
    return _styled(figure, STRIP_HEIGHT)


def token_chart(write_tokens: dict[str, list[tuple[int, int]]], budget: int, span: tuple[int, int]) -> go.Figure:
    """Write tokens used in each minute, by bucket, as a share of what the tier refills in a minute."""
    figure = go.Figure()
    minutes = list(range(span[0], span[1], MINUTE_MS))
    for name, colour in zip(sorted(write_tokens), ("#1d6fb8", "#5b9bd5", "#9fb3c8", "#cbd2d9"), strict=False):
        used: Counter[int] = Counter()
        for at_ms, cost in write_tokens[name]:
            used[at_ms // MINUTE_MS * MINUTE_MS] += cost
        shares = [100 * used[minute] / budget for minute in minutes]
        counts = [used[minute] for minute in minutes]
        hover = "%{customdata} tokens, %{y:.2f} %"
        bars = go.Bar(x=[_time(m) for m in minutes], y=shares, customdata=counts, hovertemplate=hover, name=name)
        figure.add_trace(bars.update(marker_color=colour))
    figure.update_yaxes(title_text=f"% of {budget:,} a minute", rangemode="tozero", ticksuffix=" %")
    return _styled(figure, STRIP_HEIGHT).update_layout(barmode="stack")


def outcome_chart(cycles: list[CycleRow]) -> go.Figure:
    """What became of every order and cancel, cycle by cycle."""
    figure = go.Figure()
    times = [_time(row.at_ms) for row in cycles]
    for name, colour in OUTCOME_COLOURS.items():
        counts = [row.answer[name] for row in cycles]
        if any(counts):
            figure.add_trace(go.Bar(x=times, y=counts, name=name, marker_color=colour))
    odd = [row for row in cycles if row.answer["status"] != "completed"]
    if odd:
        labels = [f"{row.answer['status']}: {row.answer.get('reason', '')}" for row in odd]
        marker = {"symbol": "x", "size": 9, "color": OUTCOME_COLOURS["unknown"]}
        cross = go.Scatter(x=[_time(row.at_ms) for row in odd], y=[0] * len(odd), text=labels, mode="markers")
        figure.add_trace(cross.update(marker=marker, name="not completed"))
    figure.update_yaxes(title_text="orders", rangemode="tozero")
    return _styled(figure, STRIP_HEIGHT).update_layout(barmode="stack")


def _styled(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        template="plotly_white", height=height, margin={"l": 58, "r": 12, "t": 30, "b": 30},
        font={"family": FONT, "size": 12, "color": INK}, paper_bgcolor="white", plot_bgcolor="white",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
        hovermode="x unified", bargap=0.15,
    )  # fmt: skip
    figure.update_xaxes(gridcolor=GRID, showline=True, linecolor=GRID, tickformat="%H:%M", hoverformat="%H:%M:%S")
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, title_font={"size": 11, "color": MUTED}, title_standoff=6)
    return figure


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).replace(tzinfo=None)


def _dollars(price_e4: int | None) -> float | None:
    return None if price_e4 is None else price_e4 / 10_000
