"""The samples in the operator's document are what the command prints, but for figures."""

import re

from dora_operator.cli import COMMANDS
from tests.house.insights import saved_queries
from tests.house.translated import translated
from tests.operator.samples import DOCUMENT, rewritten, shape, stage


def test_every_sample_is_what_the_command_prints() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    with stage() as driver:
        assert shape(rewritten(document, driver)) == shape(document)


def test_every_command_has_a_sample() -> None:
    shown = set(re.findall(r"^\$ dora (\w+)", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert COMMANDS.keys() - shown - {"local"} == set()


def test_each_everyday_question_has_a_command_and_a_saved_query() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("| everyday question |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:4] for line in text.splitlines()[2:]]
    queries = {own.name for own in saved_queries(translated())}

    assert {re.findall(r"`dora (\w+)", command)[0] for _, command, _ in rows} <= COMMANDS.keys()
    named = {name for *_, query in rows for name in re.findall(r"`([a-z-]+)`", query)} - {"teardown"}
    assert named <= queries
    assert len(rows) == len(named) + 1
