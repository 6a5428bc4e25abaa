"""What asks before it acts, and what needs a word more where the stage is production."""

from dataclasses import replace

import boto3
import click
import pytest

from dora_operator.confirm import agreed
from dora_operator.failures import Exit, OperatorError
from dora_operator.target import Target

DEMO = Target("dora-demo", {"Bot": "dora", "Stage": "kalshi-demo"}, {}, boto3.Session())
PROD = replace(DEMO, parameters={"Bot": "dora", "Stage": "prod"})


def test_production_is_refused_without_a_word_of_its_own_even_with_yes() -> None:
    with pytest.raises(OperatorError, match="real money") as caught:
        agreed(PROD, "Trade.", yes=True, real_money=False)
    assert caught.value.exit_code == Exit.USAGE


def test_production_goes_on_with_both_words() -> None:
    agreed(PROD, "Trade.", yes=True, real_money=True)


@pytest.mark.parametrize("target", [DEMO, PROD])
def test_what_only_takes_risk_away_needs_no_second_word(target: Target) -> None:
    agreed(target, "Halt.", yes=True)


def test_what_will_be_done_is_said_with_stack_and_stage(capsys: pytest.CaptureFixture[str]) -> None:
    agreed(PROD, "Trade.", yes=True, real_money=True)

    assert capsys.readouterr().err == "Trade.\n  stack dora-demo, stage prod, bot dora\n"


def test_it_is_a_click_error_so_that_nothing_but_its_text_is_shown() -> None:
    assert issubclass(OperatorError, click.ClickException)
