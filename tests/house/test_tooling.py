"""The commands of the README start from nothing but a Python, and say what is wrong when there is none."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.checkout import ROOT

FIND_PYTHON = ROOT / ".ci" / "find-python"


def _find_python(wanted: str, *, path: str, home: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": path, "HOME": str(home)}
    return subprocess.run([FIND_PYTHON, wanted], env=env, capture_output=True, text=True, check=False)


def test_a_machine_without_python_gets_one_line_that_names_the_fix(tmp_path: Path) -> None:
    done = _find_python("best", path="", home=tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Install one" in done.stderr


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    _write_program(tmp_path / "shims" / "python3.13", "exit 127")

    done = _find_python("3.13", path=str(tmp_path / "shims"), home=tmp_path)

    assert done.returncode == 1


def test_a_python_in_a_pyenv_folder_is_found_without_its_shim(tmp_path: Path) -> None:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = tmp_path / ".pyenv" / "versions" / f"{minor}.0" / "bin"
    _write_program(folder / f"python{minor}", f'exec "{sys.executable}" "$@"')

    done = _find_python(minor, path="", home=tmp_path)

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).exists()


MAKE_VENV = ROOT / ".ci" / "make-venv"


def _make_venv(folder: Path, *, programs: Path) -> subprocess.CompletedProcess[str]:
    """With a Python that does nothing, so that what is to be installed never comes about."""
    _write_program(programs / "python3.13", f"echo {programs}/python3.13")
    env = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(programs)}
    command = [MAKE_VENV, folder, "lock.txt", "3.13"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_an_environment_that_another_make_is_making_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-making").mkdir()

    done = _make_venv(tmp_path / ".venv", programs=tmp_path / "programs")

    assert done.returncode == 1
    assert f"rmdir '{tmp_path}/.venv-making'" in done.stderr
    assert (tmp_path / ".venv" / "bin").exists()


def test_an_environment_that_could_not_be_made_may_be_tried_again(tmp_path: Path) -> None:
    done = _make_venv(tmp_path / ".venv", programs=tmp_path / "programs")

    assert done.returncode != 0
    assert "Making " in done.stdout
    assert not (tmp_path / ".venv-making").exists()


def _write_program(path: Path, command: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    path.chmod(0o755)


MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROGRAMS = sorted(set(re.findall(r"-m (tests\.\w+)", MAKEFILE)))


RUN_EACH = """
import runpy, sys
for program in sys.argv[1:]:
    sys.argv = [program, "--help"]
    try:
        runpy.run_module(program, run_name="__main__")
    except SystemExit as end:
        if end.code:
            sys.exit(f"{program}: {end.code}")
"""


def _run(path: str, *programs: str) -> subprocess.CompletedProcess[str]:
    """With what stands before it in a command, and nothing of this process's own path."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": path}
    command = [sys.executable, "-c", RUN_EACH, *programs]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_every_program_of_the_makefile_finds_what_it_needs() -> None:
    (path,) = re.findall(r"^RUN := PYTHONPATH=(\S+)", MAKEFILE, flags=re.MULTILINE)

    done = _run(path, *PROGRAMS)

    assert (done.returncode, done.stdout.count("usage:")) == (0, len(PROGRAMS)), done.stderr


def test_the_demo_finds_what_it_needs_without_make() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ((path, program),) = re.findall(r"PYTHONPATH=(\S+) \S+ -m (\S+);", readme)

    assert _run(path, program).returncode == 0


