"""A built function under the Lambda Runtime Interface Emulator: a cold start, then warm ones, in one process.

The emulator's binary comes inside the SAM CLI package. As in Lambda, the function sees its own code, its
layers and the runtime's client, and nothing else: the interpreter runs without its site-packages.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import requests

from tests.artifacts.built import ROOT, BuiltFunction, architecture_of_this_machine
from tests.emulator.link import LOOPBACK

SAM_PACKAGES = ".venv-sam/lib/python*/site-packages"
CLIENT_PACKAGES = ".venv-emulator/lib/python3.13/site-packages"
PATIENCE_S = 10
BALANCE_S = 1.1
"""The exchange tells the balance once a second; what follows a session's start waits as long."""
GRACE_S = 30
Process = subprocess.Popen[bytes]
"""Beyond a function's own timeout: an emulator that has not answered then is dead."""

# Lambda's own variables; the credentials are nobody's.
_LAMBDA = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nobody",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONDONTWRITEBYTECODE": "1",  # /var/task and /opt are read-only there
    "TZ": ":UTC",
}


class Emulator:
    """One execution environment: it serves one invocation at a time, as a Lambda environment does."""

    def __init__(self, process: Process, port: int, patience_s: int, log: IO[bytes]) -> None:
        self._process, self._patience_s, self._log = process, patience_s, log
        self._url = f"http://{LOOPBACK}:{port}/2015-03-31/functions/function/invocations"
        self._http = requests.Session()
        self._http.trust_env = False

    def invoke(self, event: Mapping[str, object]) -> Any:
        """The function's answer; the bare text when it is not JSON, as after a timeout.

        An error of the function is an answer too, with `errorMessage`.
        """
        text = self._http.post(self._url, json=dict(event), timeout=self._patience_s).text
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text

    def log(self) -> str:
        """What the function and the emulator have printed so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def workers(self) -> set[int]:
        """Process ids of what runs the function now: another one than before means a cold start between."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        return {int(pid) for thread in threads for pid in thread.read_text().split()}

    def stop(self) -> None:
        """End the emulator and the function's process."""
        self._http.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def cycle(emulator: Emulator) -> Any:
    """One cycle, in a second that has had none: the tick of an event without a time is its second.

    Never at once: the exchange tells the balance once a second, and no schedule asks as often.
    """
    time.sleep(BALANCE_S)
    time.sleep(1 - time.time() % 1)
    return emulator.invoke({"action": "cycle"})


@contextmanager
def emulate(
    function: BuiltFunction, variables: Mapping[str, str], *, timeout_s: int | None = None
) -> Iterator[Emulator]:
    """Run a built function with those of the variables that the template declares for it."""
    limit_s = timeout_s or function.timeout_s
    port, api_port = _free_ports(2)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*_emulator_command(port, api_port), *_runtime_command(function)],
            env=_environment(function, variables, limit_s),
            cwd=function.code,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        emulator = Emulator(process, port, limit_s + GRACE_S, log)
        try:
            _await_port(port)
            yield emulator
        finally:
            emulator.stop()


def search_path(function: BuiltFunction) -> str:
    """PYTHONPATH as Lambda's runtime has it: the code, then the layers."""
    return os.pathsep.join(map(str, [function.code, *(layer / "python" for layer in function.layers)]))


def target_interpreter() -> str:
    """A Python 3.13 of this machine. Raises CalledProcessError when there is none."""
    found = subprocess.run([ROOT / ".ci" / "find-python", "3.13"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def _environment(function: BuiltFunction, variables: Mapping[str, str], timeout_s: int) -> dict[str, str]:
    declared = {name: value for name, value in variables.items() if name in function.variables}
    return {
        **_LAMBDA,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "PYTHONPATH": search_path(function) + os.pathsep + str(_one(CLIENT_PACKAGES)),
        **declared,
    }


def _emulator_command(port: int, api_port: int) -> list[str]:
    binary = f"{SAM_PACKAGES}/samcli/local/rapid/aws-lambda-rie-{architecture_of_this_machine()}"
    addresses = {"--runtime-interface-emulator-address": port, "--runtime-api-address": api_port}
    flags = [text for flag, number in addresses.items() for text in (flag, f"{LOOPBACK}:{number}")]
    return [str(_one(binary)), *flags]


def _runtime_command(function: BuiltFunction) -> list[str]:
    return [target_interpreter(), "-S", "-m", "awslambdaric", function.handler]


def _one(pattern: str) -> Path:
    found = next(ROOT.glob(pattern), None)
    if found is None:
        raise FileNotFoundError(f"{pattern} is not there: run `make emulator`")
    return found


def _free_ports(count: int) -> list[int]:
    """Distinct ports that nobody listens on at the moment; the emulator cannot choose its own."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [int(open_socket.getsockname()[1]) for open_socket in sockets]
    for open_socket in sockets:
        open_socket.close()
    return ports


def _await_port(port: int) -> None:
    """Until somebody listens. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"the emulator does not listen on port {port}")
