"""What a cold start costs: importing, and the first invocation, each in fresh processes, turn about."""

import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median

from tests.bench.case import Case
from tests.bench.driver import ROOT, bot_process, running_rig, with_bytecode
from tests.bench.runs import Plan

FIRST_MARKETS = 100
PRODUCT = "import app"
LIBRARIES = """
import boto3, requests
from aws_lambda_powertools import Logger, Metrics
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
"""
"""The four packages of the dependencies layer, by the parts that a bot needs at all."""
_PROBE = "import time; began = time.process_time_ns()\n{}\nprint((time.process_time_ns() - began) / 1e6)"


def import_cpu_ms(times: int) -> dict[str, float]:
    """Medians of so many fresh processes: the product with all it imports, and the libraries alone."""
    _probe(PRODUCT), _probe(LIBRARIES)
    pairs = [(_probe(PRODUCT), _probe(LIBRARIES)) for _ in range(times)]
    return {
        "import_cpu_ms": round(median(product for product, _ in pairs), 1),
        "import_floor_cpu_ms": round(median(libraries for _, libraries in pairs), 1),
        "import_of_floor": round(median(product / libraries for product, libraries in pairs), 2),
    }


def first_invocation_cpu_ms(times: int) -> dict[str, float]:
    """Median over so many fresh processes, each the first to wake in the same account of 100 markets."""
    with running_rig(Case(FIRST_MARKETS)) as env, tempfile.TemporaryDirectory() as folder:
        plan = asdict(Plan(FIRST_MARKETS, ordinary=0))
        bot_process("runs", env, Path(folder), plan=plan, kind="start")
        taken = [bot_process("first", env, Path(folder))["cpu_ms"] for _ in range(times)]
    return {"first_invocation_cpu_ms": round(median(taken), 1)}


def _probe(imports: str) -> float:
    env = with_bytecode(ROOT / "functions/cycle", ROOT / "layers/dora") | {
        "AWS_EC2_METADATA_DISABLED": "true"
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(imports)], env=env, check=True, capture_output=True, text=True
    )
    return float(done.stdout)
