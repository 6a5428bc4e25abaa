"""One trading life that a foreign client leads on the simulator, step by step.

Runs in an environment of its own, with the foreign packages and nothing of this project but this folder.
Prices and counts are Decimals here: dollars and contracts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

NEAR, FAR = "RAIN-A", "COIN-A"
"""Two markets, on shards 0 and 2; everybody else bids 0.40 and asks 0.60 for 100 contracts in each."""
CASH = Decimal(1000)
REST, BETTER, TAKE = Decimal("0.30"), Decimal("0.35"), Decimal("0.60")
BALANCE_EVERY_S = 1.1
"""The balance has a rate limit of its own: one call a second."""
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An order to place."""

    ticker: str
    client_order_id: str
    count: Decimal
    price: Decimal
    side: str = "bid"
    group_id: str | None = None
    post_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What the create said; `code` for an entry of a batch that was refused."""

    order_id: str = ""
    filled: Decimal = Decimal(0)
    remaining: Decimal = Decimal(0)
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What the cancel said."""

    reduced_by: Decimal
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """What the exchange shows of an order group."""

    limit: Decimal
    tripped: bool
    order_ids: tuple[str, ...]


class Client(Protocol):
    """What a foreign client must be able to do. Everything refused raises, entries of a batch aside."""

    def place(self, wanted: Wanted) -> Placed: ...
    def place_batch(self, wanted: list[Wanted]) -> list[Placed]: ...
    def amend(self, order_id: str, wanted: Wanted) -> Decimal: ...
    def decrease(self, order_id: str, ticker: str, to: Decimal) -> Decimal: ...
    def cancel(self, order_id: str, ticker: str) -> Decimal: ...
    def cancel_batch(self, orders: list[tuple[str, str]]) -> list[Cancelled]: ...
    def status(self, order_id: str) -> str: ...
    def resting(self, ticker: str) -> list[str]: ...
    def create_group(self, limit: int) -> str: ...
    def groups(self) -> list[str]: ...
    def group(self, group_id: str) -> Group: ...
    def trigger(self, group_id: str) -> None: ...
    def reset(self, group_id: str) -> None: ...
    def limit(self, group_id: str, limit: int) -> None: ...
    def delete(self, group_id: str) -> None: ...
    def fills(self, ticker: str) -> list[tuple[str, Decimal, Decimal]]: ...
    def position(self, ticker: str) -> Decimal: ...
    def balance(self) -> Decimal: ...
    def refusal(self, error: Exception) -> int:
        """The HTTP status of an error; raises it again when it is none of the exchange's."""


class WentWrongError(Exception):
    """The exchange did not do what this step expects."""


def expect(seen: object, wanted: object, what: str) -> None:
    """Unlike `assert`, also when Python is run with -O."""
    if seen != wanted:
        raise WentWrongError(f"{what}: saw {seen!r}, expected {wanted!r}")


def expect_refused(client: Client, status: int, what: str, call: Callable[[], object]) -> None:
    """The call must raise, with this HTTP status."""
    try:
        answer = call()
    except Exception as error:  # each client has errors of its own
        expect(client.refusal(error), status, what)
    else:
        raise WentWrongError(f"{what}: not refused, but answered {answer!r}")


def lead(client: Client) -> None:
    """The whole life. Raises WentWrongError, or whatever the client cannot make sense of."""
    expect(client.balance(), 2 * CASH, "cash of both shards")
    one_order(client)
    batches(client)
    groups(client)
    fills(client)


def one_order(client: Client) -> None:
    """Create, amend, decrease, cancel."""
    wanted = Wanted(ticker=NEAR, client_order_id="one", count=Decimal(10), price=REST)
    placed = client.place(wanted)
    expect((placed.filled, placed.remaining), (0, 10), "a resting create")
    expect_refused(client, 409, "a client order id used twice", lambda: client.place(wanted))
    expect(client.resting(NEAR), [placed.order_id], "the resting list")

    dearer = Wanted(ticker=NEAR, client_order_id="one", count=Decimal(8), price=BETTER)
    expect(client.amend(placed.order_id, dearer), 8, "remaining after the amend")
    expect(client.decrease(placed.order_id, NEAR, Decimal("2.50")), Decimal("2.50"), "after the decrease")
    expect(client.cancel(placed.order_id, NEAR), Decimal("2.50"), "taken off by the cancel")
    expect(client.status(placed.order_id), "canceled", "status")
    expect_refused(client, 404, "a second cancel", lambda: client.cancel(placed.order_id, NEAR))
    expect_refused(client, 404, "an unknown order", lambda: client.status(UNKNOWN_ID))


def batches(client: Client) -> None:
    """Both shards in one batch, with one entry that crosses although it must not."""
    near = Wanted(ticker=NEAR, client_order_id="near", count=Decimal(4), price=REST)
    far = Wanted(ticker=FAR, client_order_id="far", count=Decimal(5), price=REST)
    crossing = Wanted(ticker=FAR, client_order_id="crossing", count=Decimal(1), price=TAKE, post_only=True)
    made = client.place_batch([near, far, crossing])
    expect([entry.remaining for entry in made[:2]], [4, 5], "a batch create on two shards")
    expect(made[2].code, "invalid_order", "the entry that crosses")

    orders = [(made[0].order_id, NEAR), (made[1].order_id, FAR), (UNKNOWN_ID, NEAR)]
    gone = client.cancel_batch(orders)
    expect([entry.reduced_by for entry in gone], [4, 5, 0], "a batch cancel on two shards")
    expect(gone[2].code, "not_found", "the entry nobody knows")
    expect(client.resting(FAR), [], "the resting list")


def groups(client: Client) -> None:
    """Create, list, get, limit, trigger, reset, delete."""
    group_id = client.create_group(50)
    expect(client.groups(), [group_id], "the list of groups")
    order = _in_group(client, "grouped", group_id)
    expect(client.group(group_id), Group(limit=Decimal(50), tripped=False, order_ids=(order,)), "the group")
    client.limit(group_id, 70)
    expect(client.group(group_id).limit, 70, "its limit")

    client.trigger(group_id)
    expect(client.group(group_id), Group(limit=Decimal(70), tripped=True, order_ids=()), "when triggered")
    expect(client.status(order), "canceled", "its order")
    expect_refused(client, 400, "an order into it", lambda: _in_group(client, "late", group_id))
    client.reset(group_id)
    again = _in_group(client, "again", group_id)
    client.delete(group_id)
    expect(client.status(again), "canceled", "the order of a deleted group")
    expect_refused(client, 404, "a deleted group", lambda: client.group(group_id))


def _in_group(client: Client, client_order_id: str, group_id: str) -> str:
    wanted = Wanted(
        ticker=NEAR, client_order_id=client_order_id, count=Decimal(1), price=REST, group_id=group_id
    )
    return client.place(wanted).order_id


def fills(client: Client) -> None:
    """Take what somebody else offers: fills, position, money."""
    taken = client.place(Wanted(ticker=NEAR, client_order_id="taker", count=Decimal("1.50"), price=TAKE))
    expect((taken.filled, taken.remaining), (Decimal("1.50"), 0), "a create that takes")
    expect(client.fills(NEAR), [(taken.order_id, Decimal("1.50"), TAKE)], "fills")
    expect(client.position(NEAR), Decimal("1.50"), "the position")
    time.sleep(BALANCE_EVERY_S)
    spent = 2 * CASH - client.balance()
    least = TAKE * Decimal("1.50")
    expect(least < spent < least + Decimal("0.05"), True, f"price and fee: {spent}")
