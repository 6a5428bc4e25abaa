"""Which markets are replayed at a minute."""

from collections.abc import Sequence

from tests.replay.tape import Tape


class Roster:
    """Asked for one minute after another, never back."""

    def __init__(self, tape: Tape) -> None:
        spans = [(ticker, *_span(tape, ticker)) for ticker in tape.tracks]
        self._opening = sorted(((first, ticker) for ticker, first, _ in spans), reverse=True)
        self._closing = sorted(((last, ticker) for ticker, _, last in spans), reverse=True)
        self._open: set[str] = set()
        self._listed: Sequence[str] = ()

    def at(self, now_ms: int) -> Sequence[str]:
        """Tickers in order; the same object as long as they are the same."""
        before = len(self._opening), len(self._closing)
        while self._opening and self._opening[-1][0] <= now_ms:
            self._open.add(self._opening.pop()[1])
        while self._closing and self._closing[-1][0] < now_ms:
            self._open.discard(self._closing.pop()[1])
        if before != (len(self._opening), len(self._closing)):
            self._listed = tuple(sorted(self._open))
        return self._listed


def _span(tape: Tape, ticker: str) -> tuple[int, int]:
    """Its first and last time: the last row of its event, or the millisecond before its close."""
    track = tape.tracks[ticker]
    return track.first_ms, min(track.last_ms, track.market.close_ms - 1)
