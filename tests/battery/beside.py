"""One invocation in the midst of another one, at a call of one's choice."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dora import wiring
from tests.battery.scene import Scene
from tests.world.disruption import FaultyBot


def alone(call: str) -> bool:
    """Reads that run side by side leave no trace, and come in any order."""
    return not call.startswith("GET ") or call == "GET /exchange/user_data_timestamp"


def steps(calls: Sequence[str]) -> list[int]:
    """The calls before which something else may happen."""
    return [number for number, call in enumerate(calls) if alone(call)]


def before_call(stage: Scene, calls: Sequence[str], number: int, act: Callable[[], object]) -> None:
    """`act` happens in the next invocation just before its call of that number, if it makes those calls."""
    _arm(stage, calls[number], list(calls[:number]).count(calls[number]), act)


def _arm(stage: Scene, label: str, earlier: int, act: Callable[[], object]) -> None:
    stage.meanwhile(label, (lambda: _arm(stage, label, earlier - 1, act)) if earlier else act)


@contextmanager
def elsewhere(stage: Scene) -> Iterator[None]:
    """The invocation in this block runs in an environment of its own, cold."""
    mine = wiring._Environment.app
    cold(stage)
    try:
        yield
    finally:
        wiring.install(mine)
        _bot(stage)._warm = True


def cold(stage: Scene) -> None:
    """The next invocation is the first one of its environment."""
    _bot(stage)._warm = False


def _bot(stage: Scene) -> FaultyBot:
    bot = stage.world.bot
    assert isinstance(bot, FaultyBot)
    return bot
