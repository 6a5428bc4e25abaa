"""The foreign programs are pinned, by content, and their locks name no place to fetch them from."""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_npm_package_is_locked_by_its_checksum_and_by_no_address() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    foreign = {name: package for name, package in packages.items() if name}

    assert "node_modules/@stoplight/prism-cli" in foreign
    assert {name for name, package in foreign.items() if "integrity" not in package} == set()
    assert {name for name, package in foreign.items() if "resolved" in package} == set()


def test_every_python_package_is_locked_by_its_hashes_and_by_no_address() -> None:
    lock = (HERE / "requirements.txt").read_text(encoding="utf-8")

    pins = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]

    assert {"kalshi-sdk", "kalshi-python-sync"} <= {pin.partition("==")[0] for pin in pins}
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in lock


def test_what_is_asked_for_is_one_exact_version() -> None:
    asked = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
