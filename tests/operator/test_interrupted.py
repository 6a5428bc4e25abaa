"""A command that dies at any of its calls leaves nothing half done, and does its work when it is repeated."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from dora_operator.config_table import plain_items, stored_items
from dora_operator.target import local_target
from dora_operator.whole_file import write_whole
from tests.operator.driver import Driver, local_driver
from tests.operator.interruption import KilledError, lines_of, swept
from tests.world.keys import fresh_key


@pytest.fixture
def dora(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """No session is open."""
    with local_driver(markets=2, minutes=60) as driver:
        monkeypatch.setenv("DORA_LOCAL_FOLDER", str(driver.folder))
        yield driver


def test_configs_are_written_whole_or_not_at_all_with_the_line_of_who_wrote_them(
    dora: Driver, tmp_path: Path
) -> None:
    before = plain_items(stored_items(local_target()))
    items = "".join(f"  KXNEW-{n}: {{enabled: false, quote_size: 3}}\n" for n in range(30))
    file = tmp_path / "a.yaml"
    file.write_text(f"stack: dora-local\nstage: local\nmarkets:\n{items}", encoding="utf-8")

    def judge() -> None:
        found = plain_items(stored_items(local_target()))
        assert len(found) - len(before) in (0, 30)
        assert bool(lines_of("config apply a.yaml")) == (len(found) > len(before))

    assert swept(dora, ("config", "apply", str(file), "--yes"), judge) > 1
    assert len(plain_items(stored_items(local_target()))) == len(before) + 30
    assert len(lines_of("config apply a.yaml")) == 1
    assert "no difference" in dora.run("config", "apply", str(file), "--yes").output


def test_a_start_that_dies_opened_a_session_or_did_not_and_can_be_repeated(dora: Driver) -> None:
    def judge() -> None:
        told = dora.answer("status")
        assert told["status"] in ("none", "active")
        assert len(dora.stack.world.member.groups) == (told["status"] == "active")

    assert swept(dora, ("start", "--yes"), judge) > 1
    assert dora.answer("status")["status"] == "active"
    assert len(dora.stack.world.member.groups) == 1


def test_a_teardown_that_dies_left_it_open_or_closed_it_and_can_be_repeated(dora: Driver) -> None:
    dora.run("start", "--yes")
    dora.minutes(2)
    assert dora.stack.world.open_orders()

    def judge() -> None:
        closed = dora.answer("status")["status"] == "closed"
        assert closed == (dora.stack.world.open_orders() == 0)

    assert swept(dora, ("teardown", "--yes"), judge) > 1
    assert dora.answer("status")["status"] == "closed"
    assert dora.stack.world.open_orders() == 0


def test_a_key_is_replaced_whole_or_stays(dora: Driver, tmp_path: Path) -> None:
    client = boto3.client("secretsmanager")
    before = json.loads(client.get_secret_value(SecretId="dora/local")["SecretString"])
    fresh, pem = fresh_key("ed25519", "key-of-tomorrow"), tmp_path / "key.pem"
    cash = {0: 1_000_000}
    dora.stack.world.exchange.add_member(
        key_id=fresh.key_id, public_key_pem=fresh.public_pem, cash_e6=cash, tier="basic"
    )
    pem.write_text(fresh.private_pem, encoding="utf-8")
    after = {"key_id": fresh.key_id, "private_key_pem": fresh.private_pem}

    def judge() -> None:
        found = json.loads(client.get_secret_value(SecretId="dora/local")["SecretString"])
        assert found in (before, after)
        assert found == before or lines_of("secret put")

    words = ("secret", "put", "--key-id", fresh.key_id, "--pem", str(pem), "--yes")
    assert swept(dora, words, judge) > 1
    assert json.loads(client.get_secret_value(SecretId="dora/local")["SecretString"]) == after


def test_a_file_that_is_written_over_is_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    write_whole(path, "old")

    def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(Path, "replace", die)
        with pytest.raises(KilledError):
            write_whole(path, "new")
    assert path.read_text() == "old"
    write_whole(path, "new")
    assert [own.name for own in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "new"
