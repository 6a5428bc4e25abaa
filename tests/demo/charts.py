"""The pictures of a report: each function turns part of a run into one figure.

Only here do exact ints become floats: a picture needs no more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tests.demo.observation import CycleRow, Observation, Sample
from tests.demo.options import MINUTE_MS
from tests.simulator.model import Fill

Span = tuple[int, int]
"""First and last moment of every time axis, in Unix milliseconds."""

INK, MUTED, GRID = "#1f2933", "#7b8794", "#e4e7eb"
BID, ASK, HOLD, GAIN, WRONG = "#1d6fb8", "#c2620c", "#52606d", "#0b7a5b", "#b91c1c"
BAND, BAND_EDGE, HELD, THIN = (
    "rgba(123,135,148,0.16)", "rgba(123,135,148,0.55)", "rgba(82,96,109,0.15)", "rgba(123,135,148,0.45)",
)  # fmt: skip
OUTCOMES = {"kept": "#cbd2d9", "placed": BID, "cancelled": "#9fb3c8", "failed": ASK, "unknown": WRONG}
BUCKETS = (BID, "#5b9bd5", "#9fb3c8", "#cbd2d9")
FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"
MARKET_HEIGHT, STRIP_HEIGHT = 340, 250


def market_chart(samples: list[Sample], fills: list[Fill], span: Span) -> go.Figure:
    """Our quotes against everybody else's book with our fills on them; the position below."""
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.07)
    for number, run in enumerate(_two_sided(samples)):
        _band(figure, run, named=number == 0)
    _steps(figure, samples, "our bid", BID, lambda sample: sample.our_bid_e4)
    _steps(figure, samples, "our ask", ASK, lambda sample: sample.our_ask_e4)
    _marks(figure, (fill for fill in fills if fill.order.side == "bid"), "bought", "triangle-up", BID)
    _marks(figure, (fill for fill in fills if fill.order.side == "ask"), "sold", "triangle-down", ASK)
    _position(figure, samples)
    figure.update_yaxes(title_text="$ of YES", row=1, col=1, tickformat=".2f")
    figure.update_yaxes(title_text="position", row=2, col=1)
    return _styled(figure, MARKET_HEIGHT, span)


def _two_sided(samples: list[Sample]) -> Iterator[list[Sample]]:
    """Stretches in which others bid and ask, each with the moment that ended it."""
    for both, run in groupby(samples, key=lambda sample: None not in (sample.bid_e4, sample.ask_e4)):
        if both:
            yield list(run)


def _band(figure: go.Figure, run: list[Sample], *, named: bool) -> None:
    """The space between everybody else's best bid and ask."""
    times = [_time(sample.at_ms) for sample in run]
    line = {"width": 0.8, "color": BAND_EDGE, "shape": "hv"}
    both = {"x": times, "line": line, "mode": "lines", "legendgroup": "book"}
    bids, asks = ([_dollars(price) for price in side] for side in zip(*map(_touch, run), strict=True))
    figure.add_trace(go.Scatter(y=bids, name="best bid", showlegend=False, **both))
    area = {"fill": "tonexty", "fillcolor": BAND}
    figure.add_trace(go.Scatter(y=asks, name="the book", showlegend=named, **both, **area))


def _touch(sample: Sample) -> tuple[int | None, int | None]:
    return sample.bid_e4, sample.ask_e4


def _steps(
    figure: go.Figure, samples: list[Sample], name: str, colour: str, price_of: Callable[[Sample], int | None]
) -> None:
    times, prices = [_time(s.at_ms) for s in samples], [_dollars(price_of(s)) for s in samples]
    line = {"color": colour, "width": 1.8, "shape": "hv"}
    figure.add_trace(go.Scatter(x=times, y=prices, name=name, mode="lines", line=line, connectgaps=False))


def _marks(figure: go.Figure, fills: Iterable[Fill], name: str, symbol: str, colour: str) -> None:
    rows = list(fills)
    marker = {"symbol": symbol, "size": 11, "color": colour, "line": {"color": "white", "width": 1.2}}
    figure.add_trace(
        go.Scatter(
            x=[_time(fill.at_ms) for fill in rows],
            y=[_dollars(fill.trade.price_e4) for fill in rows],
            text=[f"{fill.trade.count_e2 / 100:g} contracts" for fill in rows],
            name=name,
            mode="markers",
            marker=marker,
        )
    )


def _position(figure: go.Figure, samples: list[Sample]) -> None:
    """Net YES contracts held; below zero they are NO."""
    times, held = [_time(s.at_ms) for s in samples], [s.net_e2 / 100 for s in samples]
    line = {"color": HOLD, "width": 1.2, "shape": "hv"}
    area = {"fill": "tozeroy", "fillcolor": HELD, "showlegend": False}
    figure.add_trace(
        go.Scatter(x=times, y=held, name="position", mode="lines", line=line, **area), row=2, col=1
    )


