"""What room or a limit leaves of a quote is placed from `least_size` on, or where it reduces a position."""

import pytest

from dora.core.accounts.ledger import Position
from dora.core.config_items import parse_market
from dora.core.errors import ConfigInvalid
from dora.core.exchange.market import Side, Slot
from dora.core.quoting.registry import STRATEGIES
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.units import Count
from tests.support.examples import TICKER, config, contracts, dollars, limits, target
from tests.support.quoting_cases import inputs, warm
from tests.support.risk_cases import facts, kept

BID, ASK = Slot(TICKER, Side.BID), Slot(TICKER, Side.ASK)
OWN = config(least_size=contracts("5"))


@pytest.mark.parametrize("room, count", [("5", "5"), ("4", None), ("12", "10")])
def test_the_room_to_the_largest_position_is_used_from_the_least_size_on(
    room: str, count: str | None
) -> None:
    held = contracts(str(100 - int(room)))
    decision, _ = STRATEGIES[OWN.strategy].quote(inputs(config=OWN, net=held), warm())
    found = {one.slot: one.count for one in decision.targets}

    assert found == {ASK: contracts("10")} | ({BID: contracts(count)} if count else {})
    assert decision.dropped == (() if count else ((BID, Reason.TOO_SMALL),))


@pytest.mark.parametrize("cost, count", [("2.25", "5"), ("2.24", None), ("4.50", "10")])
def test_a_limit_cuts_no_further_than_the_least_size(cost: str, count: str | None) -> None:
    result = apply_caps(
        [target(Side.BID, "0.45", "10")],
        facts(configs={TICKER: OWN}, limits=limits(max_order_cost=dollars(cost))),
    )
    assert kept(result) == ({BID: contracts(count)} if count else {})
    assert result.refused == (() if count else ((BID, Reason.TOO_SMALL),))


@pytest.mark.parametrize("floors", [{}, {TICKER: contracts("9")}], ids=["", "paid from nine on"])
def test_the_last_contracts_of_a_position_are_sold_however_few_they_are(floors: dict[str, Count]) -> None:
    result = apply_caps(
        [target(Side.ASK, "0.55", "10")],
        facts(
            configs={TICKER: OWN},
            positions={TICKER: Position(ticker=TICKER, shard=0, net=contracts("2"))},
            limits=limits(reduce_only=True),
            floors=floors,
        ),
    )
    assert kept(result) == {ASK: contracts("2")}


def test_a_least_size_above_the_quote_size_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="least_size is above quote_size"):
        parse_market(f"MARKET#{TICKER}", TICKER, {"least_size": "11"})
