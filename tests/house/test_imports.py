"""Importing is free: no environment, no client, no network."""

import ast
import gc
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from dora import collection
from tests.house.checkout import ROOT

SCRIPT = Path(__file__).with_name("import_everything.py")
LAYER = ROOT / "layers" / "dora"
LAMBDA_DOORS = ("cycle", "session")
CLIENT_ARGUMENTS = "region_name='us-east-1', aws_access_key_id='none', aws_secret_access_key='none'"


def _import_all(*folders: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *folders], env={}, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_every_module_imports_without_environment_and_opens_nothing() -> None:
    doors = sorted(app.parent for app in (ROOT / "functions").glob("*/app.py"))

    done = _import_all(LAYER, *[door for door in doors if door.name != "operator"])

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= len(list((LAYER / "dora").rglob("*.py")))


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import os\nos.environ['BOT']", "KeyError"),
        (f"import boto3\nclient = boto3.client('dynamodb', {CLIENT_ARGUMENTS})", "importing opened"),
        ("import requests\nsession = requests.Session()", "importing opened"),
        ("import socket\nsocket.getaddrinfo('localhost', 80)", "import reached the network"),
    ],
)
def test_a_module_that_does_more_is_seen(tmp_path: Path, source: str, complaint: str) -> None:
    (tmp_path / "planted.py").write_text(source, encoding="utf-8")

    done = _import_all(tmp_path)

    assert done.returncode != 0
    assert complaint in done.stderr


@pytest.mark.parametrize("door", LAMBDA_DOORS)
def test_a_door_makes_garbage_collection_rare_before_it_imports_anything_else(door: str) -> None:
    tree = ast.parse((ROOT / "functions" / door / "app.py").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module != "typing"]

    assert imports[0].module == "dora"
    assert imports[0].names[0].name == "collection"


def test_garbage_collection_is_rare_from_that_import_on() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(2_000)
        importlib.reload(collection)
        assert gc.isenabled()
        assert gc.get_threshold()[0] == collection.COLLECTED_AFTER
    finally:
        gc.set_threshold(*before)
