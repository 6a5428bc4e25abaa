"""What the account did, as CSV."""

import csv
from pathlib import Path

from dora_operator.failures import Exit
from tests.operator.driver import Driver


def test_the_records_of_a_bot_are_lines_to_read_or_a_file(dora: Driver, tmp_path: Path) -> None:
    out = tmp_path / "records.csv"

    shown = dora.run("export")
    written = dora.run("export", "--out", str(out))

    assert (shown.exit_code, written.exit_code) == (0, 0)
    assert out.read_text() == shown.output
    with out.open() as file:
        fills = [row for row in csv.DictReader(file) if row["kind"] == "fill"]
    assert len(fills) == len(dora.stack.world.member.fills)
    assert dora.run("export", "--year", "2026").output == shown.output
    assert dora.run("export", "--year", "2001").output.count("\n") == 1
    assert dora.run("export", "--year", "late").exit_code == Exit.USAGE
    assert dora.run("export", "--out", str(out)).exit_code == Exit.USAGE
