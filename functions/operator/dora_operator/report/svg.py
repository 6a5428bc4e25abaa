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
LETTER_ROOM = 10
"""Pixels that a letter needs."""
Points = Sequence[tuple[int, float | None]]
"""Unix milliseconds and a value; None is a gap."""


@dataclass(frozen=True)
class Line:
    """A series drawn as steps. `name` is shown when the pointer rests on it."""

    name: str
    points: Points
    colour: str
    width: float = 1.8
    dashes: str = ""
    """Lengths of dash and gap; empty: a whole line."""


@dataclass(frozen=True)
class Mark:
    """A triangle that points up, or down where it `falls`, with what it says."""

    at_ms: int
    value: float
    colour: str
    says: str
    falls: bool = False


@dataclass(frozen=True)
class Part:
    """A stretch of a strip: from, to, its colour, what it says, and the letter in its middle."""

    since_ms: int
    until_ms: int
    colour: str
    says: str
    letter: str = ""


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
        f'<path d="{"".join(pieces)}" fill="none" stroke="{line.colour}" stroke-width="{line.width}" '
        f'stroke-dasharray="{line.dashes}">'
        f"<title>{escape(line.name)}</title></path>"
    )


def _dot(x: float, y: float, own: Mark) -> str:
    tip = 5 if own.falls else -5
    return (
        f'<path d="M{x - 5} {y - tip}H{x + 5}L{x} {y + tip}Z" fill="{own.colour}" stroke="white">'
        f"<title>{escape(own.says)}</title></path>"
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    where = f'x="{x}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} font-size="11" fill="{MUTED}">{escape(text)}</text>'


def strip(span: Span, parts: Sequence[Part], *, height: int = 14) -> str:
    """A row of colours over time, each stretch that has the room with its letter."""
    return _svg(height, "".join(_stretch(span, own, height) for own in parts))


def _stretch(span: Span, own: Part, height: int) -> str:
    left, width = span.x(own.since_ms), max(span.x(own.until_ms) - span.x(own.since_ms), 0.6)
    drawn = (
        f'<rect x="{left}" y="0" width="{width:.1f}" height="{height}" fill="{own.colour}">'
        f"<title>{escape(own.says)}</title></rect>"
    )
    if not own.letter or width < LETTER_ROOM:
        return drawn
    where = f'x="{left + width / 2:.1f}" y="{height - 3}" text-anchor="middle" font-size="11"'
    look = f'fill="white" stroke="{INK}" stroke-width="2" paint-order="stroke"'
    return f"{drawn}<text {where} {look}>{own.letter}</text>"


def _svg(height: int, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="100%" role="img" font-family="Inter, Helvetica, Arial, '
        f'sans-serif">{inside}</svg>'
    )
