"""Tables in documents that are made of the source; this program writes them all anew:

PYTHONPATH=layers/dora:functions/operator .venv/bin/python -m tests.house.generated
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.house import alarm_table, parameter_table, reason_table, setting_table
from tests.house.checkout import ROOT


@dataclass(frozen=True)
class Generated:
    """One table: what makes it, and the document that holds it between two comments of its name."""

    name: str
    table: Callable[[], str]
    document: Path

    @property
    def _begin(self) -> str:
        return f"<!-- {self.name} -->\n"

    @property
    def _end(self) -> str:
        return f"\n<!-- end of {self.name} -->"

    def written(self) -> str:
        """As it stands in the document."""
        _, _, after = self.document.read_text(encoding="utf-8").partition(self._begin)
        return after.partition(self._end)[0]

    def write(self) -> None:
        """Put today's table into the document."""
        text = self.document.read_text(encoding="utf-8")
        before = f"{self._begin}{self.written()}{self._end}"
        self.document.write_text(
            text.replace(before, f"{self._begin}{self.table()}{self._end}", 1), encoding="utf-8"
        )


TABLES = (
    Generated("settings", setting_table.table, ROOT / "layers/README.md"),
    Generated("reasons", reason_table.table, ROOT / "layers/README.md"),
    Generated("alarms", alarm_table.table, ROOT / "functions/README.md"),
    Generated("parameters", parameter_table.table, ROOT / "functions/README.md"),
)


if __name__ == "__main__":
    for one in TABLES:
        one.write()
