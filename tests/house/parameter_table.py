"""The table of the template's parameters in functions/README.md."""

from tests.house.cloudformation import template


def table() -> str:
    """Name, default, and what it is."""
    rows = [
        f"| `{name}` | {_code(own['Default'])} | {_allowed(own)}{_said(own)} |"
        for name, own in template()["Parameters"].items()
    ]
    return "\n".join(["| parameter | default | what it is |", "|---|---|---|", *rows])


def _code(value: object) -> str:
    return f"`{value}`" if value != "" else "empty"


def _allowed(own: dict[str, object]) -> str:
    """Choices that are few enough to read."""
    values = own.get("AllowedValues")
    few = isinstance(values, list) and len(values) <= 4
    return f"{', '.join(f'`{value}`' for value in values)}. " if few and isinstance(values, list) else ""


def _said(own: dict[str, object]) -> str:
    return str(own.get("Description", "")).strip()
