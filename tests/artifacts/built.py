"""What `make build` left: the functions and layers of one architecture, as the built template lists them."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"arm64": ROOT / ".aws-sam" / "build", "x86_64": ROOT / ".aws-sam" / "build-x86_64"}
"""Where the Makefile's `build` puts each architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFunction:
    """One function: its code, what is mounted beside it, and what Lambda is told about it."""

    name: str
    code: Path
    layers: tuple[Path, ...]
    handler: str
    timeout_s: int
    memory_mb: int
    variables: frozenset[str]


class Built:
    """One build folder. Raises FileNotFoundError when there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.yaml"
        if not self.template.is_file():
            raise FileNotFoundError(f"{self.template} is not there: run `make build` first")
        self._whole = yaml.safe_load(self.template.read_text(encoding="utf-8"))

    @property
    def layers(self) -> Mapping[str, Path]:
        """Logical id -> the folder that becomes /opt."""
        return {
            name: self.folder / resource["Properties"]["ContentUri"]
            for name, resource in self._resources("AWS::Serverless::LayerVersion").items()
        }

    @property
    def functions(self) -> Mapping[str, BuiltFunction]:
        """By logical id."""
        found = self._resources("AWS::Serverless::Function")
        return {name: self._function(name, resource["Properties"]) for name, resource in found.items()}

    def _resources(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: own for name, own in self._whole["Resources"].items() if own["Type"] == kind}

    def _function(self, name: str, own: Mapping[str, Any]) -> BuiltFunction:
        properties = {**self._whole["Globals"]["Function"], **own}
        return BuiltFunction(
            name=name,
            code=self.folder / properties["CodeUri"],
            layers=tuple(self.layers[layer["Ref"]] for layer in properties["Layers"]),
            handler=properties["Handler"],
            timeout_s=properties["Timeout"],
            memory_mb=properties["MemorySize"],
            variables=frozenset(properties["Environment"]["Variables"]),
        )


def architecture_of_this_machine() -> str:
    """By Lambda's name. Raises KeyError on a machine whose binaries Lambda does not run."""
    return {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]


def built_for_this_machine() -> Built:
    """The build that can be run here."""
    return Built(FOLDERS[architecture_of_this_machine()])
