"""The records of an account that are kept for seven years, for people: no cycle reads them."""

from dora.core.accounts.cash_tie import UnexplainedCash
from dora.core.accounts.records import AccountRecords
from dora.core.exchange.account import Fill
from dora.edge.dynamo.book_items import read_payouts, unexplained_partition
from dora.edge.dynamo.codec import value_of_item
from dora.edge.dynamo.items import fills_partition, settlements_partition
from dora.edge.dynamo.table import Client, Table


def read_records(client: Client, table: str, pk: str) -> AccountRecords:
    """Every fill that was booked, every payout, and all cash that no trade explained. Raises StateError."""
    own = Table(client, table)
    return AccountRecords(
        fills=tuple(value_of_item(Fill, item) for item in own.query(fills_partition(pk))),
        payouts=read_payouts(own.query(settlements_partition(pk))),
        cash=tuple(value_of_item(UnexplainedCash, item) for item in own.query(unexplained_partition(pk))),
    )
