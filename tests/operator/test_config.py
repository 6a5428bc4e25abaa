"""What a bot is configured to do goes from a file to the table and back, and never by halves."""

import json
from decimal import Decimal
from pathlib import Path

import boto3
import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dora_operator.config_file import ConfigFile, read_file, written
from dora_operator.config_rules import as_stored, from_stored, problems, same
from dora_operator.config_schema import json_schema
from dora_operator.config_table import changes, plain_items, stored_items, write
from dora_operator.exchange import BASE_URLS, own_exchange
from dora_operator.failures import Exit, OperatorError
from dora_operator.market_pace import moves
from dora_operator.target import local_target
from tests.house.cloudformation import template
from tests.operator.driver import Driver
from tests.simulator.faults import Faults
from tests.simulator.model import IncentiveProgram
from tests.simulator.wire import Reply, Request

HEAD = "stack: dora-local\nstage: local\n"
MARKET = "MARKET#KXSYN0-E0000-1"
numbers = st.decimals(0, 1000, places=2, allow_nan=False).map(str)
items = st.fixed_dictionaries(
    {
        "GLOBAL": st.fixed_dictionaries({"group_burst_limit": numbers, "trading_enabled": st.booleans()}),
        MARKET: st.fixed_dictionaries(
            {"enabled": st.booleans(), "quote_size": numbers, "strategy_tag": st.sampled_from(["a", "b-c"])}
        ),
    }
)


def _file(folder: Path, text: str, name: str = "a.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("as_csv", [True, False])
@given(own=items)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, as_csv: bool, own: dict[str, dict[str, str | bool]]
) -> None:
    path = tmp_path_factory.mktemp("config") / ("a.csv" if as_csv else "a.yaml")
    file = ConfigFile("dora-demo", "kalshi-demo", own)
    path.write_text(written(file, as_csv=as_csv, note="by hand"), encoding="utf-8")

    assert read_file(path) == file


@given(own=items)
def test_what_is_stored_is_what_was_written(own: dict[str, dict[str, str | bool]]) -> None:
    assert {key: from_stored(as_stored("dora", key, raw)) for key, raw in own.items()} == own


@given(value=st.decimals(-1000, 1000, places=3, allow_nan=False), zeros=st.integers(0, 3))
def test_a_number_is_the_same_however_many_zeros_it_ends_in(value: Decimal, zeros: int) -> None:
    assert same(str(value), f"{value}{'0' * zeros}")
    assert not same(str(value), str(value + Decimal("0.001")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GLOBAL: {group_burst_limit: 5, trading_enabeld: true}", "did you mean 'trading_enabled'"),
        ("GLOBAL: {trading_enabled: true}", "group_burst_limit is missing"),
        ("markets: {KXA-1: {quote_size: 1e3}}", "write a number from 0.01 to 100000"),
        ("markets: {KXA-1: {quote_size: 500}}", "quote_size is above max_position"),
        ("markets: {KXA-1: {enabled: yes}}", "write true or false"),
        ("markets: {KXA-1: {enabled: true}, KXA-1: {enabled: false}}", "KXA-1 stands twice"),
        ("market: {}", "known are stack, stage, GLOBAL, markets, series"),
        ("markets: [KXA-1]", "no mapping of tickers"),
        ("GLOBAL: {note: [a]}", "plain values at GLOBAL"),
    ],
)
def test_a_flaw_is_named_with_its_fix(dora: Driver, tmp_path: Path, text: str, said: str) -> None:
    result = dora.run("config", "validate", _file(tmp_path, HEAD + text))

    assert result.exit_code == Exit.USAGE
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "item,enabled\nKXA-1,true\n",
            "does not name its stack: write `# stack: ...` at its top",
        ),
        ("# stack: a\n# stage: local\nticker\n", "`dora config export --csv` writes an example"),
        ("# stack: a\n# stage: local\nitem,enabled\nKXA-1\n", "row of another length"),
        ("# stack: a\n# stage: local\nitem\nKXA-1\nMARKET#KXA-1\n", "has MARKET#KXA-1 twice"),
    ],
)
def test_a_flaw_of_a_table_is_named_with_its_fix(dora: Driver, tmp_path: Path, text: str, said: str) -> None:
    result = dora.run("config", "validate", _file(tmp_path, text, "a.csv"))

    assert result.exit_code == Exit.USAGE
    assert said in result.output


def test_a_table_that_a_spreadsheet_saved_is_read(dora: Driver, tmp_path: Path) -> None:
    saved = "\ufeff# stack: dora-local,\r\n# stage: local,\r\nitem,enabled\r\nKXA-1,TRUE\r\n"
    result = dora.run("config", "validate", _file(tmp_path, saved, "a.csv"))

    assert "1 markets" in result.output


