"""`dora init` proposes caps in proportion to the account, and leaves to a person what it must choose."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.units import Money
from dora_operator.commands.init import proposal
from dora_operator.config_file import read_file
from dora_operator.failures import Exit
from tests.operator.driver import Driver, Terminal, invoke

SHARES = {
    "max_event_loss_dollars": 2,
    "max_total_loss_dollars": 30,
    "max_daily_loss_dollars": 2,
    "max_loss_since_dollars": 8,
    "cash_reserve_dollars": 10,
}
"""Percent of the balance."""
CHOSEN_BY_HAND = {"max_total_loss_dollars", "max_daily_loss_dollars", "max_loss_since_dollars"}


@given(dollars=st.integers(1, 10_000_000))
def test_every_cap_is_its_share_of_the_balance_to_the_cent(dollars: int) -> None:
    proposed = proposal(Money(dollars * 1_000_000), 500, real_money=False)

    assert {name: Decimal(str(proposed[name])) for name in SHARES} == {
        name: Decimal(dollars) * share / 100 for name, share in SHARES.items()
    }


@given(dollars=st.integers(1, 10_000_000))
def test_of_real_money_nobody_proposes_the_largest_losses(dollars: int) -> None:
    on_paper = proposal(Money(dollars * 1_000_000), 500, real_money=False)
    real = proposal(Money(dollars * 1_000_000), 500, real_money=True)

    assert {name for name, value in real.items() if value != on_paper[name]} == CHOSEN_BY_HAND
    assert {real[name] for name in CHOSEN_BY_HAND} == {"choose"}


def test_caps_are_proposed_from_the_balance_and_nothing_trades_yet(dora: Driver, tmp_path: Path) -> None:
    out = tmp_path / "dora.yaml"
    result = dora.run("init", "--out", str(out))

    assert result.exit_code == 0, result.output
    own = read_file(out).items["GLOBAL"]
    assert own["trading_enabled"] is False
    assert Decimal(390) < Decimal(str(own["max_event_loss_dollars"])) <= Decimal(400)
    assert "dora config apply" in result.output
    assert dora.run("init", "--out", str(out)).exit_code == Exit.USAGE


def test_where_the_balance_comes_from_is_said_on_the_screen_and_in_the_file(
    dora: Driver, tmp_path: Path
) -> None:
    read, typed = tmp_path / "read.yaml", tmp_path / "typed.yaml"
    told = dora.run("init", "--out", str(read)).output
    source = r"\d+\.\d\d \$, of the simulated account of this machine: \d+\.\d\d \$ on shard 0"

    assert re.search(f"caps are shares of {source}", told)
    assert re.search(f"# Caps are shares of a balance of {source}", read.read_text(encoding="utf-8"))
    assert "5000.00 $, as you said it" in dora.run("init", "--balance", "5000", "--out", str(typed)).output


@pytest.mark.parametrize("balance", ["abc", "-5", "0", "1.5", "²"])
def test_a_balance_is_whole_dollars_and_some(dora: Driver, tmp_path: Path, balance: str) -> None:
    result = dora.run("init", "--balance", balance, "--out", str(tmp_path / "a.yaml"))

    assert result.exit_code == Exit.USAGE
    assert "write whole dollars" in result.output


@pytest.mark.parametrize("left", [*sorted(CHOSEN_BY_HAND), None])
def test_a_file_for_real_money_is_valid_once_each_of_them_is_chosen(tmp_path: Path, left: str | None) -> None:
    out = tmp_path / "dora.yaml"
    words = ("--name", "dora-prod", "--stage", "prod", "--balance", "5000", "--email", "a@b")
    assert invoke(("init", *words, "--out", str(out)), {}).exit_code == 0
    text = out.read_text(encoding="utf-8")
    for name in CHOSEN_BY_HAND - {left}:
        text = text.replace(f"{name}: choose", f"{name}: 50")
    out.write_text(text, encoding="utf-8")

    result = invoke(("config", "validate", str(out)), {})
    assert result.exit_code == (Exit.USAGE if left else 0)
    assert (f"{left} is 'choose'" in result.output) == (left is not None)


def test_a_person_at_a_terminal_is_asked_for_what_no_option_says(tmp_path: Path) -> None:
    out = tmp_path / "dora.yaml"
    typed = Terminal("dora-demo", "kalshi-dmo", "kalshi-demo", "me@example.com", "5000")
    result = invoke(("init", "--out", str(out)), {}, typed)

    assert result.exit_code == 0, result.output
    questions = ("Name of the stack", "Stage", "Mail for alarms", "Balance in dollars")
    assert all(question in result.output for question in questions)
    assert "'kalshi-dmo' is not one of" in result.output
    file = read_file(out)
    assert (file.stack, file.stage, file.items["GLOBAL"]["max_event_loss_dollars"]) == (
        "dora-demo",
        "kalshi-demo",
        "100.00",
    )
    assert "Alarms go to me@example.com" in out.read_text(encoding="utf-8")
    assert "sam deploy --stack-name dora-demo" in result.output


def test_what_a_person_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "dora.yaml"

    assert invoke(("init", "--out", str(out)), {}, Terminal("dora-demo")).exit_code != 0
    assert not out.exists()
