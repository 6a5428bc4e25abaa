"""The rooms keep to their arrows, and the checker sees it when one does not."""

from pathlib import Path

import pytest

from tests.house.arrows import broken_arrows
from tests.house.checkout import ROOT


def test_no_room_imports_what_it_may_not() -> None:
    assert broken_arrows(ROOT) == []


DORA = "layers/dora/dora"
OPERATOR = "functions/operator/dora_operator"


@pytest.mark.parametrize(
    ("path", "source", "breach"),
    [
        (f"{DORA}/core/risk/caps.py", "import time", "core: imports time"),
        (f"{DORA}/core/risk/caps.py", "from os import environ", "core: imports os.environ"),
        (f"{DORA}/core/risk/caps.py", "import logging", "core: imports logging"),
        (f"{DORA}/core/risk/caps.py", "def f():\n    import boto3", "core: imports boto3"),
        (
            f"{DORA}/core/risk/caps.py",
            "from dora.edge.kalshi import client",
            "core: imports dora.edge.kalshi.client",
        ),
        (f"{DORA}/core/quoting/fair.py", "from ...flow import cycle", "core: imports dora.flow.cycle"),
        (f"{DORA}/core/quoting/fair.py", "from dora import edge", "core: imports dora.edge"),
        (
            f"{DORA}/core/risk/caps.py",
            "import datetime\nx = datetime.datetime.now()",
            "core: reads the clock",
        ),
        (f"{DORA}/core/risk/caps.py", "from datetime import date\nx = date.today", "core: reads the clock"),
        (f"{DORA}/core/risk/caps.py", "open('x')", "core: calls open()"),
        (f"{DORA}/flow/cycle/run.py", "from dora.edge.dynamo.store import Store", "flow: imports dora.edge"),
        (f"{DORA}/flow/cycle/run.py", "import requests", "flow: imports requests"),
        (f"{DORA}/flow/cycle/run.py", "import time", "flow: imports time"),
        (
            f"{DORA}/edge/kalshi/wire.py",
            "from dora.edge import archive",
            "edge/kalshi: imports dora.edge.archive",
        ),
        (f"{DORA}/edge/kalshi/wire.py", "import boto3", "edge/kalshi: imports boto3"),
        (
            f"{DORA}/edge/secrets.py",
            "from .dynamo import codec",
            "edge/secrets: imports dora.edge.dynamo.codec",
        ),
        (f"{DORA}/edge/dynamo/store.py", "import os", "edge/dynamo: imports os"),
        (f"{DORA}/edge/kalshi/wire.py", "import time", "edge/kalshi: imports time"),
        (f"{DORA}/edge/net/request.py", "import os", "edge/net: imports os"),
        (f"{DORA}/edge/net/request.py", "from dora.edge import aws", "edge/net: imports dora.edge.aws"),
        (f"{DORA}/edge/redis/store.py", "", "no room has this path"),
        (f"{DORA}/cache.py", "", "no room has this path"),
        (f"{DORA}/wiring.py", "import tests.world", "top: imports tests.world"),
        ("functions/cycle/app.py", "from dora.core import risk", "doors: imports dora.core.risk"),
        ("functions/cycle/app.py", "import boto3", "doors: imports boto3"),
        ("functions/cycle/app.py", "x = 1\n" * 26, "doors: longer than 25 lines"),
        (f"{DORA}/wiring.py", "from dora_operator import cli", "top: imports dora_operator.cli"),
        (f"{OPERATOR}/cli.py", "from tests.simulator import server", "operator: imports tests.simulator"),
        (f"{DORA}/core/__init__.py", '"""Rooms."""\nfrom dora.core import risk', "code in __init__.py"),
    ],
)
def test_a_planted_breach_is_seen(tmp_path: Path, path: str, source: str, breach: str) -> None:
    _plant(tmp_path, path, source)

    (found,) = broken_arrows(tmp_path)

    assert found.startswith(f"{path}:")
    assert breach in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (f"{DORA}/core/risk/caps.py", "from decimal import Decimal\nfrom dora.core.units import Price"),
        (f"{DORA}/core/risk/caps.py", "import datetime\nx = datetime.datetime(2026, 1, 1)\ny = self.now"),
        (f"{DORA}/core/__init__.py", '"""Rooms."""'),
        (f"{DORA}/flow/cycle/run.py", "from dora.core import ports\nfrom dora.telemetry import emit"),
        (f"{DORA}/edge/kalshi/client.py", "import requests\nfrom . import wire"),
        (f"{DORA}/edge/net/request.py", "import time\nimport urllib3"),
        (f"{OPERATOR}/top.py", "import time\nimport click\nfrom dora.edge.dynamo import store"),
        (f"{OPERATOR}/commands/now.py", "from ..desk import Desk"),
        (f"{DORA}/wiring.py", "import os, time\nfrom dora.edge.kalshi import client"),
        (
            "functions/cycle/app.py",
            "from dora.flow.cycle import run_cycle\nfrom dora import triggers, wiring",
        ),
    ],
)
def test_a_proper_import_is_let_pass(tmp_path: Path, path: str, source: str) -> None:
    _plant(tmp_path, path, source)

    assert broken_arrows(tmp_path) == []


def _plant(root: Path, path: str, source: str) -> None:
    (root / path).parent.mkdir(parents=True)
    (root / path).write_text(source, encoding="utf-8")
