"""The client of the exchange before a simulator of its own."""

from dataclasses import dataclass, replace
from typing import Any

from dora.core.orders.requests import OrderRequest, PlacedOrder
from dora.core.ports import Exchange as ExchangePort
from dora.core.units import CONTRACT, Count
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.signing import Signer
from tests.simulator.adapter import ExchangeAdapter
from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange
from tests.simulator.knobs import Knobs
from tests.simulator.model import MarketSpec
from tests.support.kalshi_fakes import BASE_URL, FakeFacts, api_key
from tests.world.bot_clock import BotClock
from tests.world.keys import KeyKind

START_MS = 1_795_183_200_000


HOUR_MS = 3_600_000


RAIN, COIN = "KXRAIN-26NOV21-T1", "KXCOIN-26NOV21-T9"


CASH_E6 = 1_000_000_000


def spec(ticker: str, shard: int) -> MarketSpec:
    return MarketSpec(
        ticker=ticker,
        event_ticker=ticker.rsplit("-", 1)[0],
        series_ticker=ticker.partition("-")[0],
        open_ms=START_MS - HOUR_MS,
        close_ms=START_MS + 24 * HOUR_MS,
        shard=shard,
        fee_type="quadratic_with_maker_fees",
        fee_multiplier_e4=5_000,
    )


@dataclass
class Venue:
    """One member, two markets on two shards, and the client of the member."""

    exchange: Exchange
    clock: VirtualClock
    client: ExchangePort
    facts: FakeFacts

    def group(self, shard: int) -> str:
        return self.client.create_group(shard, Count(100 * CONTRACT))

    def place(self, *requests: OrderRequest) -> list[PlacedOrder]:
        result = self.client.place(requests)
        assert result.failed == result.unknown == ()
        return list(result.placed)

    def unknowns(self, **knobs: Any) -> None:
        self.exchange.knobs = replace(self.exchange.knobs, **knobs)


def open_venue(kind: KeyKind = "ed25519", *, tier: str = "advanced", subaccount: int = 0) -> Venue:
    clock, facts = VirtualClock(START_MS), FakeFacts()
    exchange = Exchange(clock=clock, knobs=Knobs(), seed=1)
    for market in (spec(RAIN, 0), spec(COIN, 2)):
        exchange.add_market(market)
    key = api_key(kind)
    cash = {0: CASH_E6, 2: CASH_E6}
    member = exchange.add_member(key_id=key.key_id, public_key_pem=key.public_pem, cash_e6=cash, tier=tier)
    exchange.add_subaccount(member, 3, cash)
    client = KalshiExchange(
        BASE_URL,
        Signer.from_pem(key.key_id, key.private_pem),
        BotClock(clock, exchange.lock),
        facts,
        subaccount=subaccount,
        adapter=ExchangeAdapter(exchange),
    )
    return Venue(exchange, clock, client, facts)
