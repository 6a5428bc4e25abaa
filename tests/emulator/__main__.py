"""One invocation of a built function in a universe of its own: `make local-invoke EVENT=events/cycle.json`.

The answer's JSON goes to standard output, everything else to standard error. Where a Docker engine answers,
`sam local invoke` runs the function, else the emulator does.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.artifacts.built import BuiltFunction, built_for_this_machine
from tests.emulator import docker
from tests.emulator.live_world import LiveWorld, open_live_world
from tests.emulator.runtime import emulate

CYCLE, SESSION = "CycleFunction", "SessionFunction"


def main(arguments: list[str] | None = None) -> int:
    """1 when the function crashed or timed out; an answer that says `failed` is an answer."""
    options = _options(arguments)
    event = json.loads(options.event.read_text(encoding="utf-8"))
    name = options.function or (CYCLE if event.get("action") == "cycle" else SESSION)
    function = built_for_this_machine().functions[name]
    host = docker.host() if options.engine != "emulator" else None
    if options.engine == "docker" and host is None:
        sys.exit("no Docker engine answers")
    interface = {} if host is None else {"host": host.interface, "name": docker.HOST_NAME}
    with open_live_world(**interface) as world:
        if event.get("action") != "start":
            world.start_session()
        if host is None:
            answer = _emulated(function, event, world)
        else:
            sys.stderr.write(f"{name} in a container\n")
            answer = docker.sam_local_invoke(name, options.event, world.variables, host)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0 if isinstance(answer, dict) and "errorMessage" not in answer else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make local-invoke", description=__doc__)
    parser.add_argument("event", type=Path, help="a file of events/")
    parser.add_argument("--function", choices=[CYCLE, SESSION], help="the event's own, when left out")
    parser.add_argument("--engine", choices=["docker", "emulator"], help="Docker first, when left out")
    options = parser.parse_args(arguments)
    if not options.event.is_file():
        parser.error(f"no such file: {options.event}")
    return options


def _emulated(function: BuiltFunction, event: dict[str, object], world: LiveWorld) -> Any:
    sys.stderr.write(f"{function.name} under the runtime interface emulator\n")
    with emulate(function, world.variables) as emulator:
        answer = emulator.invoke(event)
        sys.stderr.write(emulator.log())
    return answer


if __name__ == "__main__":
    sys.exit(main())
