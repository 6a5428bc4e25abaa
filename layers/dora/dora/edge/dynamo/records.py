"""The records of an account that are kept for seven years, for people: no cycle reads them."""

from dora.core.accounts.cash_tie import UnexplainedCash
from dora.core.accounts.records import AccountRecords
from dora.core.accounts.rewards import Reward
from dora.core.exchange.account import Fill
from dora.edge.dynamo.book_items import read_payouts, rewards_partition, unexplained_partition
from dora.edge.dynamo.codec import value_of_item
from dora.edge.dynamo.items import fills_partition, settlements_partition
from dora.edge.dynamo.table import Client, Table


def read_records(client: Client, table: str, pk: str) -> AccountRecords:
    """Every fill and payout that was booked, all cash that no trade explained, and the rewards in it.

    Raises StateError.
    """
    own = Table(client, table)
    return AccountRecords(
        fills=tuple(value_of_item(Fill, item) for item in own.query(fills_partition(pk))),
        payouts=read_payouts(own.query(settlements_partition(pk))),
        cash=tuple(value_of_item(UnexplainedCash, item) for item in own.query(unexplained_partition(pk))),
        rewards=tuple(value_of_item(Reward, item) for item in own.query(rewards_partition(pk))),
    )
