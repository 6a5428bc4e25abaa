"""Which markets the exchange does not know: a slip in a ticker, told when it is written."""

from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException

from dora.core.errors import DoraError
from dora.edge.kalshi.pagination import comma_lists, read_list
from dora_operator.exchange import own_exchange
from dora_operator.failures import OperatorError
from dora_operator.target import Target


def unlisted(target: Target, tickers: Iterable[str]) -> list[str] | None:
    """Those of the tickers that its list of markets does not hold, sorted; None: it could not be read."""
    asked = sorted(tickers)
    try:
        exchange = own_exchange(target)
        rows = [
            row
            for part in comma_lists(asked)
            for row in read_list(exchange, "/markets", "markets", [("tickers", part)])
        ]
        known = {row.field("ticker", str) for row in rows}
    except (DoraError, OperatorError, ClientError, BotoCoreError, RequestException):
        return None
    return [own for own in asked if own not in known]
