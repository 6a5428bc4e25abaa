"""Where the CPU of a cycle goes, by samples of the stack at even steps of processor time.

A tracing profiler makes many small calls look dearer than they are, and mixes threads. Here reads run one by
one in the main thread, which alone is sampled, and the bot runs at its own speed.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from tests.bench.bot import BenchBot

PRODUCT = "layers/dora/dora/"
STEP_S = 0.002
TOP = 40


@dataclass
class Samples:
    """How often each function was on the stack, and how often on top of the product's part of it."""

    total: int = 0
    on_stack: Counter[str] = field(default_factory=Counter)
    on_top: Counter[str] = field(default_factory=Counter)

    def take(self, _signal: int, frame: FrameType | None) -> None:
        """Count one sample; what a library burns counts to the product's function that called it."""
        names = list(_product(frame))
        self.total += 1
        self.on_stack.update(set(names))
        self.on_top.update(names[:1])


def hot_spots(bot: BenchBot, share: float, cycles: int) -> list[dict[str, Any]]:
    """The product's functions in ordinary cycles, by CPU ms with all they call; means of one cycle."""
    samples, cpu_ms = Samples(), 0.0
    for _ in range(cycles):
        cpu_ms += bot.cycle(share, through=lambda work, *given: _sampled(samples, work, *given)).cpu_ms
    step_ms = cpu_ms / cycles / max(samples.total, 1)
    return [
        {
            "function": name,
            "ms": round(count * step_ms, 1),
            "own_ms": round(samples.on_top[name] * step_ms, 1),
        }
        for name, count in samples.on_stack.most_common(TOP)
    ]


def _sampled(samples: Samples, work: Any, *given: Any) -> Any:
    with _every_step(samples):
        return work(*given)


@contextmanager
def _every_step(samples: Samples) -> Iterator[None]:
    before = signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, STEP_S, STEP_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _product(frame: FrameType | None) -> Iterator[str]:
    """Innermost first."""
    while frame is not None:
        code = frame.f_code
        if PRODUCT in code.co_filename:
            yield f"{code.co_filename.rpartition(PRODUCT)[2]} {code.co_qualname}"
        frame = frame.f_back
