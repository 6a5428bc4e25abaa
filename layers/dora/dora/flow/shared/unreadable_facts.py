"""Facts about rows of the account's lists that were not understood."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from dora.core.exchange.listed import Listed, UnreadableRow
from dora.core.ports import Facts

Item = TypeVar("Item")


def set_apart(facts: Facts, rows: Sequence[UnreadableRow]) -> None:
    """One `WARNING` for all rows that were not understood in lists that are known all the same."""
    if rows:
        facts.emit(
            "WARNING",
            what="unreadable rows set apart",
            rows=len(rows),
            lists="; ".join(f"{name} {n}" for name, n in sorted(Counter(r.list_name for r in rows).items())),
            why=rows[0].problem,
        )


def known_rows(
    facts: Facts, listed: Listed[Item], may_be_ours: Callable[[UnreadableRow], bool]
) -> tuple[Item, ...]:
    """The rows of a list; those set apart are told. Raises WireInvalid when one of these may be ours."""
    rows = listed.complete(may_be_ours)
    set_apart(facts, listed.unreadable)
    return rows
