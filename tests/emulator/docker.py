"""`sam local invoke`: the built function in a container, which reaches the servers of this machine.

A container's 127.0.0.1 is its own, and a bot on stage `local` speaks to nobody but the loopback. So inside
the container the name `localhost` means this machine as well, by an entry in its hosts file, and the servers
are led to the one interface where containers can reach them.
"""

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.artifacts.built import ROOT, architecture_of_this_machine, built_for_this_machine
from tests.emulator.link import LOOPBACK

HOST_NAME = "localhost"
_GATEWAY = "{{(index .IPAM.Config 0).Gateway}}"


@dataclass(frozen=True, slots=True)
class Host:
    """This machine as a container sees it: its address there, and the interface to serve on."""

    address: str
    interface: str


def host() -> Host | None:
    """None when no Docker engine answers."""
    if _docker("info") is None:
        return None
    gateway = _docker("network", "inspect", "bridge", "--format", _GATEWAY)
    if gateway and _is_ours(gateway):
        return Host(gateway, gateway)
    return Host("host-gateway", LOOPBACK)  # Docker Desktop: the engine is in a virtual machine


def sam_local_invoke(name: str, event: Path, variables: Mapping[str, str], host: Host) -> Any:
    """The function's answer. Raises CalledProcessError; SAM's own words go to standard error."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"Parameters": dict(variables)}, file)
        file.flush()
        done = subprocess.run(
            [*_command(name, event, host), "--env-vars", file.name],
            env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return _answer(done.stdout)


def _command(name: str, event: Path, host: Host) -> list[str]:
    built = built_for_this_machine()
    return [
        *[str(ROOT / ".venv-sam" / "bin" / "sam"), "local", "invoke", name],
        *["--template-file", str(built.template), "--event", str(event.resolve())],
        *["--parameter-overrides", f"Architecture={architecture_of_this_machine()}"],
        *["--add-host", f"{HOST_NAME}:{host.address}"],
        "--skip-pull-image",  # SAM pulls it all the same when the machine has none
    ]


def _answer(printed: str) -> Any:
    """SAM prints the answer last; nothing at all after a timeout."""
    last = printed.strip().rpartition("\n")[2]
    try:
        return json.loads(last)
    except json.JSONDecodeError:
        return last or "no answer"


def _docker(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _is_ours(address: str) -> bool:
    """Is this an address of an interface of this machine?"""
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        return False
    return True
