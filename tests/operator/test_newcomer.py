"""What confused a stranger on the way from a clone to a paper session, and must not again."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from dora_operator.commands.local import _is_up, _whole
from dora_operator.failures import Exit, OperatorError
from dora_operator.words import next_step
from tests.house.checkout import ROOT
from tests.operator.driver import Driver


def test_the_help_calls_the_command_by_its_name() -> None:
    paths = {"PYTHONPATH": f"{ROOT / 'layers/dora'}:{ROOT / 'functions/operator'}"}
    line = [sys.executable, "-m", "dora_operator", "--help"]
    done = subprocess.run(line, env=paths, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Usage: dora ")


def test_a_half_made_environment_says_what_makes_it_whole(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    with pytest.raises(OperatorError, match="make install-operator") as refused:
        _whole(tmp_path)

    assert refused.value.ends == Exit.USAGE
    (tmp_path / ".ready-1").touch()
    assert _whole(tmp_path) == tmp_path


def test_without_limits_the_next_step_is_to_write_them_and_no_start() -> None:
    assert next_step({"status": "none", "why_not_quoting": ["config_missing", "no_session"]}).startswith(
        "dora init"
    )


def test_a_new_item_is_one_line_of_the_difference(dora: Driver, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("stack: dora-local\nstage: local\nmarkets: {KXA-1: {enabled: false, quote_size: 3}}\n")
    lines = [line for line in dora.run("config", "diff", str(file)).output.splitlines() if "KXA-1" in line]

    assert [" ".join(line.split()) for line in lines] == ["MARKET#KXA-1 - - new: enabled false, quote_size 3"]


def test_the_file_of_limits_says_how_trading_begins(dora: Driver, tmp_path: Path) -> None:
    told = dora.run("init", "--out", str(tmp_path / "dora.yaml")).output

    assert "trading_enabled: true" in told.split("next:")[1].split("dora config apply")[0]


def test_suggestions_say_how_many_markets_there_are_and_how_to_let_more_in(dora: Driver) -> None:
    spreads = [own["spread"] for own in dora.answer("suggest", "--least-spread", "0.01")]
    fit = sum(own == max(spreads) for own in spreads)
    told = dora.run("suggest", "--count", "1", "--least-spread", max(spreads)).output

    assert f"1 of {fit} that fit, of {len(spreads)} open markets" in told
    assert 0 < fit < len(spreads)
    assert "--least-spread" in told


def test_profit_counts_open_positions_as_top_does(dora: Driver) -> None:
    dora.minutes(8)
    top = {own["market"]: own["today"] for own in dora.answer("top")["markets"]}
    told = dora.answer("pnl", "--by", "market")["rows"]

    assert any(Decimal(own["unrealised"]) for own in told)
    assert {own["market"]: Decimal(own["profit"]) for own in told} == {
        own["market"]: Decimal(top[own["market"]]) for own in told
    }


def test_reasons_are_said_in_words(dora: Driver) -> None:
    ticker = dora.stack.scene.tickers[-1]
    dora.stack.world.put_market(ticker, {"enabled": False, "quote_size": 10, "max_position": 200})
    dora.minutes(1)

    said = "market_disabled: Its `enabled` is false, or it has no config."
    assert said in dora.run("top").output
    assert "market_disabled. Its `enabled` is false" in dora.run("why", ticker).output


def test_the_file_of_a_stack_that_died_is_in_nobody_s_way(tmp_path: Path) -> None:
    file = tmp_path / "connection.json"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    assert not _is_up(file)
    file.write_text(json.dumps({"process": gone.pid}))
    assert not _is_up(file)
    file.write_text(json.dumps({"process": os.getpid()}))
    assert _is_up(file)
