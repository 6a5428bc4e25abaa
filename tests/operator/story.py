"""A run that is over, and what the saved queries find in its log."""

from dataclasses import dataclass

from dora_operator.log_lines import Row, run_locally
from tests.operator.driver import Driver

PLACEHOLDERS = ("PASTE-CLIENT-ORDER-ID-HERE", "PASTE-DECISION-ID-HERE")


@dataclass(frozen=True)
class Told:
    """The log of a stack, asked by its own queries."""

    driver: Driver
    queries: dict[str, str]

    def ask(self, name: str, pasted: str = "", *, text: str = "") -> list[Row]:
        """What a query finds, an id pasted where it wants one; or what another text finds."""
        query = text or self.queries[name]
        for placeholder in PLACEHOLDERS:
            query = query.replace(placeholder, pasted)
        with (self.driver.folder / "log.jsonl").open(encoding="utf-8") as lines:
            return run_locally(query, lines)
