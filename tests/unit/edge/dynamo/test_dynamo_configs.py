"""The config table as the bot reads it: exact, complete, and loud about what is wrong."""

from typing import TYPE_CHECKING, Any

import pytest

from dora.core.errors import ConfigInvalid, StateUnavailable
from dora.core.units import Count, Money
from dora.edge.dynamo.configs import DynamoConfigs
from tests.support.dynamo_values import BOT, FaultyClient, request_lost

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def put(client: "DynamoDBClient", sk: str, pk: str = BOT, **typed: Any) -> None:
    client.put_item(TableName="config", Item={"pk": {"S": pk}, "sk": {"S": sk}, **typed})


def put_global(client: "DynamoDBClient", **typed: Any) -> None:
    put(client, "GLOBAL", group_burst_limit={"N": "100"}, **typed)


def open_configs(client: Any) -> DynamoConfigs:
    return DynamoConfigs(client, "config", BOT)


def test_an_empty_table_is_a_config_without_globals(dynamo: "DynamoDBClient") -> None:
    configs = open_configs(dynamo).load()

    assert (configs.globals_, configs.markets, configs.series, configs.problems) == (None, {}, {}, ())


def test_items_become_exact_units(dynamo: "DynamoDBClient") -> None:
    put_global(dynamo, max_event_loss_dollars={"N": "12.345678"}, trading_enabled={"BOOL": True})
    put(dynamo, "MARKET#KXA-1", enabled={"BOOL": True}, quote_size={"S": "2.50"})
    put(dynamo, "SERIES#KXB", max_markets={"N": "7"})

    configs = open_configs(dynamo).load()

    assert configs.problems == ()
    assert configs.globals_ is not None
    assert configs.globals_.max_event_loss == Money(12_345_678)
    assert configs.globals_.trading_enabled
    assert configs.markets["KXA-1"].quote_size == Count(250)
    assert configs.series["KXB"].max_markets == 7


def test_only_this_bots_items_count(dynamo: "DynamoDBClient") -> None:
    put(dynamo, "MARKET#KXA-1", pk="beta")

    assert open_configs(dynamo).load().markets == {}


@pytest.mark.parametrize(
    "typed",
    [
        {"quote_size": {"N": "0"}},
        {"quote_sice": {"N": "1"}},
        {"quote_size": {"NULL": True}},
        {"quote_size": {"L": [{"N": "1"}]}},
        {"enabled": {"S": "true"}},
        {"v": {"N": "2"}},
    ],
)
def test_a_bad_market_is_reported_and_costs_only_itself(dynamo: "DynamoDBClient", typed: Any) -> None:
    put_global(dynamo)
    put(dynamo, "MARKET#KXA-1", **typed)
    put(dynamo, "MARKET#KXA-2")

    configs = open_configs(dynamo).load()

    assert configs.globals_ is not None
    assert configs.markets.keys() == {"KXA-2"}
    assert [problem.where for problem in configs.problems] == ["MARKET#KXA-1"]


@pytest.mark.parametrize("sk", ["MARKETS#KXA-1", "MARKET#", "SERIES#", "global", "LEASE"])
def test_an_item_of_no_known_kind_is_reported(dynamo: "DynamoDBClient", sk: str) -> None:
    put(dynamo, sk)

    configs = open_configs(dynamo).load()

    assert (configs.markets, configs.series) == ({}, {})
    assert [problem.where for problem in configs.problems] == [sk]


@pytest.mark.parametrize(
    ("sk", "where", "character"),
    [
        ("MARKET#KXA\N{EN DASH}1", "MARKET#KXA-1", "U+2013 EN DASH at position 11"),
        ("MARKET#KXA-1\N{ZERO WIDTH SPACE}", "MARKET#KXA-1", "U+200B ZERO WIDTH SPACE at position 13"),
        ("MARKET#KXA-1\n", "MARKET#KXA-1", "U+000A LINE BREAK at position 13"),
        ("SERIES# KXB", "SERIES#KXB", "U+0020 SPACE at position 8"),
        ("GLOBAL\N{NO-BREAK SPACE}", "GLOBAL", "U+00A0 NO-BREAK SPACE at position 7"),
    ],
)
def test_a_sort_key_that_was_pasted_badly_speaks_for_the_item_that_was_meant(
    dynamo: "DynamoDBClient", sk: str, where: str, character: str
) -> None:
    """It may have been meant to switch that one off, whatever else is written of it."""
    put_global(dynamo)
    put(
        dynamo, sk, **({"enabled": {"BOOL": False}} if sk[0] != "G" else {"trading_enabled": {"BOOL": False}})
    )

    configs = open_configs(dynamo).load()

    assert [(own.where, own.problem.partition(" holds ")[2]) for own in configs.problems] == [
        (where, character)
    ]
    assert (configs.markets, configs.series) == ({}, {})
    assert (configs.globals_ is None) is (where == "GLOBAL")


def test_a_bad_global_that_was_never_good_is_none(dynamo: "DynamoDBClient") -> None:
    put(dynamo, "GLOBAL")

    configs = open_configs(dynamo).load()

    assert configs.globals_ is None
    assert isinstance(configs.problems[0], ConfigInvalid)


def test_a_deleted_global_is_gone(dynamo: "DynamoDBClient") -> None:
    configs = open_configs(dynamo)
    put_global(dynamo)
    configs.load()
    dynamo.delete_item(TableName="config", Key={"pk": {"S": BOT}, "sk": {"S": "GLOBAL"}})

    assert configs.load().globals_ is None


def test_an_edited_item_counts_at_the_next_read(dynamo: "DynamoDBClient") -> None:
    configs = open_configs(dynamo)
    put(dynamo, "MARKET#KXA-1", max_position={"N": "10"})
    put(dynamo, "MARKET#KXA-2")
    first = configs.load()
    put(dynamo, "MARKET#KXA-1", max_position={"N": "20"})

    second = configs.load()

    assert second.markets["KXA-1"].max_position == Count(2000)
    assert second.markets["KXA-2"] is first.markets["KXA-2"]


def test_a_corrected_item_is_no_problem_any_more(dynamo: "DynamoDBClient") -> None:
    configs = open_configs(dynamo)
    put(dynamo, "MARKET#KXA-1", quote_size={"N": "-1"})
    assert configs.load().problems
    put(dynamo, "MARKET#KXA-1")

    assert (configs.load().problems, configs.load().markets.keys()) == ((), {"KXA-1"})


def test_a_table_that_does_not_answer_is_never_an_empty_config(dynamo: "DynamoDBClient") -> None:
    put_global(dynamo)
    configs = open_configs(FaultyClient(dynamo, request_lost))

    with pytest.raises(StateUnavailable):
        configs.load()

    assert configs.load().globals_ is not None


def test_a_table_of_several_pages_is_read_to_the_last(dynamo: "DynamoDBClient") -> None:
    for number in range(300):
        put(dynamo, f"MARKET#KXA-{number}", note={"S": "n" * 10_000})

    assert len(open_configs(dynamo).load().markets) == 300
