"""Pieces of a page: a figure, a table, and how they look."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("page.css")


def figure(name: str, value: object, note: str, *, bad: bool = False) -> str:
    """One figure with its name and what stands below it; `bad` ones are red."""
    kind = "figure bad" if bad else "figure"
    told = f"<b>{escape(str(value))}</b><span>{escape(name)}</span><i>{escape(note)}</i>"
    return f'<div class="{kind}">{told}</div>'


def grid(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table with a heading."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
