"""An earlier commit's functions and layer beside today's: out of the history, in a process of their own."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from requests.adapters import BaseAdapter

from tests.house.checkout import ROOT
from tests.world.books import BookedPosition
from tests.world.bot import Answer, Bot, DeployedBot, Env, deployed_bot
from tests.world.bot_clock import BotClock
from tests.world.lambda_context import LambdaContext
from tests.world.stored_books import StoredBooks

COMMIT = "fb09055"
"""The version before. A commit and no tag: every whole clone has it, and nobody can move it."""
DEPLOYED = ("functions/cycle", "functions/session", "layers/dora/dora")
CHILD = Path(__file__).with_name("earlier_child.py")


def taken_from_history(folder: Path) -> Path:
    """What that commit deployed, in this folder. Skips where the history is too short (a shallow clone)."""
    command = ["git", "-C", str(ROOT), "archive", COMMIT, *DEPLOYED]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the history of this checkout does not hold {COMMIT}: git fetch --unshallow")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder


class TwoVersions:
    """Today's bot, and for the time of a block the earlier one in its place, on the same state."""

    def __init__(self, own: Bot, earlier: Path, env: Env, clock: BotClock) -> None:
        self._own, self._earlier, self._env, self._clock = own, earlier, env, clock
        self._process: subprocess.Popen[str] | None = None

    @contextmanager
    def before(self) -> Iterator[None]:
        """The invocations of this block are the earlier version's, from a cold start on."""
        paths = os.pathsep.join(str(self._earlier / part) for part in ("layers/dora", "."))
        with subprocess.Popen(
            [sys.executable, "-P", str(CHILD)],
            env={**os.environ, **self._env, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            self._process = process
            try:
                yield
            finally:
                self._process = None
                assert process.stdin is not None
                process.stdin.close()

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One scheduled tick."""
        return (
            self._own.cycle(event, context) if self._process is None else self._asked("cycle", event, context)
        )

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One verb."""
        if self._process is None:
            return self._own.session(event, context)
        return self._asked("session", event, context)

    def positions(self) -> Mapping[str, BookedPosition]:
        """As durably stored."""
        return self._own.positions()

    def books(self) -> StoredBooks | None:
        """Likewise."""
        return self._own.books()

    def _asked(self, function: str, event: Mapping[str, object], context: LambdaContext) -> Answer:
        asked = {"function": function, "event": event, "deadline_ms": context.deadline_ms}
        self._tell({**asked, "request_id": context.aws_request_id})
        while True:
            assert self._process is not None
            assert self._process.stdout is not None
            said = json.loads(self._process.stdout.readline() or '{"answer": {"status": "died"}}')
            if "answer" in said:
                return dict(said["answer"])
            if said["sleep_ms"]:
                self._clock.sleep_ms(said["sleep_ms"])
            self._tell(self._clock.now_ms())

    def _tell(self, what: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()


class Deployer:
    """A deployment of both, for `open_world`."""

    def __init__(self, earlier: Path) -> None:
        self._earlier = earlier

    @contextmanager
    def deploy(self, env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
        """The earlier version reaches exchange and cloud by their sockets."""
        with deployed_bot(env, clock, adapter) as own:
            assert isinstance(own, DeployedBot)
            yield TwoVersions(own, self._earlier, env, clock)
