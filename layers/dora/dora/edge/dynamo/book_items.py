"""Where the books live in the state table, each in a partition of its own beside the bot's.

    <bot>#books        BOOK#<shard>#<ticker>                 one market's ledger
    <bot>#retired      <ticker>                              a market's ledger that has left the state
    <bot>#books        CASH                                  where the balance was last tied to the books
    <bot>#cash         <since>#<amount>                      cash that no trade of ours explains (7 years)
    <bot>#pnl          <day>#<ticker>#<strategy>#<session>   one profit row, added to
    <bot>#fills        FILL#<fill_id>                        marker that a fill is booked
    <bot>#rewards      <ticker>#<program>#<kind>             a reward that was expected or credited (7 years)
    <bot>#settlements  <ticker>#<settled_ms>#<value>#<result> a payout that was booked
    <bot>              POSITION#<shard>#<ticker>             what versions without these books know

A version without them reads and writes positions only; books that do not have the position of their market
are known by that to be older (`core/accounts/stored_books.py`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dora.core.accounts.cash_tie import CashBooks, UnexplainedCash
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow, RowKey
from dora.core.accounts.rewards import Reward, RewardName
from dora.core.accounts.stored_books import BookChange, Booking
from dora.core.calendar import format_time
from dora.core.exchange.account import Settlement
from dora.edge.dynamo.codec import SHARED_SCHEMA, Item, item_of, key, key_of, value_of_item
from dora.edge.dynamo.items import (
    RECORD_KEPT_S,
    fill_item,
    position_item,
    position_key,
    settlement_item,
)
from dora.edge.dynamo.serde import to_plain
from dora.edge.dynamo.table import Condition, Element, Table

CASH = "CASH"
_ABSENT = Condition("attribute_not_exists(#pk)")
_POSITION = ("net", "cash", "fees", "traded", "settled")
_BOOKS = (*_POSITION, "cost", "brought", "rewards", "fills", "volume", "marked", "settled_ms")
"""One of these differs after every change that adds to a row."""


def books_partition(pk: str) -> str:
    """Of the ledgers."""
    return f"{pk}#books"


def rows_partition(pk: str) -> str:
    """Of the profit rows."""
    return f"{pk}#pnl"


def retired_partition(pk: str) -> str:
    """Of the ledgers of markets that have left the state."""
    return f"{pk}#retired"


def book_key(ledger: MarketLedger) -> str:
    """Sort key of a market's books."""
    return f"BOOK#{ledger.shard}#{ledger.ticker}"


def read_books(items: Iterable[Mapping[str, Any]]) -> dict[str, MarketLedger]:
    """By ticker, in the order of the items."""
    ledgers = (value_of_item(MarketLedger, item) for item in items if key_of(item)[1] != CASH)
    return {ledger.ticker: ledger for ledger in ledgers}


def read_cash(items: Iterable[Mapping[str, Any]]) -> CashBooks:
    """The cash books among the items; nothing tied yet where there are none."""
    found = (value_of_item(CashBooks, item) for item in items if key_of(item)[1] == CASH)
    return next(found, CashBooks())


def cash_item(pk: str, cash: CashBooks) -> Item:
    """One small item, beside the books that it is tied to."""
    return item_of(books_partition(pk), CASH, cash)


def unexplained_partition(pk: str) -> str:
    """Of the records of cash that no trade explains."""
    return f"{pk}#cash"


def unexplained_item(pk: str, found: UnexplainedCash) -> Item:
    """The record of what was found: the same finding is the same item."""
    sk = f"{format_time(found.since_ms)}#{found.amount}"
    return item_of(unexplained_partition(pk), sk, found, found.found_ms // 1000 + RECORD_KEPT_S)


def rewards_partition(pk: str) -> str:
    """Of the records of rewards."""
    return f"{pk}#rewards"


def reward_key(name: RewardName) -> str:
    """Sort key of a reward's record."""
    return f"{name.ticker}#{name.program}#{name.kind}"


def _reward_item(pk: str, reward: Reward, now_s: int) -> Item:
    """The record that a reward is booked: its marker as well."""
    return item_of(rewards_partition(pk), reward_key(reward.name), reward, now_s + RECORD_KEPT_S)


def read_rows(items: Iterable[Mapping[str, Any]]) -> tuple[ProfitRow, ...]:
    """Profit rows as they are stored."""
    return tuple(value_of_item(ProfitRow, item) for item in items)


def read_payouts(items: Iterable[Mapping[str, Any]]) -> tuple[Settlement, ...]:
    """Payouts as they were booked; an item holds the position that each left as well."""
    own = ({name: value for name, value in item.items() if name != "position"} for item in items)
    return tuple(value_of_item(Settlement, item) for item in own)


def markers(table: Table, pk: str, booking: Booking, now_s: int) -> list[Element]:
    """One for each fill and each reward; none of them may stand already."""
    items = [fill_item(pk, fill, now_s) for fill in booking.fills]
    items += [_reward_item(pk, reward, now_s) for reward in booking.rewards]
    return [table.put_element(item, _ABSENT) for item in items]


def elements(table: Table, pk: str, booking: Booking, now_s: int) -> Iterator[Element]:
    """All else that the booking stores."""
    if booking.settlement is not None:
        left = booking.positions[booking.settlement.ticker]
        yield table.put_element(settlement_item(pk, booking.settlement, left, now_s))
    if booking.cash is not None:
        yield table.put_element(cash_item(pk, booking.cash))
    if booking.found is not None:
        yield table.put_element(unexplained_item(pk, booking.found))
    for ledger in booking.leaving:
        yield from _leaving(table, pk, ledger)
    for ledger in booking.returning:
        yield table.delete_element(key(retired_partition(pk), ledger.ticker), _still(ledger, _BOOKS))
        yield from _of_market(table, pk, BookChange(ledger))
    for change in booking.changes:
        yield from _of_market(table, pk, change)
    for row in booking.rows:
        yield _added(table, pk, row)


def _of_market(table: Table, pk: str, change: BookChange) -> Iterator[Element]:
    books = item_of(books_partition(pk), book_key(change.after), change.after)
    yield table.put_element(books, _still(change.before, _BOOKS))
    yield table.put_element(position_item(pk, change.after.position), _still(change.stood, _POSITION))


def _leaving(table: Table, pk: str, ledger: MarketLedger) -> Iterator[Element]:
    """Both items go where they are still what the record keeps."""
    place, position = key(books_partition(pk), book_key(ledger)), ledger.position
    yield table.delete_element(place, _still(ledger, _BOOKS))
    yield table.delete_element(key(pk, position_key(position)), _still(position, _POSITION))
    yield table.put_element(item_of(retired_partition(pk), ledger.ticker, ledger))


def _still(stored: object, names: tuple[str, ...]) -> Condition:
    """What is written over is what the new value was made from."""
    if stored is None:
        return _ABSENT
    text = " AND ".join(f"#{name} = :{name}" for name in names)
    return Condition(text, {name: getattr(stored, name) for name in names})


def _added(table: Table, pk: str, row: ProfitRow) -> Element:
    """A row's figures added to what is stored under its key."""
    named: dict[str, Any] = row.key._asdict()
    figures = {name: own for name, own in to_plain(row).items() if name not in RowKey._fields}
    sets = ", ".join(f"#{name} = :{name}" for name in ("v", *named))
    adds = ", ".join(f"#{name} :{name}" for name in figures)
    place = key(rows_partition(pk), "#".join(row.key))
    values = {"v": SHARED_SCHEMA, **named, **figures}
    return table.update_element(place, f"SET {sets} ADD {adds}", values)