def test_a_file_of_another_kind_is_told_apart_in_its_first_line(dora: Driver, tmp_path: Path) -> None:
    path = _file(tmp_path, "# Of a project\n\n[![picture](a: b)\n* one: `two`\n", "README.md")
    result = dora.run("config", "validate", path)
    first, second, *rest = result.output.splitlines()

    assert (result.exit_code, first) == (
        Exit.USAGE,
        f"Error: {path} is no config file: name a .csv or .yaml",
    )
    assert second.startswith("  it is no YAML: line ")
    assert len(rest) == 1


def test_a_file_for_another_stack_is_refused(dora: Driver, tmp_path: Path) -> None:
    path = _file(tmp_path, "stack: dora-prod\nstage: prod\nGLOBAL: {group_burst_limit: 5}\n")
    result = dora.run("config", "apply", path, "--yes")

    assert result.exit_code == Exit.USAGE
    assert "is for stack dora-prod, stage prod, not for stack dora-local" in result.output


def test_what_is_applied_is_shown_first_stored_whole_and_kept_with_its_author(
    dora: Driver, tmp_path: Path
) -> None:
    text = HEAD + "markets: {KXSYN0-E0000-1: {enabled: true, quote_size: 7, max_position: 70}}\n"
    path = _file(tmp_path, text)

    assert dora.run("config", "diff", path).exit_code == Exit.NEGATIVE
    applied = dora.run("config", "apply", path, "--yes")
    assert applied.exit_code == 0
    assert [line.split() for line in applied.output.splitlines() if "quote_size" in line] == [
        [MARKET, "quote_size", "10", "7"]
    ]
    assert (
        dora.run("config", "apply", path, "--yes").output
        == "no difference\nonly in the table, and kept (--prune removes them): 4\n"
    )
    exported = yaml.safe_load(dora.run("config", "export").output)
    assert exported["markets"]["KXSYN0-E0000-1"] == {"enabled": True, "quote_size": 7, "max_position": 70}
    line = _changes()[-1]
    assert (line["who"]["S"], line["what"]["S"]) == ("local:tester", "config apply a.yaml")
    assert "quote_size: 10 -> 7" in json.loads(line["details"]["S"])[MARKET]


def test_a_market_that_the_exchange_does_not_know_is_named_and_written_all_the_same(
    dora: Driver, tmp_path: Path
) -> None:
    listed = dora.stack.scene.tickers[1]
    key = {"pk": {"S": "dora"}, "sk": {"S": f"MARKET#{listed}"}}
    boto3.client("dynamodb").delete_item(TableName="dora-config", Key=key)
    own = f"{{KXNOTTHERE-1: {{quote_size: 3}}, {listed}: {{quote_size: 3}}}}"
    result = dora.run("config", "apply", _file(tmp_path, f"{HEAD}markets: {own}\n"), "--yes")

    assert [line for line in result.output.splitlines() if "does not know" in line] == [
        "the exchange does not know KXNOTTHERE-1"
    ]
    assert (result.exit_code, "written: 2" in result.output) == (0, True)


class _Down(Faults):
    """The exchange answers nothing."""

    def before(self, request: Request) -> Reply | None:
        return Reply(503, b"{}")


def test_where_the_exchange_cannot_be_asked_no_market_is_called_unknown(dora: Driver, tmp_path: Path) -> None:
    path = _file(tmp_path, f"{HEAD}markets: {{KXNOTTHERE-2: {{quote_size: 3}}}}\n")
    dora.stack.world.exchange.faults = _Down()
    result = dora.run("config", "apply", path, "--yes")
    dora.stack.world.exchange.faults = Faults()

    assert "does not know" not in result.output
    assert "not checked: the exchange's list of markets could not be read" in result.output
    assert (result.exit_code, "written: 1" in result.output) == (0, True)


def _changes() -> list[dict[str, dict[str, str]]]:
    answer = boto3.client("dynamodb").query(
        TableName="dora-config",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "dora#changes"}},
        ConsistentRead=True,
    )
    return answer["Items"]


