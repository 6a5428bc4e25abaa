"""Where a demo plays: the markets and the order flow, out of a recording or made up."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tests.demo.options import MINUTE_MS, DemoError, Options, iso
from tests.replay.archive_folder import read_folder
from tests.simulator.flow import RecordedFlow
from tests.simulator.knobs import Knobs
from tests.simulator.plant import Plant
from tests.simulator.recordings import choose_window, read_recording, select_markets
from tests.simulator.synthetic import SLOW, synthetic_recording
from tests.simulator.tape import Recording, RecordingError
from tests.world import config_items
from tests.world.cloud import CloudKind
from tests.world.setup import Setup, Wire
from tests.world.world import World

SYNTHETIC_START_MS = int(datetime(2026, 3, 2, 15, 0, tzinfo=UTC).timestamp()) * 1000
AFTERWARDS = 5
"""Minutes of order flow beyond the last cycle, for the teardown."""
WRITE_LATENCY_MS = 40
PLANTED_ONE_IN = 5


@dataclass(frozen=True)
class Scene:
    """A stretch of a recording and the markets that are quoted in it."""

    options: Options
    recording: Recording
    start_ms: int
    tickers: tuple[str, ...]

    @property
    def end_ms(self) -> int:
        """The minute after the last cycle."""
        return self.start_ms + self.options.cycles * MINUTE_MS

    def setup(self, wire: Wire, cloud: CloudKind) -> Setup:
        """A world with every chosen market enabled."""
        options = self.options
        return Setup(
            markets=tuple(self.recording.markets[ticker] for ticker in self.tickers),
            start_ms=self.start_ms,
            items=dict.fromkeys(self.tickers, config_items.SAMPLE),
            tier=options.tier,
            seed=options.seed,
            knobs=Knobs(write_latency_ms=WRITE_LATENCY_MS),
            plant=Plant(options.plant, every=PLANTED_ONE_IN) if options.plant else None,
            wire=wire,
            cloud=cloud,
        )

    def play(self, world: World) -> RecordedFlow:
        """Put the rest of the market on the world's clock."""
        end_ms = self.end_ms + AFTERWARDS * MINUTE_MS
        return RecordedFlow(
            self.recording,
            world.exchange,
            world.clock,
            self.start_ms,
            end_ms,
            self.tickers,
            self.options.seed,
        )


def choose_scene(options: Options) -> Scene:
    """The stretch asked for, else the busiest one. Raises DemoError."""
    recording = _recording(options)
    start_ms = _start_ms(options, recording)
    tickers = select_markets(recording, start_ms, start_ms + options.cycles * MINUTE_MS, options.markets)
    if not tickers:
        span = f"{iso(recording.first_ms)} to {iso(recording.last_ms)}"
        raise DemoError(f"no market of {recording.name} is open at {iso(start_ms)}; its rows are of {span}")
    return Scene(options, recording, start_ms, tuple(tickers))


def _recording(options: Options) -> Recording:
    if options.data is None:
        minutes = options.cycles + AFTERWARDS
        return synthetic_recording(options.seed, options.markets, _synthetic_start_ms(options), minutes, SLOW)
    try:
        if options.data.is_dir():
            return read_folder(options.data).recording()
        return read_recording(options.data)
    except RecordingError as error:
        raise DemoError(str(error)) from error


def _synthetic_start_ms(options: Options) -> int:
    return SYNTHETIC_START_MS if options.start_ms is None else options.start_ms


def _start_ms(options: Options, recording: Recording) -> int:
    if options.start_ms is not None:
        return options.start_ms
    if options.data is None:
        return SYNTHETIC_START_MS
    return choose_window(recording, options.cycles, markets=options.markets).start_ms
