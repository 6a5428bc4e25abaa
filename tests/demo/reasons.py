"""Why a market was not quoted, for a reader: in words under its chart, and in one table of all markets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from tests.demo.strip import BOTH, ONE, SILENT
from tests.house.reason_table import meanings

MEANINGS = meanings() | {
    SILENT: "The bot has said nothing of it yet.",
    "failed": "The cycle ended in an error.",
    BOTH: "A bid and an ask were wanted.",
    ONE: "A bid or an ask alone was wanted.",
}

NOTHING_LEFT = "Neither side has a price that may be quoted."


def why(words: Sequence[str]) -> str:
    """One line for each reason, the longest first: how many cycles, and what it says."""
    lines = [
        f"<b>{escape(word)}</b> in {count} of {len(words)} cycles: {escape(_meaning(word))}"
        for word, count in _reasons(words).most_common()
    ]
    if not lines:
        return '<p class="note">Quoted in every cycle.</p>'
    return f'<p class="note">Not quoted: {"<br>".join(lines)}</p>'


def _meaning(word: str) -> str:
    return MEANINGS.get(word, NOTHING_LEFT).replace("`", "")


def reason_table(strips: Mapping[str, Sequence[str]], order: Sequence[str]) -> str:
    """Markets by reasons, in cycles; the most common reason first."""
    total = Counter(word for words in strips.values() for word in words)
    columns = [BOTH, ONE, *(word for word, _ in _reasons(list(total.elements())).most_common())]
    head = "".join(
        f'<th title="{escape(_meaning(word))}">{escape(word.replace("_", " "))}</th>' for word in columns
    )
    rows = [_row(ticker, Counter(strips[ticker]), columns) for ticker in order]
    return (
        f'<table class="reasons"><tr><th>cycles with</th>{head}</tr>{"".join(rows)}'
        f"{_row('all markets', total, columns)}</table>"
    )


def _row(name: str, counts: Mapping[str, int], columns: Sequence[str]) -> str:
    cells = "".join(f"<td>{counts[word] or ''}</td>" for word in columns)
    return f"<tr><td>{escape(name)}</td>{cells}</tr>"


def _reasons(words: Sequence[str]) -> Counter[str]:
    return Counter(word for word in words if word not in (BOTH, ONE))
