"""Events that rest because fills of ours went against us: who trades there knows more than our fair value.

A strike is a market's fills of one minute whose mid stood 5 cents a contract against them 5 minutes later.
Two within an hour of each other, and the event rests from the second on.
"""

from collections.abc import Iterable, Mapping

from dora.core.accounts.markouts import HORIZONS_MS, MarkoutRow
from dora.core.exchange.market import Market
from dora.core.units import Price, TimeMs
from dora.core.zones import DAY_MS, HOUR_MS

STRIKES = "#strikes"
"""Where memory keeps them. Losing it ends what rests, and no more."""
ADVERSE = Price(500)
"""5 cents."""
TOGETHER_MS = HOUR_MS
KEPT_MS = DAY_MS + TOGETHER_MS
"""The longest rest, and the time between two strikes."""
_MARK = HORIZONS_MS.index(300_000)

Strikes = Mapping[str, tuple[TimeMs, ...]]
"""By event, when it was struck, earliest first."""


def read_strikes(stored: Mapping[str, object]) -> dict[str, tuple[TimeMs, ...]]:
    """As memory keeps them; what is not understood is left out."""
    return {
        event: tuple(map(TimeMs, times))
        for event, times in stored.items()
        if isinstance(times, list) and all(type(at_ms) is int for at_ms in times)
    }


def struck(
    before: Strikes, rows: Iterable[MarkoutRow], markets: Mapping[str, Market], now_ms: TimeMs
) -> dict[str, object]:
    """For memory: those of before that still matter, and those that these marks add."""
    after = {event: [at for at in times if at > now_ms - KEPT_MS] for event, times in before.items()}
    for row in rows:
        if row.contracts[_MARK] and row.gains[_MARK] <= -ADVERSE * row.contracts[_MARK]:
            market = markets.get(row.ticker)
            event = event_of(row.ticker) if market is None else market.event_ticker
            after.setdefault(event, []).append(now_ms)
    return {event: times for event, times in after.items() if times}


def rests_until(times: Iterable[TimeMs], cool_off_s: int, now_ms: TimeMs) -> TimeMs | None:
    """When an event that was struck at these times is quoted again; None: it is quoted now."""
    known = sorted(times)
    pairs = zip(known, known[1:], strict=False)
    last_ms = max((later for earlier, later in pairs if later - earlier <= TOGETHER_MS), default=None)
    if last_ms is None or now_ms >= last_ms + cool_off_s * 1000:
        return None
    return TimeMs(last_ms + cool_off_s * 1000)


def event_of(ticker: str) -> str:
    """The event of a market that was not read, by the form of its ticker."""
    return ticker.rpartition("-")[0] or ticker
