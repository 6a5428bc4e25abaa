"""Paper trading reads a live exchange, writes to none, and fills by the replay's models."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import boto3
import pytest

from dora.core.exchange.market import Book, Level
from dora.core.units import Count, Price, TimeMs
from dora.edge.kalshi.order_entry import OrderWrites
from dora.edge.kalshi.signing import Signer
from dora.edge.kalshi.transport import Call, Transport
from tests.demo.options import DemoError, Options
from tests.local_stack.live import LiveReads, WriteForbiddenError, live_reads
from tests.local_stack.live_scene import live_scene
from tests.local_stack.paper import Paper
from tests.local_stack.stack import LocalOptions, LocalStack, open_local_stack
from tests.operator.driver import Driver
from tests.replay.fill_models import MODELS, OPTIMISTIC, PESSIMISTIC
from tests.simulator.adapter import ExchangeAdapter
from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange
from tests.simulator.faults import Faults
from tests.simulator.member import Member
from tests.simulator.tape import Print
from tests.simulator.wire import Reply, Request
from tests.support.small_world import START_MS, TICKERS, small_world, spec
from tests.world import config_items
from tests.world.keys import ApiKey, fresh_key

SERIES = tuple(ticker.split("-", maxsplit=1)[0] for ticker in TICKERS)
WRITES = {name for name in vars(OrderWrites) if not name.startswith("_")}


class Clock:
    """Of whoever reads: the live exchange's own."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now_ms(self) -> TimeMs:
        return TimeMs(self._clock.now_ms())

    def sleep_ms(self, _span_ms: int) -> None: ...


@dataclass(frozen=True)
class Live:
    """What stands for the real exchange here, and a person's account on it."""

    exchange: Exchange
    clock: VirtualClock
    member: Member
    key: ApiKey
    reads: LiveReads


@pytest.fixture
def live() -> Live:
    """Three markets at 44/47 of which one belongs to each series."""
    clock, key = VirtualClock(START_MS), fresh_key("ed25519", "key-of-a-person")
    exchange = Exchange(clock=clock)
    for shard, ticker in enumerate(TICKERS):
        exchange.add_market(spec(ticker, shard))
        exchange.set_background_book(ticker, [(4400, 50_000)], [(4700, 50_000)])
    cash = dict.fromkeys(range(3), 1_000_000_000)
    member = exchange.add_member(
        key_id=key.key_id, public_key_pem=key.public_pem, cash_e6=cash, tier="advanced"
    )
    signer = Signer.from_pem(key.key_id, key.private_pem)
    reads = live_reads("http://live.test/trade-api/v2", signer, Clock(clock), ExchangeAdapter(exchange))
    return Live(exchange, clock, member, key, reads)


@pytest.fixture
def paper(live: Live, tmp_path: Path) -> Iterator[Driver]:
    """A paper session in these markets."""
    scene = live_scene(live.reads, SERIES, most=3, start_ms=START_MS, model=OPTIMISTIC)
    options = LocalOptions(
        scene=Options(), speed=0, configured=True, item={**config_items.MARKET, "min_edge_dollars": "0"}
    )
    with open_local_stack(options, tmp_path, scene) as stack:
        yield Driver(stack, tmp_path)


def _minutes(live: Live, stack: LocalStack, count: int) -> None:
    for _ in range(count):
        live.clock.advance_to(stack.world.clock.now_ms() + 60_000)
        stack.minute()


def test_a_session_on_paper_quotes_live_books_and_earns_what_pnl_says(live: Live, paper: Driver) -> None:
    assert paper.run("start", "--yes").exit_code == 0
    _minutes(live, paper.stack, 3)
    lines = paper.answer("top")["markets"]
    assert [own["market"] for own in lines] == list(TICKERS)
    assert all(own["bid"] != "-" and own["ask"] != "-" for own in lines)

    # Everything at the bid falls away: whoever is first in line there has sold it.
    bid = next(own for own in paper.stack.world.member.resting.values() if own.side == "bid")
    ticker = bid.market.ticker
    live.exchange.set_background_book(ticker, [(bid.price_e4 - 300, 50_000)], [(bid.price_e4, 50_000)])
    _minutes(live, paper.stack, 2)
    fills = paper.stack.world.member.fills
    rows = {own["market"]: own for own in paper.answer("pnl", "--by", "market")["rows"]}

    assert {own.order.client_order_id for own in fills} >= {bid.client_order_id}
    assert Decimal(rows[ticker]["contracts"]) == Decimal(sum(own.trade.count_e2 for own in fills)) / 100
    assert paper.run("teardown", "--yes").exit_code == 0


