"""Small tapes written by hand, for tests of the rules: one market, prices in cents, times in seconds."""

import random
from collections.abc import Sequence
from dataclasses import replace

from dora.core.exchange.fees import FREE, FeeTerms
from dora.core.exchange.market import Event, Market, MarketStatus, Series
from dora.core.units import ONE_DOLLAR, Price, PriceGrid, PriceRange, TimeMs
from tests.replay.loading import FAR_MS
from tests.replay.tape import Moment, Stretch, Tape, Track, changes_of
from tests.simulator.tape import Print, Quote, QuoteSide

TICKER, EVENT, SERIES = "KXHAND-E1-M1", "KXHAND-E1", "KXHAND"
NOON_MS = 1_773_154_800_000
"""2026-03-10T15:00Z, a whole minute."""
CENT_E4, CONTRACT_E2 = 100, 100
CENTS = PriceGrid((PriceRange(Price(0), ONE_DOLLAR, Price(CENT_E4)),))

Best = tuple[float, float | None] | None
"""(cents, contracts); None: nobody quotes that side."""


def at(seconds: float) -> int:
    """So long after the start of every tape."""
    return NOON_MS + round(seconds * 1000)


def quote(seconds: float, bid: Best, ask: Best) -> Quote:
    """Best prices from then on; a size of None was not recorded."""
    return Quote(at(seconds), TICKER, _side(bid), _side(ask))


def trade(seconds: float, cents: float, contracts: float, *, buys_yes: bool) -> Print:
    """One print."""
    return Print(at(seconds), TICKER, round(cents * CENT_E4), round(contracts * CONTRACT_E2), buys_yes)


def market(ticker: str = TICKER, event: str = EVENT) -> Market:
    """A market in whole cents that is open for a week."""
    return Market(
        ticker=ticker,
        event_ticker=event,
        shard=0,
        status=MarketStatus.ACTIVE,
        grid=CENTS,
        open_ms=TimeMs(NOON_MS),
        close_ms=TimeMs(NOON_MS + FAR_MS),
        plain=True,
    )


def track_of(
    quotes: Sequence[Quote],
    prints: Sequence[Print] = (),
    result: str | None = None,
    kind: type[Track] = Track,
) -> Track:
    """One market's rows; it is replayed from its first quote to its last row."""
    moments: list[Moment] = sorted([*prints, *changes_of(quotes)], key=lambda moment: moment.at_ms)
    return kind(
        market=market(),
        quotes=tuple(quotes),
        moments=tuple(moments),
        first_ms=quotes[0].at_ms,
        last_ms=moments[-1].at_ms,
        result=result,
    )


def tape_with(track: Track, fees: FeeTerms = FREE, *, sized: bool = True) -> Tape:
    """A recording of one market."""
    return Tape(
        name="by-hand",
        tracks={TICKER: track},
        stretches=(Stretch(track.first_ms, track.last_ms),),
        events={EVENT: Event(event_ticker=EVENT, series_ticker=SERIES, exclusive=False)},
        series={SERIES: Series(ticker=SERIES, fee_type="quadratic", fee_multiplier_e4=10_000)},
        fees={TICKER: fees},
        sized=sized,
    )


def with_tracks(tape: Tape, *tracks: Track) -> Tape:
    """The tape with these markets instead."""
    return replace(
        tape,
        tracks={track.market.ticker: track for track in tracks},
        fees={track.market.ticker: FREE for track in tracks},
        stretches=(Stretch(min(track.first_ms for track in tracks), max(track.last_ms for track in tracks)),),
    )


def wandering(hours: int, seed: int = 3) -> Sequence[Quote]:
    """A mid that walks by a cent every 15 seconds or not, each side of it 1 to 3 cents away."""
    rng, mid, quotes = random.Random(seed), 50, []
    for second in range(0, hours * 3_600, 15):
        mid = min(max(mid + rng.choice((-1, 0, 1)), 30), 70)
        quotes.append(quote(second, (mid - rng.randint(1, 3), 50), (mid + rng.randint(1, 3), 50)))
    return quotes


def _side(best: Best) -> QuoteSide | None:
    if best is None:
        return None
    cents, contracts = best
    return QuoteSide(round(cents * CENT_E4), None if contracts is None else round(contracts * CONTRACT_E2))
