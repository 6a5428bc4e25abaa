"""What booking fills costs in billed write units of DynamoDB, fence check and all."""

import boto3

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import Attribution, post_fills
from dora.core.accounts.stored_books import FILLS_PER_TRANSACTION, BookChange, Booking
from dora.core.exchange.account import Fill
from dora.edge.dynamo.store import DynamoState
from tests.bench import cloud_counts
from tests.support.dynamo_values import BOT, NOW_MS, StandingClock, fill
from tests.support.store_backings import DynamoBacking, take_fence
from tests.world.cloud import open_cloud
from tests.world.tables import create_tables

TICKER = "KXHIGHNY-26NOV21-T52"
BEFORE_BOOKS = 6
"""Units of one fill alone while only its marker and position were kept: two each, and two for the fence."""


def book_units() -> dict[str, float]:
    """Units a fill: alone in its transaction, and in a full one of a single market or of as many markets."""
    many = range(FILLS_PER_TRANSACTION)
    return {
        "alone": _units([_fill(0, TICKER)]),
        f"{len(many)} of one market": _units([_fill(number, TICKER) for number in many]),
        "24 of 24 markets": _units([_fill(n, f"{TICKER}{n}") for n in range(24)]),
    }


def _units(fills: list[Fill]) -> float:
    """Over books that hold as many earlier fills of each market as they keep one by one."""
    with cloud_counts.counting(), open_cloud("process"):
        client = boto3.client("dynamodb")
        create_tables(client, "config", "state")
        fence = take_fence(DynamoBacking(client))
        state = DynamoState(client, "state", BOT, StandingClock())
        state.load()
        tickers = {own.ticker for own in fills}
        ledgers: dict[str, MarketLedger] = {}
        for number, ticker in enumerate(sorted(tickers)):
            older = [_fill(1_000 * (number + 1) + at, ticker) for at in range(FILLS_PER_TRANSACTION)]
            ledgers |= _book(state, fence, ledgers, older)
        cloud_counts.take()
        _book(state, fence, ledgers, fills)
        return round(cloud_counts.take().write_units / len(fills), 2)


def _book(
    state: DynamoState, fence: int, stood: dict[str, MarketLedger], fills: list[Fill]
) -> dict[str, MarketLedger]:
    by = {own.order_id: Attribution("reservation", "s20261120T140000Z") for own in fills}
    posted = post_fills(stood, fills, (), by)
    changes = tuple(
        BookChange(own, stood.get(ticker), stood[ticker].position if ticker in stood else None)
        for ticker, own in posted.ledgers.items()
    )
    assert state.book(fence, Booking(changes=changes, rows=posted.rows, fills=posted.fills))
    return dict(posted.ledgers)


def _fill(number: int, ticker: str) -> Fill:
    at_ms = NOW_MS + 1_000 * number
    return fill(number, ticker)._replace(fill_id=f"b6b2f9d2-0000-4000-8000-{number:012d}", at_ms=at_ms)
