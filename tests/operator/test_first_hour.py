"""First hour and first walk, line by line: what stands there is run, but for what needs AWS itself."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.operator.driver import Driver, local_driver
from tests.operator.first_hour import mentioned, walk, written
from tests.operator.samples import private_key

HOUR = written("README.md", "The first hour")
HERE = mentioned("README.md", "The first hour")
WALK = written("functions/README.md", "The first walk")
WARM_UP_MINUTES = 10


def _nothing(_driver: Driver) -> None:
    """The stack on this machine is up, and every command is for it."""


def _minutes(driver: Driver, count: int = 3) -> None:
    driver.minutes(count)


def _started(driver: Driver, minutes: int = WARM_UP_MINUTES + 1) -> None:
    """The stack's own clock brings a cycle every few seconds; here time moves when asked."""
    assert driver.run("start", "--yes").exit_code == 0
    driver.minutes(minutes)


IN_AWS: dict[str, Callable[[Driver], None]] = {
    "make build": _nothing,
    "make deploy PARAMETERS='AlarmEmail=me@example.org'": _nothing,
    "export DORA_STACK=dora-demo": _nothing,
    "dora schedule on": _minutes,
}
"""Of the first hour: what needs AWS itself, and what stands for it."""

IN_A_TERMINAL: dict[str, Callable[[Driver], None]] = {
    "make install-operator": _nothing,
    "export PATH=$PWD/.venv-operator/bin:$PATH DORA_LOCAL=1": _nothing,
    "dora local up --markets 80 --speed 10": _nothing,
    "dora start": _started,
}
"""Of the first walk: what needs a shell or a terminal of its own, and what stands for it."""

AT_HAND: dict[str, Callable[[Driver], None]] = {
    "make install-operator": _nothing,
    "export PATH=$PWD/.venv-operator/bin:$PATH": _nothing,
    "dora local up --markets 40 --configured --speed 10": _nothing,
    "export DORA_LOCAL=1": _nothing,
    "dora start": partial(_started, minutes=3),
}
"""Of the hour on this machine."""


@pytest.fixture
def walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A stack that nobody has configured, and a folder with nothing but the key."""
    monkeypatch.chdir(tmp_path)
    with local_driver(markets=80, minutes=30, configured=False) as driver:
        Path("key.pem").write_text(private_key(), encoding="utf-8")
        yield driver


def test_the_first_hour_is_walked_as_it_is_written(walked: Driver) -> None:
    instead = {call: partial(stands, walked) for call, stands in IN_AWS.items()}
    outputs = walk(HOUR, lambda words: walked.run(*words), instead, edited=("dora.yaml", "markets.csv"))

    assert "accepted   yes" in outputs["dora secret put --key-id KEY-ID --pem key.pem"]
    assert "no_session" in outputs["dora doctor"]
    assert "status           active" in outputs["dora start"]
    assert "session active" in outputs["dora top"]


def test_the_hour_on_this_machine_is_walked_as_it_is_written() -> None:
    with local_driver(markets=12, minutes=30) as driver:
        instead = {call: partial(stands, driver) for call, stands in AT_HAND.items()}
        outputs = walk(HERE, lambda words: driver.run(*words), instead, edited=())

    assert "session active" in outputs["dora top"]
    assert "status             closed" in outputs["dora teardown"]


def test_the_first_walk_is_walked_as_it_is_written(walked: Driver) -> None:
    instead = {call: partial(stands, walked) for call, stands in IN_A_TERMINAL.items()}
    outputs = walk(WALK, lambda words: walked.run(*words), instead, edited=("dora.yaml",))

    assert "no_session" in outputs["dora doctor"]
    assert "KXSYN0-E0000-1" in outputs["dora top"]
    assert "Fair value and model" in outputs["dora why KXSYN0-E0000-1"]
    assert "status             closed" in outputs["dora teardown"]


def test_every_substitution_is_of_a_command_that_is_written() -> None:
    assert IN_AWS.keys() <= set(HOUR)
    assert AT_HAND.keys() <= set(HERE)
    assert IN_A_TERMINAL.keys() <= set(WALK)