@pytest.mark.parametrize(
    ("program", "given"),
    [
        ("tests.soak", ["--seeds", "0"]),
        ("tests.soak", ["--hours", "0"]),
        ("tests.soak", ["--hours", "soon"]),
        ("tests.soak", ["--markets", "100000"]),
        ("tests.soak", ["--plan", "nowhere.json"]),
        ("tests.bench", ["--markets", "10,100000"]),
        ("tests.bench", ["--markets", "many"]),
        ("tests.emulator", ["nowhere.json"]),
        ("tests.mutants", ["nobody"]),
        ("tests.replay", ["--data", "nowhere.csv"]),
        ("tests.replay_cycle", ["nowhere.json.gz"]),
        ("tests.history", ["--series", "KXHIGHNY", "--days", "366"]),
    ],
)
def test_what_makes_no_sense_ends_a_program_before_it_starts(
    program: str, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo has tests of its own for this."""
    with pytest.raises(SystemExit) as ended:
        sys.exit(importlib.import_module(f"{program}.__main__").main(given))

    assert ended.value.code == 2
    assert given[-1].rpartition(",")[2] in capsys.readouterr().err


DEPLOY = ROOT / ".ci" / "deploy"


def _deploy(*given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, DEPLOY, "sam", *given, "--print"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("architecture", "built"),
    [("arm64", ".aws-sam/build/template.yaml"), ("x86_64", ".aws-sam/build-x86_64/template.yaml")],
)
def test_a_deploy_takes_what_was_built_for_its_architecture(architecture: str, built: str) -> None:
    first, *_ = _deploy("prod", architecture, "AlarmEmail=me@example.org").stdout.splitlines()

    assert f"--template-file {built} " in first
    assert "--config-env prod " in first
    assert " Stage=prod " in first
    assert first.endswith(f" AlarmEmail=me@example.org Architecture={architecture}")


def test_a_deploy_saves_every_session_event_for_the_console() -> None:
    _, *puts = _deploy("kalshi-demo", "arm64").stdout.splitlines()

    files = {f"events/{path.name}" for path in (ROOT / "events").glob("session_*.json")}
    assert {put.split("--file ")[1].split(" ")[0] for put in puts} == files
    assert all("test-event put SessionFunction --stack-name dora-demo " in put for put in puts)


@pytest.mark.parametrize("given", [("production", "arm64"), ("prod", "arm"), ("prod", "arm64", "AlarmEmail")])
def test_a_deploy_to_nowhere_is_refused_with_what_there_is(given: tuple[str, ...]) -> None:
    done = _deploy(*given)

    assert (done.returncode, done.stdout) == (2, "")
    assert "kalshi-demo, prod" in done.stderr


def _make(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--dry-run", "--no-print-directory", *words]
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_variable_that_no_target_knows_is_refused_before_anything_is_made() -> None:
    done = _make("demo", "CYCELS=3")

    assert (done.returncode, done.stdout) == (2, "")
    assert "No target knows CYCELS" in done.stderr
    assert " CYCLES " in done.stderr


def test_the_variables_that_make_knows_are_those_that_its_list_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (known,) = re.findall(r"^KNOWN := ((?:.*\\\n)*.*)$", makefile, flags=re.MULTILINE)
    described = "".join(re.findall(r"##? .*$", makefile, flags=re.MULTILINE))

    assert set(known.replace("\\\n", " ").split()) == set(re.findall(r"\b([A-Z_]+)=", described))


@pytest.mark.parametrize("target", ["demo", "replay"])
def test_a_path_may_have_spaces(target: str) -> None:
    assert (
        "--data 'my recordings/trades-x.csv.gz'" in _make(target, "DATA=my recordings/trades-x.csv.gz").stdout
    )


def test_a_change_is_taken_in_only_after_every_target_that_proves_something() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert set(re.findall(r"^ *make ([a-z-]+)", script, flags=re.MULTILINE)) == {
        *("demo", "replay", "replay-cycle", "test", "battery", "mutants", "soak", "bench", "lint"),
        *("build", "artifacts", "emulator", "contract"),
    }
    assert script.rstrip().splitlines()[-1] == 'tail -n 1 "$logs/test.log"', "how the tests ended comes last"


def test_the_list_of_commands_shows_each_description_to_its_end() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    described = re.findall(r"^[a-z-]+:.*  ## (.+)$", MAKEFILE, flags=re.MULTILINE)

    assert [text for text in described if text not in listed.stdout] == []


def test_every_make_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)
    described = re.findall(r"^([a-z-]+):.*  ## \S", makefile, flags=re.MULTILINE)

    assert sorted(described) == sorted(phony.split())
