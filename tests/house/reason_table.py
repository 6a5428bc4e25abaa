"""The table of reasons in layers/README.md, made of the enums."""

from dora_operator.reason_words import meanings


def table() -> str:
    """As it is to stand in the README."""
    rows = [f"| `{word}` | {said} |" for word, said in meanings().items()]
    return "\n".join(["| reason | it says |", "|---|---|", *rows])
