"""What a shard's cash is good for, to the cent."""

from dataclasses import replace

import pytest

from dora.core.accounts.shard_cash import ShardCash, full_quotes, needed_by_shard, reserved_for
from dora.core.exchange.market import Side
from tests.support.examples import TICKER, cents, config, contracts, dollars, market

BID, ASK = Side.BID, Side.ASK
CONFIG = replace(config(), enabled=True, quote_size=contracts("10"), levels=2, max_position=contracts("50"))


@pytest.mark.parametrize(
    ("held", "reserved", "kept", "spendable"),
    [("100", "0", "0", "100"), ("100", "30", "20", "50"), ("100", "90", "20", "0"), ("0", "0", "0", "0")],
)
def test_spendable_is_what_nothing_holds(held: str, reserved: str, kept: str, spendable: str) -> None:
    cash = ShardCash(
        shard=0, held=dollars(held), reserved=dollars(reserved), needed=dollars("7"), kept=dollars(kept)
    )
    assert cash.spendable == dollars(spendable)


@pytest.mark.parametrize(
    ("net", "bids", "expected"),
    [
        ("0", ["0.44"], "9.9"),
        ("5", ["0.44"], "7.15"),  # the ask closes five of its ten
        ("40", ["0.44"], "4.4"),
        ("-12", ["0.20", "0.24"], "7.1"),  # the better bid closes ten, the other one two of its ten
    ],
)
def test_orders_hold_what_they_would_open_beyond_the_position(
    net: str, bids: list[str], expected: str
) -> None:
    ten = contracts("10")
    resting = [*((BID, cents(price), ten) for price in bids), (ASK, cents("0.45"), ten)]
    assert reserved_for(contracts(net), resting) == dollars(expected)


def test_a_full_set_of_quotes_is_a_dollar_for_each_contract_of_a_side_up_to_the_largest_position() -> None:
    assert full_quotes(CONFIG) == dollars("20")
    assert full_quotes(replace(CONFIG, max_position=contracts("15"))) == dollars("15")


def test_enabled_markets_that_are_known_need_cash_on_their_shards() -> None:
    wanted = {TICKER: CONFIG, "far": CONFIG, "off": replace(CONFIG, enabled=False), "unknown": CONFIG}
    markets = {name: market()._replace(ticker=name, shard=0) for name in (TICKER, "off")}
    markets["far"] = market()._replace(ticker="far", shard=2)
    assert needed_by_shard(wanted, markets) == {0: dollars("20"), 2: dollars("20")}
