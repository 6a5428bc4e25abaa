"""One stack for the tests of a file."""

from collections.abc import Iterator

import pytest

from tests.operator.driver import Driver, local_driver


@pytest.fixture(scope="module")
def dora() -> Iterator[Driver]:
    """A configured stack with an open session and a few cycles behind it."""
    with local_driver() as driver:
        assert driver.run("start", "--yes").exit_code == 0
        driver.minutes(4)
        yield driver
