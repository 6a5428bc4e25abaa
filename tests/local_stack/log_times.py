"""Log lines of a virtual run carry the virtual time."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def virtual_log_times(now_ms: Callable[[], int]) -> Iterator[None]:
    """Every record made in this block is dated by that clock."""
    before = logging.getLogRecordFactory()

    def dated(*args: object, **given: object) -> logging.LogRecord:
        record = before(*args, **given)
        record.created, record.msecs = now_ms() / 1000, float(now_ms() % 1000)
        return record

    logging.setLogRecordFactory(dated)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)
