"""A strategy is chosen by name in a market's item, with settings and a memory that are its own."""

from dataclasses import dataclass

import pytest

from dora.core.accounts.ledger import Position
from dora.core.config_fields import price
from dora.core.config_items import parse_market, parse_series
from dora.core.errors import ConfigInvalid, StrategyInvalid
from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.marks import marks
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.strategies.reservation import Reservation, ReservationSettings
from dora.core.quoting.strategy import StoredMemory
from dora.core.units import Count, Price
from tests.support.examples import TICKER, book, cents, config, contracts
from tests.support.quoting_cases import inputs, warm


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedBidSettings:
    """Where it bids."""

    bid: Price = price("0.01", "0.99", "0.10")


class FixedBid:
    """A strategy in one file: it bids at a configured price, and remembers that it looked."""

    settings = FixedBidSettings

    def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> tuple[Decision, StoredMemory]:
        own = inputs.config.settings
        assert isinstance(own, FixedBidSettings)
        target = TargetOrder(slot=Slot(TICKER, Side.BID), price=own.bid, count=inputs.config.quote_size)
        return Decision(ticker=TICKER, targets=(target,)), {
            "looks": int(str((memory or {}).get("looks", 0))) + 1
        }

    def mark(self, memory: StoredMemory) -> Price | None:
        return Price(1_000)


@pytest.fixture
def fixed_bid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dict_of_strategies(), "fixed_bid", FixedBid())


def dict_of_strategies() -> dict[str, object]:
    assert isinstance(STRATEGIES, dict)
    return STRATEGIES


def test_a_market_without_a_choice_has_the_default_strategy_and_its_defaults() -> None:
    chosen = parse_market("MARKET#T", "T", {})
    assert (chosen.strategy, chosen.settings) == ("reservation", ReservationSettings())


def test_settings_are_read_under_the_strategy_that_the_item_names(fixed_bid: None) -> None:
    chosen = parse_market("MARKET#T", "T", {"strategy": "fixed_bid", "bid_dollars": "0.25"})
    assert chosen.settings == FixedBidSettings(bid=cents("0.25"))


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigInvalid, match="write one of: incentive, join, reservation"):
        parse_market("MARKET#T", "T", {"strategy": "reservaton"})


def test_a_template_of_a_series_may_choose_a_strategy(fixed_bid: None) -> None:
    with pytest.raises(ConfigInvalid, match="bid_dollars is 7"):
        parse_series("S", {"strategy": "fixed_bid", "bid_dollars": "7"})


def test_a_setting_of_another_strategy_is_refused_and_says_whose_it_is(fixed_bid: None) -> None:
    with pytest.raises(ConfigInvalid, match="markets whose strategy is 'fixed_bid'"):
        parse_market("MARKET#T", "T", {"bid_dollars": "0.25"})


def test_a_strategy_with_settings_of_another_kind_is_refused() -> None:
    with pytest.raises(StrategyInvalid, match="FixedBidSettings"):
        Reservation().quote(inputs(config=config(settings=FixedBidSettings())), warm())


HELD = Position(ticker=TICKER, shard=0, net=contracts("5"))


def test_a_position_is_marked_at_the_price_that_would_close_it() -> None:
    shown = book([("0.40", "1")], [("0.60", "1")])
    found = marks([HELD], {TICKER: shown}, {TICKER: warm()}, {TICKER: config()})
    short = Position(ticker=TICKER, shard=0, net=Count(-5))
    assert (found, marks([short], {TICKER: shown}, {}, {})) == ({TICKER: 4_000}, {TICKER: 6_000})


def test_without_such_a_price_its_strategy_is_asked(fixed_bid: None) -> None:
    own = config(strategy="fixed_bid", settings=FixedBidSettings())
    assert marks([HELD], {}, {TICKER: warm()}, {TICKER: config()}) == {TICKER: 5_000}
    assert marks([HELD], {}, {TICKER: {"looked": True}}, {TICKER: own}) == {TICKER: 1_000}
    assert marks([HELD], {}, {}, {TICKER: own}) == {}
