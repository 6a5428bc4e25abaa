"""Both layers are built for the deployed runtime, from pinned packages only."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.checkout import ROOT
from tests.house.cloudformation import resources, template

LOCK = ROOT / "layers" / "dependencies" / "requirements.txt"
LOCKS = [
    LOCK,
    ROOT / "requirements-dev.txt",
    ROOT / "requirements-sam.txt",
    ROOT / "tests" / "emulator" / "requirements.txt",
]


def _pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", text, flags=re.MULTILINE))


def test_each_layer_has_the_make_target_that_sam_calls() -> None:
    layers = resources("AWS::Serverless::LayerVersion")

    assert sorted(layers) == ["DependenciesLayer", "DoraLayer"]
    for name, layer in layers.items():
        makefile = (ROOT / layer["Properties"]["ContentUri"] / "Makefile").read_text(encoding="utf-8")
        assert layer["Metadata"]["BuildMethod"] == "makefile"
        assert f"\nbuild-{name}:\n" in makefile


def test_layers_are_compiled_for_the_runtime_of_the_functions() -> None:
    minor = template()["Globals"]["Function"]["Runtime"].removeprefix("python")

    for layer in resources("AWS::Serverless::LayerVersion").values():
        makefile = (ROOT / layer["Properties"]["ContentUri"] / "Makefile").read_text(encoding="utf-8")
        assert f"\nMINOR := {minor}\n" in makefile
        assert "--invalidation-mode unchecked-hash" in makefile
        assert layer["Properties"]["CompatibleRuntimes"] == [f"python{minor}"]


def test_the_default_architecture_is_one_everywhere() -> None:
    default = template()["Parameters"]["Architecture"]["Default"]

    assert f"$(or $(SAM_BUILD_ARCH),{default})" in (LOCK.parent / "Makefile").read_text(encoding="utf-8")


def test_the_runtime_needs_four_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    names = {re.split(r"[^a-z0-9-]", dependency)[0] for dependency in project["dependencies"]}

    assert names == {"aws-lambda-powertools", "boto3", "cryptography", "requests"}
    assert names <= set(_pins(LOCK.read_text(encoding="utf-8")))


def test_the_layer_lock_reads_the_same_under_every_python() -> None:
    # pip judges these markers by the Python that runs it, not by the target it downloads wheels for.
    assert not re.findall(r"python_(?:full_)?version", LOCK.read_text(encoding="utf-8"))


def test_tests_run_on_the_packages_that_are_deployed() -> None:
    deployed = _pins(LOCK.read_text(encoding="utf-8"))
    tested = _pins(LOCKS[1].read_text(encoding="utf-8"))

    assert deployed.items() <= tested.items()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.relative_to(ROOT).as_posix())
def test_every_pin_has_a_hash_and_no_lock_names_a_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]

    assert blocks
    assert [block for block in blocks if not re.match(r"\S+==\S+.*\\\n +--hash=sha256:", block)] == []
    assert "://" not in text
    assert "--index" not in text
    assert "--extra-index" not in text
