"""The samples in the operator's document are what the command prints, but for figures."""

import re

from dora_operator.cli import COMMANDS
from tests.operator.samples import DOCUMENT, rewritten, shape, stage


def test_every_sample_is_what_the_command_prints() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    with stage() as driver:
        assert shape(rewritten(document, driver)) == shape(document)


def test_every_command_has_a_sample() -> None:
    shown = set(re.findall(r"^\$ dora (\w+)", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert COMMANDS.keys() - shown - {"local"} == set()
