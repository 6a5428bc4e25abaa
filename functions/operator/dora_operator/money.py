"""Amounts for people: cents in tables, exact in JSON and CSV; unknown stays unknown."""

from dora.core.units import Money, format_money

CENT = 10_000


def cents(amount: Money | None) -> str | None:
    """Dollars with a sign and two decimals, rounded half away from zero."""
    if amount is None:
        return None
    whole = (abs(amount) + CENT // 2) // CENT
    sign = "-" if amount < 0 and whole else ""
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def exact(amount: Money | None) -> str | None:
    """All six decimals."""
    return None if amount is None else format_money(amount)


def total(amounts: "list[Money | None]") -> Money | None:
    """Their sum; unknown when one of them is."""
    known = [own for own in amounts if own is not None]
    return Money(sum(known)) if len(known) == len(amounts) else None
