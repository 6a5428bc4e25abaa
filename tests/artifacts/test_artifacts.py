"""What is deployed, looked at as it was built. `make artifacts` builds both architectures first."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.artifacts import binaries, bytecode, contents
from tests.artifacts.built import FOLDERS, ROOT, Built

pytestmark = pytest.mark.long

LOCK = ROOT / "layers" / "dependencies" / "requirements.txt"
SOURCES = {"CycleFunction": ROOT / "functions" / "cycle", "SessionFunction": ROOT / "functions" / "session"}


@pytest.fixture(params=sorted(FOLDERS))
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def built(architecture: str) -> Built:
    return Built(FOLDERS[architecture])


@pytest.fixture
def site(built: Built) -> Path:
    return built.layers["DependenciesLayer"] / "python"


def test_the_build_holds_two_functions_and_two_layers(built: Built) -> None:
    assert sorted(built.functions) == sorted(SOURCES)
    assert sorted(built.layers) == ["DependenciesLayer", "DoraLayer"]


def test_every_binary_is_for_the_architecture(built: Built, architecture: str) -> None:
    assert len(binaries.elf_files(built.folder)) >= 2  # cryptography and cffi at the least
    assert list(binaries.foreign_binaries(built.folder, architecture)) == []


def test_no_binary_asks_for_a_newer_c_library(built: Built) -> None:
    assert list(binaries.demanding_binaries(built.folder)) == []


def test_every_wheel_fits_the_runtime(site: Path, architecture: str) -> None:
    assert list(binaries.misfit_wheels(site, architecture)) == []


@pytest.mark.parametrize("layer", ["DependenciesLayer", "DoraLayer"])
def test_every_module_has_bytecode_that_the_runtime_uses(built: Built, layer: str) -> None:
    assert list(built.layers[layer].rglob("*.py"))
    assert list(bytecode.bytecode_faults(built.layers[layer])) == []


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="only Python 3.13 knows its own number")
def test_the_magic_number_is_that_of_python_3_13() -> None:
    assert importlib.util.MAGIC_NUMBER == bytecode.MAGIC


def test_boto3_and_everything_else_is_shipped_as_locked(site: Path) -> None:
    assert "boto3" in contents.shipped(site)
    assert list(contents.lock_differences(site, LOCK.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("check", [contents.unwanted, contents.stowaways])
def test_the_dependencies_layer_holds_nothing_that_no_function_needs(
    site: Path, check: Callable[[Path], Iterator[str]]
) -> None:
    assert list(check(site)) == []


def test_the_dora_layer_holds_dora_and_nothing_else(built: Built) -> None:
    layer = built.layers["DoraLayer"]

    assert [path.relative_to(layer).as_posix() for path in layer.glob("*/*")] == ["python/dora"]
    assert list(contents.copy_differences(layer / "python", ROOT / "layers" / "dora")) == [
        "Makefile: left out"
    ]


def test_a_function_holds_its_own_code_and_nothing_else(built: Built) -> None:
    for name, function in built.functions.items():
        assert list(contents.copy_differences(function.code, SOURCES[name])) == []
        assert list(function.code.rglob("__pycache__")) == []


def test_everything_unzipped_is_far_below_what_lambda_takes(built: Built) -> None:
    trees = [*built.layers.values(), *(function.code for function in built.functions.values())]

    assert 0 < contents.size_bytes(*trees) < contents.SIZE_LIMIT_BYTES
