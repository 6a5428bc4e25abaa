"""Charts as SVG, drawn here, so that the page needs neither a script nor a network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from dora.core.calendar import format_time
from dora.core.units import TimeMs
from dora.core.zones import DAY_MS

WIDTH, LEFT, BOTTOM, TOP = 1100, 62, 22, 8
INK, GRID, MUTED = "#1f2933", "#e4e7eb", "#7b8794"
TICKS = 4
Points = Sequence[tuple[int, float | None]]
"""Unix milliseconds and a value; None is a gap."""


@dataclass(frozen=True)
class Line:
    """A series drawn as steps. `name` is shown when the pointer rests on it."""

    name: str
    points: Points
    colour: str
    width: float = 1.8


@dataclass(frozen=True)
class Mark:
    """A dot, with what it says."""

    at_ms: int
    value: float
    colour: str
    says: str


@dataclass(frozen=True)
class Span:
    """The time axis of every chart of a page."""

    since_ms: int
    until_ms: int

    def x(self, at_ms: int) -> float:
        """Pixels from the left."""
        share = (at_ms - self.since_ms) / max(self.until_ms - self.since_ms, 1)
        return round(LEFT + share * (WIDTH - LEFT - 10), 1)

    def axis(self, height: int) -> str:
        """Times below a chart."""
        days = self.until_ms - self.since_ms > 2 * DAY_MS
        drawn = []
        for tick in range(TICKS + 1):
            at_ms = self.since_ms + (self.until_ms - self.since_ms) * tick // TICKS
            text = format_time(TimeMs(at_ms))
            label = text[5:10] + " " + text[11:16] if days else text[11:16]
            place = ("start", "middle", "end")[(tick > 0) + (tick == TICKS)]
            drawn.append(_text(self.x(at_ms), height - 6, label, place))
        return "".join(drawn)


def chart(span: Span, lines: Sequence[Line], marks: Sequence[Mark] = (), *, height: int = 220) -> str:
    """Steps over time. Says so where there is nothing to draw."""
    known = [own for line in lines for _, own in line.points if own is not None]
    known += [mark.value for mark in marks]
    if not known:
        return '<p class="note">Nothing is known to draw.</p>'
    low, high = min(known), max(known)
    room = (high - low or abs(high) or 1.0) * 0.06
    low, high = low - room, high + room

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (height - TOP - BOTTOM), 1)

    drawn = [_scale(low, high, y(low), y(high))]
    drawn += [_steps(span, line, y) for line in lines]
    drawn += [_dot(span.x(own.at_ms), y(own.value), own) for own in marks]
    return _svg(height, "".join(drawn) + span.axis(height))


def _scale(low: float, high: float, bottom: float, top: float) -> str:
    drawn = []
    for tick in range(TICKS + 1):
        value, at = low + (high - low) * tick / TICKS, bottom + (top - bottom) * tick / TICKS
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{at:.1f}" y2="{at:.1f}" stroke="{GRID}"/>')
        drawn.append(_text(LEFT - 6, at + 4, f"{value:.2f}", "end"))
    return "".join(drawn)


def _steps(span: Span, line: Line, y: Callable[[float], float]) -> str:
    pieces: list[str] = []
    for (at_ms, value), (after_ms, _) in pairwise([*line.points, (span.until_ms, None)]):
        if value is not None:
            pieces.append(f"M{span.x(at_ms)} {y(value)}H{span.x(after_ms)}")
    for (_, value), (after_ms, after) in pairwise(line.points):
        if value is not None and after is not None and value != after:
            pieces.append(f"M{span.x(after_ms)} {y(value)}V{y(after)}")
    return (
        f'<path d="{"".join(pieces)}" fill="none" stroke="{line.colour}" stroke-width="{line.width}">'
        f"<title>{escape(line.name)}</title></path>"
    )


def _dot(x: float, y: float, own: Mark) -> str:
    return (
        f'<circle cx="{x}" cy="{y}" r="4.5" fill="{own.colour}" stroke="white">'
        f"<title>{escape(own.says)}</title></circle>"
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    where = f'x="{x}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} font-size="11" fill="{MUTED}">{escape(text)}</text>'


def strip(span: Span, parts: Sequence[tuple[int, int, str, str]], *, height: int = 14) -> str:
    """A row of colours over time: from, to, colour, what it says."""
    drawn = (
        f'<rect x="{span.x(first)}" y="0" width="{max(span.x(last) - span.x(first), 0.6):.1f}" '
        f'height="{height}" fill="{colour}"><title>{escape(says)}</title></rect>'
        for first, last, colour, says in parts
    )
    return _svg(height, "".join(drawn))


def _svg(height: int, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="100%" role="img" font-family="Inter, Helvetica, Arial, '
        f'sans-serif">{inside}</svg>'
    )