def test_what_somebody_else_wrote_in_between_is_not_lost(
    dora: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORA_LOCAL_FOLDER", str(dora.folder))
    target = local_target()
    stored = stored_items(target)
    wanted = {"GLOBAL": {**plain_items(stored)["GLOBAL"], "max_open_orders": "7"}}
    found = changes(plain_items(stored), wanted, prune=False)
    between = {"GLOBAL": {**plain_items(stored)["GLOBAL"], "max_open_orders": "9"}}
    write(target, stored, between, changes(plain_items(stored), between, prune=False), "theirs")

    with pytest.raises(OperatorError, match="changed since it was compared"):
        write(target, stored, wanted, found, "ours")
    assert plain_items(stored_items(target))["GLOBAL"]["max_open_orders"] == "9"


def test_an_exported_config_is_valid_by_the_schema_and_by_the_product(dora: Driver, tmp_path: Path) -> None:
    text = dora.run("config", "export").output

    jsonschema.validate(yaml.safe_load(text), json_schema())
    assert list(problems(read_file(Path(_file(tmp_path, text))).items)) == []


def test_burst_limits_by_tag_pass_the_schema_and_the_product_from_both_forms_of_file(
    tmp_path: Path,
) -> None:
    own = {"group_burst_limit": "5", "group_burst_limits": "calm 500; fast 2000"}
    for name in ("own.yaml", "own.csv"):
        path = tmp_path / name
        file = ConfigFile("dora-demo", "local", {"GLOBAL": own})
        path.write_text(written(file, as_csv=name.endswith("csv")), encoding="utf-8")

        assert read_file(path).items == {"GLOBAL": own}
        assert list(problems(read_file(path).items)) == []
    jsonschema.validate(yaml.safe_load((tmp_path / "own.yaml").read_text(encoding="utf-8")), json_schema())


def test_the_schema_refuses_what_the_product_refuses() -> None:
    wrong = {"stack": "a", "stage": "local", "GLOBAL": {"group_burst_limit": 5, "trading_enabeld": True}}
    with pytest.raises(jsonschema.ValidationError, match="trading_enabeld"):
        jsonschema.validate(wrong, json_schema())


def test_markets_are_suggested_by_what_they_offer_and_never_enabled(dora: Driver, tmp_path: Path) -> None:
    out = tmp_path / "markets.csv"
    result = dora.run("suggest", "--least-spread", "0.01", "--count", "2", "--out", str(out))

    assert result.exit_code == 0, result.output
    found = read_file(out).items
    assert len(found) == 2
    assert all(raw["enabled"] is False for raw in found.values())


def test_of_two_markets_the_one_that_stands_still_and_pays_its_makers_comes_first(dora: Driver) -> None:
    exchange, ticker = dora.stack.world.exchange, dora.stack.scene.tickers[2]
    now_ms = exchange.venue.now_ms()
    exchange.venue.programs.append(
        IncentiveProgram(
            id="p-1",
            ticker=ticker,
            start_ms=now_ms - 86_400_000,
            end_ms=now_ms + 86_400_000,
            reward_e4=2_000_000,
        )
    )
    rows = dora.answer("suggest", "--least-spread", "0.0001", "--most-spread", "1", "--least-hours", "0")

    assert (rows[0]["market"], rows[0]["pool a day"]) == (ticker, "100.00")
    assert {own["pool a day"] for own in rows[1:]} == {"0.00"}
    known = [own["moves a minute"] for own in rows if own["moves a minute"] is not None]
    assert max(map(float, known)) > 0
    assert min(map(float, known)) >= 0


def test_how_a_market_moves_is_unknown_before_it_has_two_minutes_and_not_zero(
    dora: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORA_LOCAL_FOLDER", str(dora.folder))
    exchange, now_ms = own_exchange(local_target()), dora.stack.world.exchange.venue.now_ms()
    ticker = dora.stack.scene.tickers[0]

    assert moves(exchange, ticker, now_ms - 86_400_000) is None
    assert moves(exchange, ticker, now_ms) is not None


def test_a_key_is_stored_once_the_exchange_has_accepted_it(dora: Driver, tmp_path: Path) -> None:
    client = boto3.client("secretsmanager")
    own = json.loads(client.get_secret_value(SecretId="dora/local")["SecretString"])
    pem = _file(tmp_path, own["private_key_pem"], "own.pem")

    refused = dora.run("secret", "put", "--key-id", "another", "--pem", pem, "--yes")
    assert refused.exit_code == Exit.NEGATIVE
    assert "the exchange refuses this key" in refused.output
    assert json.loads(client.get_secret_value(SecretId="dora/local")["SecretString"]) == own

    stored = dora.run("secret", "put", "--key-id", own["key_id"], "--pem", pem, "--yes")
    assert stored.exit_code == 0, stored.output
    middle = own["private_key_pem"].splitlines()[1]
    assert middle not in stored.output + refused.output + str(_changes())


def test_a_file_that_is_no_key_is_refused_with_the_fix(dora: Driver, tmp_path: Path) -> None:
    result = dora.run(
        "secret", "put", "--key-id", "a", "--pem", _file(tmp_path, "ssh-rsa AAAA", "a.pem"), "--yes"
    )

    assert result.exit_code == Exit.USAGE
    assert "is a public key" in result.output


def test_the_exchange_s_addresses_are_those_of_the_template() -> None:
    own = template()["Mappings"]["Exchange"]

    assert {stage: urls["BaseUrl"] for stage, urls in own.items()} == BASE_URLS