def profit_chart(seen: Observation, span: Span) -> go.Figure:
    """Profit after fees, marked at the middle of the book: all markets together, and each of them thin."""
    figure = go.Figure()
    columns = list(seen.samples.values())
    times = [_time(sample.at_ms) for sample in columns[0]]
    for ticker, samples in seen.samples.items():
        line = {"color": THIN, "width": 1, "shape": "hv"}
        gains = [float(sample.profit_e6) / 1e6 for sample in samples]
        thin = {"mode": "lines", "line": line, "showlegend": False, "hoverinfo": "skip"}
        figure.add_trace(go.Scatter(x=times, y=gains, name=ticker, **thin))
    totals = [float(sum(sample.profit_e6 for sample in row)) / 1e6 for row in zip(*columns, strict=True)]
    line = {"color": GAIN, "width": 2.6, "shape": "hv"}
    figure.add_trace(go.Scatter(x=times, y=totals, name="all markets", mode="lines", line=line))
    figure.add_hline(y=0, line={"color": MUTED, "width": 1})
    figure.update_yaxes(title_text="$ after fees")
    return _styled(figure, STRIP_HEIGHT, span).update_layout(showlegend=False)


def token_chart(write_tokens: dict[str, list[tuple[int, int]]], budget: int, span: Span) -> go.Figure:
    """Write tokens used in each minute, by bucket, as a share of what the tier refills in a minute."""
    figure = go.Figure()
    minutes = range(span[0], span[1], MINUTE_MS)
    times = [_time(minute) for minute in minutes]
    for name, colour in zip(sorted(write_tokens), BUCKETS, strict=False):
        used = _by_minute(write_tokens[name])
        figure.add_trace(
            go.Bar(
                x=times,
                y=[100 * used[minute] / budget for minute in minutes],
                customdata=[used[minute] for minute in minutes],
                hovertemplate="%{customdata} tokens, %{y:.2f} %",
                name=name.replace(":", ", shard "),
                marker_color=colour,
            )
        )
    figure.update_yaxes(rangemode="tozero", ticksuffix=" %")
    return _styled(figure, STRIP_HEIGHT, span).update_layout(barmode="stack")


def _by_minute(spent: list[tuple[int, int]]) -> Counter[int]:
    used: Counter[int] = Counter()
    for at_ms, cost in spent:
        used[at_ms // MINUTE_MS * MINUTE_MS] += cost
    return used


def outcome_chart(cycles: list[CycleRow], span: Span) -> go.Figure:
    """What became of every quote, cycle by cycle; a cross where a cycle did not complete."""
    figure = go.Figure()
    times = [_time(row.at_ms) for row in cycles]
    for name, colour in OUTCOMES.items():
        counts = [row.answer.get(name, 0) for row in cycles]
        if any(counts):
            figure.add_trace(go.Bar(x=times, y=counts, name=name, marker_color=colour))
    odd = [row for row in cycles if row.answer["status"] != "completed"]
    if odd:
        _crosses(figure, odd)
    figure.update_yaxes(title_text="orders", rangemode="tozero")
    return _styled(figure, STRIP_HEIGHT, span).update_layout(barmode="stack")


def _crosses(figure: go.Figure, rows: list[CycleRow]) -> None:
    times = [_time(row.at_ms) for row in rows]
    said = [f"{row.answer['status']} {row.answer.get('reason', '')}".strip() for row in rows]
    marker = {"symbol": "x", "size": 9, "color": WRONG}
    figure.add_trace(
        go.Scatter(x=times, y=[0] * len(rows), text=said, mode="markers", marker=marker, name="not completed")
    )


def _styled(figure: go.Figure, height: int, span: Span) -> go.Figure:
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 58, "r": 12, "t": 30, "b": 30},
        font={"family": FONT, "size": 12, "color": INK},
        legend={
            "orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 11},
            "traceorder": "normal", "itemwidth": 30,
        },
        hovermode="x unified",
        bargap=0.15,
        showlegend=True,
    )  # fmt: skip
    axis = {"gridcolor": GRID, "linecolor": GRID, "showline": True, "ticks": "outside", "tickcolor": GRID}
    first, last = span
    figure.update_xaxes(**axis, tickformat="%H:%M", hoverformat="%H:%M:%S", range=[_time(first), _time(last)])
    title = {"title_font": {"size": 11, "color": MUTED}, "title_standoff": 6}
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, ticks="outside", tickcolor="white", **title)
    return figure


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).replace(tzinfo=None)


def _dollars(price_e4: int | None) -> float | None:
    return None if price_e4 is None else price_e4 / 10_000
