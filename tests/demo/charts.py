"""Two pictures of a report, tokens and outcomes; all others are drawn by the page (`report.js`)."""

from collections import Counter
from datetime import UTC, datetime

import plotly.graph_objects as go

from tests.demo.observation import CycleRow
from tests.demo.options import MINUTE_MS

Span = tuple[int, int]
"""First and last moment of every time axis, in Unix milliseconds."""

INK, MUTED, GRID = "#1f2933", "#7b8794", "#e4e7eb"
BID, ASK, WRONG = "#1d6fb8", "#c2620c", "#b91c1c"
OUTCOMES = {"kept": "#cbd2d9", "placed": BID, "cancelled": "#9fb3c8", "failed": ASK, "unknown": WRONG}
BUCKETS = (BID, "#5b9bd5", "#9fb3c8", "#cbd2d9")
FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"
STRIP_HEIGHT = 270


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
    figure.update_yaxes(title_text="tokens, % of a minute's refill", rangemode="tozero")
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
    figure.update_yaxes(title_text="orders in a cycle", rangemode="tozero")
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
        margin={"l": 58, "r": 12, "t": 30, "b": 44},
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
    title = {"title_font": {"size": 11, "color": MUTED}, "title_standoff": 6}
    span_of_time = {"range": [_time(first), _time(last)], "title_text": "time, UTC"}
    figure.update_xaxes(**axis, **title, **span_of_time, tickformat="%H:%M", hoverformat="%H:%M:%S")
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, ticks="outside", tickcolor="white", **title)
    return figure


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).replace(tzinfo=None)
