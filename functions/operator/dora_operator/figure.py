"""Figures in two forms: exact for programs, and in the places and units that a person reads."""

from typing import Self

from dora.core.units import Money, format_money
from dora_operator.money import cents


class Figure(str):
    """An exact text, with `shown` for tables."""

    __slots__ = ("shown",)
    shown: str

    def __new__(cls, exact: str, shown: str) -> Self:
        """`exact` is what it is to everything but `shown`."""
        own = super().__new__(cls, exact)
        own.shown = shown
        return own


def shown(cell: str) -> str:
    """As a person reads it."""
    return cell.shown if isinstance(cell, Figure) else cell


def decimals(value: float, places: int) -> Figure:
    """A model's value: exact to nine places; shown with so many."""
    return Figure(f"{value:.9f}", f"{value:.{places}f}")


def dollars(amount: Money) -> Figure:
    """Exact to a millionth; shown to the cent."""
    return Figure(format_money(amount), f"{cents(amount)} $")
