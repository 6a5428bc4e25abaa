"""The figures as a table, for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ROWS = (
    ("http_calls_warm", "HTTP calls, warm"),
    ("http_calls_cold", "HTTP calls, cold"),
    ("http_calls_by_tier.basic", "  on basic"),
    ("http_calls_by_tier.advanced", "  on advanced"),
    ("http_calls_by_tier.premier", "  on premier"),
    ("compute_diff_cpu_ms", "compute and diff, CPU ms"),
    ("older_compute_diff_cpu_ms", "  the older plan's"),
    ("compute_diff_of_older", "  ratio, pair by pair"),
    ("moving.0.compute_diff_cpu_ms", "  nothing moves"),
    ("moving.100.compute_diff_cpu_ms", "  everything moves"),
    ("cycle_cpu_ms", "cycle, CPU ms"),
    *((f"phases_cpu_ms.{name}", f"  {name}") for name in ("load", "read", "reconcile", "accounts")),
    *((f"phases_cpu_ms.{name}", f"  {name}") for name in ("compute", "risk", "diff", "decide")),
    *((f"phases_cpu_ms.{name}", f"  {name}") for name in ("execute", "persist", "archive")),
    *((f"clients_cpu_ms.{name}", f"  of it {name}") for name in ("requests", "botocore", "signing")),
    *((f"clients_cpu_ms.{name}", f"  of it {name}") for name in ("json", "logging")),
    ("wall_ms_50", "wall ms, 50 ms a call"),
    ("wall_ms_50_least", "  least"),
    ("floor_ms_50", "  six round trips and the CPU"),
    ("late_answers_ms", "  answers late by, in all"),
    ("dynamodb_calls", "DynamoDB calls"),
    ("limiter_updates", "  of them the limiter's"),
    ("wru", "write units, mean"),
    ("wru_max", "  largest"),
    ("moving.0.wru", "  nothing moves"),
    ("moving.100.wru", "  everything moves"),
    ("rru", "read units, mean"),
    ("largest_item_kb", "largest item, kB"),
    ("log_kb", "log, kB"),
    ("log_lines", "log, lines"),
    ("archive_bytes", "archive object, bytes"),
    ("memory_mb", "peak memory, MB"),
)
LABEL, COLUMN = 34, 12


def table(results: Mapping[str, Any]) -> str:
    """All sections that the results have."""
    return "\n\n".join("\n".join(section) for section in _sections(results))


def _sections(results: Mapping[str, Any]) -> Iterator[list[str]]:
    markets = results.get("markets", {})
    if markets:
        rows = [[label, *(_found(own, path) for own in markets.values())] for path, label in ROWS]
        yield _lines(["one cycle, markets", *markets], rows)
        costs = results["cost_month"]
        names = next(iter(costs.values()))
        yield _lines(
            ["dollars a month", *costs], [[name, *(own[name] for own in costs.values())] for name in names]
        )
    for markets, spots in results.get("hot_spots", {}).items():
        rows = [[own["function"], own["ms"], own["own_ms"]] for own in spots]
        yield _lines([f"CPU at {markets} markets", "ms", "own ms"], rows)
    if cold := results.get("cold_start"):
        yield _lines(["cold start", "CPU ms"], [[name, value] for name, value in cold.items()])
    if books := results.get("books"):
        yield _lines(["fills into the ledger", "CPU"], [[name, value] for name, value in books.items()])
    if units := results.get("write_units_per_fill"):
        yield _lines(["write units per fill", ""], [[name, value] for name, value in units.items()])
    if storms := results.get("storm"):
        names = list(next(iter(storms.values())))
        rows = [[name, *(own[name] for own in storms.values())] for name in names]
        yield _lines(["half of all targets move", *storms], rows)
    for markets, own in results.get("archive", {}).items():
        yield _lines(
            [f"archive object, {markets} markets", ""], [[name, value] for name, value in own.items()]
        )
    if pacing := results.get("pacing"):
        names = list(next(iter(next(iter(pacing.values())).values())))
        head = ["write tokens: tier, delay ms", *names]
        rows = [
            [f"{tier}, {delay}", *(own[name] for name in names)]
            for tier, delays in pacing.items()
            for delay, own in delays.items()
        ]
        yield _lines(head, rows)


def _found(figures: Any, path: str) -> Any:
    """A figure by its dotted path; "-" where it was not measured."""
    for part in path.split("."):
        figures = figures.get(part, "-") if isinstance(figures, Mapping) else "-"
    return figures


def _lines(head: Sequence[object], rows: Sequence[Sequence[object]]) -> list[str]:
    label = max(LABEL, *(len(str(row[0])) for row in (head, *rows)))
    widths = [max(COLUMN, len(str(name)) + 2) for name in head[1:]]
    return [
        f"{row[0]!s:<{label}}" + "".join(f"{_text(v):>{w}}" for v, w in zip(row[1:], widths, strict=True))
        for row in (head, *rows)
    ]


def _text(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) and value >= 100 else str(value)
