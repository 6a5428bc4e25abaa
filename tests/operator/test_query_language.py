"""The language of saved queries, as far as the command speaks it, means what CloudWatch means by it."""

import pytest

from dora_operator.insights import InsightsError, to_sql
from dora_operator.log_lines import run_locally


@pytest.mark.parametrize(
    "text",
    [
        "dedup market",
        "filter market ~ 3",
        "filter market =",
        'filter (market = "a"',
        "stats median(x) by y",
        "parse market 'x*'",
    ],
)
def test_what_is_not_known_of_the_language_is_an_error_and_no_guess(text: str) -> None:
    with pytest.raises(InsightsError):
        to_sql(text)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('event_type = "A" and size > 3', [2]),
        ('event_type = "A" or size < 2', [1, 2]),
        ("not ispresent(size)", [3]),
        ('not (event_type = "A")', [3]),
        ('event_type in ["A", "C"] and @message like /"size": [12]\\b/', [1]),
        ('event_type != "A"', [3]),
        ('market like "X-"', [1, 3]),
    ],
)
def test_conditions_mean_what_they_say(condition: str, found: list[int]) -> None:
    stamp = '"timestamp": "2026-03-02 15:00:00,000+0000"'
    lines = [
        f'{{{stamp}, "n": 1, "event_type": "A", "size": 1, "market": "X-1"}}',
        f'{{{stamp}, "n": 2, "event_type": "A", "size": 4, "market": "Y-1"}}',
        f'{{{stamp}, "n": 3, "event_type": "B", "market": "X-2"}}',
    ]
    assert [row["n"] for row in run_locally(f"filter {condition} | fields n", lines)] == found
