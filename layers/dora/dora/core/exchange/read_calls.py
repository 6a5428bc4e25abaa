"""How much one read call may name: where lists are cut, so that calls can be counted before they are made."""

from collections.abc import Iterable, Iterator

PAGE_ROWS = 1_000
"""Rows of one page of the account's lists."""
BOOKS_PER_CALL = 100
BOOK_LEVELS = 13
"""Prices of a side of a book that are read: the three that weigh in (`fair_value`), behind two of our own
ladders, one of them on its way out. Of an account that rests at more prices of one side than those ten, by
other programs or by hand, fewer of others' prices weigh in."""
MARKETS_PER_CALL, TICKERS_LENGTH = 300, 7_500
"""Tickers of one comma list; a URL should stay under 8 kB."""


def ticker_lists(tickers: Iterable[str]) -> Iterator[list[str]]:
    """Every ticker once, in as many comma lists as one call each may take."""
    part: list[str] = []
    length = 0
    for ticker in dict.fromkeys(tickers):
        if part and (len(part) == MARKETS_PER_CALL or length + len(ticker) > TICKERS_LENGTH):
            yield part
            part, length = [], 0
        part.append(ticker)
        length += len(ticker) + 1
    if part:
        yield part