def test_nothing_but_reads_reaches_the_live_exchange(live: Live, paper: Driver) -> None:
    paper.run("start", "--yes")
    _minutes(live, paper.stack, 3)
    paper.run("halt", "--cancel", "--yes")
    _minutes(live, paper.stack, 1)
    paper.run("teardown", "--yes")

    assert paper.stack.world.member.orders
    assert {call.split()[0] for call in live.exchange.stats.calls} == {"GET"}
    assert live.member.orders == []
    assert live.member.groups == {}


def test_no_way_to_write_can_be_reached(live: Live) -> None:
    reachable = {name for name in dir(live.reads) if not name.startswith("_")}
    before = sum(live.exchange.stats.calls.values())

    assert WRITES
    assert not reachable & (WRITES - set(dir(Transport)))
    for method in ("POST", "PUT", "DELETE"):
        for ask in (live.reads.send, live.reads.read):
            with pytest.raises(WriteForbiddenError):
                ask(Call(method, "/portfolio/events/orders"))
    assert sum(live.exchange.stats.calls.values()) == before


def test_the_bot_knows_neither_the_key_nor_the_address_of_the_live_exchange(
    live: Live, paper: Driver
) -> None:
    _minutes(live, paper.stack, 1)
    stored = json.loads(
        boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")["SecretString"]
    )
    texts = [path.read_text(encoding="utf-8") for path in paper.folder.iterdir()]

    assert stored["key_id"] != live.key.key_id
    middle = live.key.private_pem.splitlines()[1]
    assert not any(secret in text for text in texts for secret in (middle, "live.test", live.key.key_id))


class _Down(Faults):
    """The live exchange does not answer."""

    def before(self, request: Request) -> Reply | None:
        return Reply(503, b"{}")


def test_a_market_that_nobody_sees_any_more_is_not_quoted(live: Live, paper: Driver) -> None:
    paper.run("start", "--yes")
    _minutes(live, paper.stack, 2)
    live.exchange.faults = _Down()
    _minutes(live, paper.stack, 3)
    blind = paper.answer("top")["markets"]
    live.exchange.faults = Faults()
    _minutes(live, paper.stack, 3)

    assert {own["reason"] for own in blind} == {"market_not_active"}
    assert all(own["bid"] != "-" for own in paper.answer("top")["markets"])


# --- fills by the models -----------------------------------------------------------------------------


def _book(bid: int, bids: int, ask: int = 4800) -> Book:
    levels = (Level(Price(bid), Count(bids)),), (Level(Price(ask), Count(50_000)),)
    return Book(TICKERS[0], *levels)


@pytest.mark.parametrize("model", MODELS, ids=lambda own: own.name)
def test_a_bid_fills_as_its_model_says_and_at_its_own_price(model: object) -> None:
    """200 contracts stand before ours of 10; then the touch falls to 150, then a print takes 155 there."""
    with small_world() as seen:
        world = seen.world
        world.start()
        paper = Paper(world.exchange, world.member, model)  # type: ignore[arg-type]
        paper.show(_book(4500, 20_000), world.clock.now_ms())
        own = world.exchange.member_order(world.member, TICKERS[0], "bid", 4500, 1_000)
        paper.show(_book(4500, 20_000), world.clock.now_ms())
        paper.show(_book(4500, 15_000), world.clock.now_ms())
        fallen = own.filled_e2
        paper.printed(Print(world.clock.now_ms(), TICKERS[0], 4500, 15_500, buys_yes=False))

        assert (fallen, own.filled_e2) == {"pess": (0, 500), "infer": (0, 500), "opt": (1_000, 1_000)}[
            model.name  # type: ignore[attr-defined]
        ]
        assert {fill.trade.price_e4 for fill in world.member.fills} == {4500}


def test_a_book_that_trades_through_a_quote_fills_it_whole() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        paper = Paper(world.exchange, world.member, PESSIMISTIC)
        paper.show(_book(4500, 20_000), world.clock.now_ms())
        own = world.exchange.member_order(world.member, TICKERS[0], "bid", 4400, 1_000)
        paper.show(_book(4500, 20_000), world.clock.now_ms())
        paper.show(_book(4200, 20_000, ask=4300), world.clock.now_ms())

        assert own.filled_e2 == 1_000
        assert world.member.fills[-1].trade.price_e4 == 4400


def test_without_a_market_that_both_sides_quote_it_says_so(live: Live) -> None:
    with pytest.raises(DemoError, match="name other --series"):
        live_scene(live.reads, ["KXNOPE"], most=3, start_ms=START_MS, model=PESSIMISTIC)
