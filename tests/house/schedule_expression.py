"""The grammar of schedule expressions, which no linter checks: a typo is found at deploy time, or never."""

import re

_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_CRON_FIELDS = 6
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_FIELD = re.compile(r"[\dA-Z*,/?#LW-]+")


def schedule_typo(expression: str) -> str | None:
    """What is wrong with an expression of EventBridge Scheduler, or None."""
    if expression.startswith("rate"):
        return _rate_typo(expression)
    if expression.startswith("cron("):
        return _cron_typo(expression)
    if re.fullmatch(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)", expression):
        return None
    return "write rate(...), cron(...) or at(...)"


def _rate_typo(expression: str) -> str | None:
    match = _RATE.fullmatch(expression)
    if match is None:
        return "write rate(<whole number> <minutes, hours or days>), with one blank between"
    one, plural = match[1] == "1", match[3] == "s"
    return f"{match[1]} {match[2]}{match[3]}: singular with 1, plural otherwise" if one == plural else None


def _cron_typo(expression: str) -> str | None:
    fields = expression.removeprefix("cron(").removesuffix(")").split(" ")
    if not expression.endswith(")") or len(fields) != _CRON_FIELDS:
        return "cron takes six fields: minutes, hours, day of month, month, day of week, year"
    if strange := [field for field in fields if not _FIELD.fullmatch(field)]:
        return f"{strange[0]!r} is no field of a cron expression"
    if [fields[_DAY_OF_MONTH], fields[_DAY_OF_WEEK]].count("?") != 1:
        return "one of day of month and day of week must be ?, and only one"
    return None
