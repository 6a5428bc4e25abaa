"""The tables of settings hold every setting, as its own definition has it."""

from dataclasses import dataclass

from dora.core.config import GlobalConfig, MarketConfig, SeriesConfig
from dora.core.config_fields import contracts, keys_of, price
from dora.core.quoting.registry import STRATEGIES
from tests.house import setting_table


@dataclass(frozen=True, kw_only=True)
class Parent:
    """Of a kind that inherits."""

    size: int = contracts("0.01", "5000", "10")
    """How much. Change it
    with care."""


@dataclass(frozen=True, kw_only=True)
class Child(Parent):
    """A kind with a field that has no default, and a flag."""

    width: int = price("0", "0.5")
    """How wide."""
    useful: bool = False
    """Whether it is."""


def test_a_row_is_made_of_a_field_and_of_what_stands_under_it() -> None:
    assert list(setting_table.rows(Child)) == [
        ("`size`", "contracts", "0.01 to 5,000", "10", "How much.", "with care"),
        ("`width_dollars`", "dollars", "0 to 0.5", "none: choose", "How wide.", "leave it"),
        ("`useful`", "flag", "true, false", "false", "Whether it is.", "leave it"),
    ]


def test_every_setting_of_every_kind_has_a_row() -> None:
    kinds = (GlobalConfig, MarketConfig, SeriesConfig, *(own.settings for own in STRATEGIES.values()))
    keys = [key for kind in kinds for key in keys_of(kind)]

    assert setting_table.table().count("\n| `") == len(keys)
