"""Each check of an artifact is seen to fail, on a layer small enough to be made up here."""

from pathlib import Path
from typing import Any

import pytest

from tests.artifacts import binaries, bytecode, contents

MACHINE_NUMBERS = {name: number for number, name in binaries.MACHINES.items()}
SOURCE = b"PRICE = 1\n"


def put(path: Path, content: bytes | str = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put_elf(path: Path, architecture: str, symbols: bytes = b"GLIBC_2.17") -> Path:
    machine = MACHINE_NUMBERS[architecture].to_bytes(2, "little")
    return put(path, binaries.ELF + b"\x02" + bytes(13) + machine + symbols)


def put_wheel(site: Path, name: str, version: str, *files: str, tag: str = "py3-none-any") -> None:
    info = f"{name}-{version}.dist-info"
    recorded = (f"{info}/WHEEL", f"{info}/RECORD", *files)
    put(site / info / "WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
    put(site / info / "RECORD", "".join(f"{name},,\n" for name in recorded))


def put_module(
    tree: Path, *, magic: bytes = bytecode.MAGIC, flag: int = bytecode.UNCHECKED_HASH, of: bytes = SOURCE
) -> None:
    source = put(tree / "dora" / "units.py", SOURCE)
    header = magic + flag.to_bytes(4, "little") + bytecode.source_hash(of)
    put(bytecode.compiled_file(source), header + b"code")


@pytest.mark.parametrize(("built_for", "deployed_on"), [("x86_64", "arm64"), ("arm64", "x86_64")])
def test_a_layer_for_the_wrong_architecture_is_seen(tmp_path: Path, built_for: str, deployed_on: str) -> None:
    put_elf(tmp_path / "cryptography" / "_rust.abi3.so", built_for)

    assert list(binaries.foreign_binaries(tmp_path, built_for)) == []
    assert list(binaries.foreign_binaries(tmp_path, deployed_on)) == [
        f"_rust.abi3.so is for {built_for}, not {deployed_on}"
    ]


def test_a_binary_without_a_telling_name_is_seen(tmp_path: Path) -> None:
    put_elf(tmp_path / "libssl.so.3", "x86_64")

    assert len(list(binaries.foreign_binaries(tmp_path, "arm64"))) == 1


@pytest.mark.parametrize(("minor", "faults"), [(34, 0), (35, 1)])
def test_a_binary_for_a_newer_c_library_is_seen(tmp_path: Path, minor: int, faults: int) -> None:
    put_elf(tmp_path / "a.so", "arm64", symbols=b"GLIBC_2.4\0GLIBC_2.%d\0" % minor)

    assert len(list(binaries.demanding_binaries(tmp_path))) == faults


@pytest.mark.parametrize(
    "tag",
    [
        "cp313-cp313-manylinux_2_35_aarch64",
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp313-cp313-musllinux_1_2_aarch64",
        "cp312-cp312-manylinux2014_aarch64",
        "cp313-cp313t-manylinux2014_aarch64",
        "cp313-cp313-macosx_11_0_arm64",
        "",
    ],
)
def test_a_wheel_that_does_not_fit_is_seen(tmp_path: Path, tag: str) -> None:
    put_wheel(tmp_path, "cffi", "2.1", tag=tag)

    assert len(list(binaries.misfit_wheels(tmp_path, "arm64"))) == 1


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp311-abi3-manylinux_2_34_aarch64",
        "cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64",
    ],
)
def test_a_wheel_that_fits_is_let_pass(tmp_path: Path, tag: str) -> None:
    put_wheel(tmp_path, "cffi", "2.1", tag=tag)

    assert list(binaries.misfit_wheels(tmp_path, "arm64")) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"magic": (3531).to_bytes(2, "little") + b"\r\n"}, "bytecode of another Python"),
        ({"flag": 0}, "bytecode that is checked against its source"),
        ({"flag": 3}, "bytecode that is checked against its source"),
        ({"of": b"PRICE = 2\n"}, "bytecode of another source"),
    ],
)
def test_bytecode_that_the_runtime_would_not_use_is_seen(
    tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    put_module(tmp_path, **change)

    assert list(bytecode.bytecode_faults(tmp_path)) == [f"dora/units.py: {fault}"]


def test_a_module_without_bytecode_is_seen(tmp_path: Path) -> None:
    put_module(tmp_path)
    assert list(bytecode.bytecode_faults(tmp_path)) == []

    put(tmp_path / "dora" / "book.py")

    assert list(bytecode.bytecode_faults(tmp_path)) == ["dora/book.py: no bytecode of Python 3.13"]


@pytest.mark.parametrize(
    "name",
    [
        "requests/tests/test_api.py",
        "requests/test/api.py",
        "bin/normalizer",
        "plotly/io.py",
        "moto/core.py",
        "aws_xray_sdk/core.py",
        "aws_xray_sdk-2.14.dist-info/WHEEL",
        "mypy_boto3_dynamodb/client.pyi",
        "boto3-stubs/client.pyi",
        "pip/main.py",
        "dora/units.py",
    ],
)
def test_what_no_function_needs_is_seen(tmp_path: Path, name: str) -> None:
    put(tmp_path / "requests" / "sessions.py")
    put(tmp_path / "aws_lambda_powertools" / "testing.py")
    assert list(contents.unwanted(tmp_path)) == []

    put(tmp_path / name)

    assert len(list(contents.unwanted(tmp_path))) == 1


def test_a_package_that_is_not_as_locked_is_seen(tmp_path: Path) -> None:
    lock = "boto3==1.44.5 \\\n    --hash=sha256:0\npython-dateutil==2.9.0 ; sys_platform == 'linux'\n"
    put_wheel(tmp_path, "boto3", "1.44.4")
    put_wheel(tmp_path, "six", "1.17.0")

    assert list(contents.lock_differences(tmp_path, lock)) == [
        "boto3: 1.44.4, locked is 1.44.5",
        "python-dateutil: absent, locked is 2.9.0",
        "six: 1.17.0, locked is none",
    ]


def test_a_file_that_no_wheel_brought_is_seen(tmp_path: Path) -> None:
    put_wheel(tmp_path, "six", "1.17.0", "six.py")
    put(tmp_path / "six.py")
    put(tmp_path / "__pycache__" / "six.cpython-313.pyc")
    assert list(contents.stowaways(tmp_path)) == []

    put(tmp_path / "requirements.txt")

    assert list(contents.stowaways(tmp_path)) == ["requirements.txt"]


def test_code_that_is_not_that_of_the_checkout_is_seen(tmp_path: Path) -> None:
    for name in ("app.py", "old.py"):
        put(tmp_path / "checkout" / name, "x = 1")
    put(tmp_path / "copy" / "app.py", "x = 2")
    put(tmp_path / "copy" / "boto3" / "session.py")

    assert list(contents.copy_differences(tmp_path / "copy", tmp_path / "checkout")) == [
        "boto3/session.py: not in the checkout",
        "old.py: left out",
        "app.py: differs",
    ]


def test_size_counts_every_file_of_every_tree(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b" / "c.so", bytes(100))
    put(tmp_path / "d" / "e.py", bytes(11))

    assert contents.size_bytes(tmp_path / "a", tmp_path / "d") == 111
