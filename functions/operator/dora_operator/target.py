"""The stack that a command is for: its names, its clients, its clock; in AWS or on this machine."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dora.core.units import TimeMs
from dora_operator.checkout import ROOT
from dora_operator.failures import Exit, OperatorError

FOLDER = "DORA_LOCAL_FOLDER"
"""Environment variable: where `dora local up` keeps its connection file."""
NOBODY = "nobody"
"""Who asks what stands in for AWS here."""
PRODUCTION = "prod"
_LAMBDA = Config(read_timeout=130, retries={"total_max_attempts": 1})
"""A session command is sent once and may take two minutes; of a lost one the state is asked afterwards."""


class WallClock:
    """Real time."""

    def now_ms(self) -> TimeMs:
        """Unix milliseconds."""
        return TimeMs(time.time_ns() // 1_000_000)

    def sleep_ms(self, span_ms: int) -> None:
        """Wait."""
        time.sleep(max(span_ms, 0) / 1000)


class LocalClock:
    """The time of a stack on this machine, which is virtual: waiting moves it on."""

    def __init__(self, url: str) -> None:
        self._url = url

    def now_ms(self) -> TimeMs:
        """As the exchange there has it."""
        return self._advance(0)

    def sleep_ms(self, span_ms: int) -> None:
        """Without waiting for real."""
        self._advance(max(span_ms, 0))

    def _advance(self, span_ms: int) -> TimeMs:
        answer = requests.post(self._url, params={"ms": span_ms}, timeout=10)
        return TimeMs(int(answer.json()["now_ms"]))


Clock = WallClock | LocalClock


@dataclass(frozen=True)
class Target:
    """A deployed stack, by the names of the template's parameters and outputs."""

    stack: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    session: boto3.Session
    local: Mapping[str, Any] | None = None

    @property
    def bot(self) -> str:
        return self.parameters["Bot"]

    @property
    def stage(self) -> str:
        return self.parameters["Stage"]

    @property
    def real_money(self) -> bool:
        """Whether what it trades is worth anything."""
        return self.stage == PRODUCTION

    @property
    def dry_run(self) -> bool:
        return self.parameters.get("DryRun") == "true"

    @property
    def state_key(self) -> str:
        """Partition of the state table."""
        return f"{self.bot}#dry" if self.dry_run else self.bot

    @property
    def config_table(self) -> str:
        return self.outputs["ConfigTableName"]

    @property
    def state_table(self) -> str:
        return self.outputs["StateTableName"]

    @property
    def secret_name(self) -> str:
        return self.parameters["KalshiSecretName"]

    def __str__(self) -> str:
        return f"stack {self.stack}, stage {self.stage}, bot {self.bot}"

    @cached_property
    def clock(self) -> Clock:
        return LocalClock(self.local["clock_url"]) if self.local else WallClock()

    def client(self, service: str) -> Any:
        """A client of this stack's account and region, or of what stands in for it here."""
        if service == "lambda":
            url = self.local["functions_url"] if self.local else None
            return self.session.client("lambda", endpoint_url=url, config=_LAMBDA)
        url = self.local["aws_url"] if self.local else None
        return self.session.client(service, endpoint_url=url)  # type: ignore[call-overload] # the stubs know literals only

    def caller(self) -> str:
        """Who is asking, by ARN; on this machine nobody has one."""
        if self.local:
            return f"local:{os.environ.get('USER') or 'somebody'}"
        return str(self.client("sts").get_caller_identity()["Arn"])


def local_folder() -> Path:
    """Where the connection file of a stack on this machine is."""
    return Path(os.environ.get(FOLDER) or ROOT / "build" / "local")


def local_target() -> Target:
    """The stack on this machine. Raises OperatorError when there is none."""
    file = local_folder() / "connection.json"
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise OperatorError(
            f"no stack is up on this machine: {file} is not there",
            "run `dora local up` in another terminal",
            Exit.UNKNOWN,
        ) from None
    return Target(found["stack"], found["parameters"], found["outputs"], _nobodys_session(), found)


@cache
def _nobodys_session() -> boto3.Session:
    return boto3.Session(aws_access_key_id=NOBODY, aws_secret_access_key=NOBODY, region_name="us-east-1")


def aws_target(stack: str, session: boto3.Session) -> Target:
    """A stack by name, as CloudFormation describes it. Raises OperatorError."""
    try:
        answer = session.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        raise OperatorError(
            f"stack {stack} cannot be described: {error.response.get('Error', {}).get('Message', error)}",
            "check --stack, --profile and --region; the managed policy `read` grants this",
            Exit.UNKNOWN,
        ) from None
    except BotoCoreError as error:
        raise OperatorError(
            f"AWS cannot be asked: {error}", "check --profile and --region", Exit.UNKNOWN
        ) from None
    (found,) = answer["Stacks"]
    parameters = {own["ParameterKey"]: own["ParameterValue"] for own in found.get("Parameters", ())}
    outputs = {own["OutputKey"]: own["OutputValue"] for own in found.get("Outputs", ())}
    if "SessionFunctionName" not in outputs or "Bot" not in parameters:
        raise OperatorError(f"stack {stack} is not one of Dora's", "name the stack that `sam deploy` made")
    return Target(stack, parameters, outputs, session)
