"""What a cold start loads, counted in modules: milliseconds measure the machine."""

import json
import subprocess
from functools import cache

import pytest

from tests.artifacts.built import built_for_this_machine
from tests.emulator.runtime import search_path, target_interpreter

pytestmark = pytest.mark.long

MODULE_BUDGET = 830
"""The cycle loads about 820: 350 of them boto3, requests and cryptography, some 250 small ones of our own."""

# Each of these costs more than it is worth, or is of the tests: boto3.dynamodb.transform is loaded only by
# boto3.resource("dynamodb"), pydantic by Powertools' parser, aws_xray_sdk by its tracer once it is used.
UNWANTED = (
    "asyncio",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk",
    "boto3.dynamodb.transform",
    "hypothesis",
    "moto",
    "plotly",
    "pydantic",
    "pytest",
    "tests",
    "unittest",
)
PROBE = "import sys, json, app; json.dump(sorted(sys.modules), sys.stdout)"


@cache
def loaded_modules(name: str) -> tuple[str, ...]:
    """All modules in memory once a built function's code is loaded."""
    function = built_for_this_machine().functions[name]
    done = subprocess.run(
        [target_interpreter(), "-S", "-c", PROBE],
        env={"PYTHONPATH": search_path(function), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(json.loads(done.stdout))


def costly(modules: tuple[str, ...]) -> list[str]:
    """Those that a cold start must not pay for."""
    return [name for name in modules if any(name == own or name.startswith(f"{own}.") for own in UNWANTED)]


@pytest.mark.parametrize("name", ["CycleFunction", "SessionFunction"])
def test_a_cold_start_loads_no_more_than_its_budget(name: str) -> None:
    modules = loaded_modules(name)

    assert "dora.wiring" in modules
    assert len(modules) <= MODULE_BUDGET
    assert costly(modules) == []


@pytest.mark.parametrize("planted", ["moto", "moto.dynamodb", "boto3.dynamodb.transform", "asyncio.events"])
def test_a_costly_module_is_seen(planted: str) -> None:
    assert costly(("dora.wiring", "motorway", planted)) == [planted]
