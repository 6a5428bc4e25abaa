"""Fixtures of the unit tests."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.store_backings import Backing


@pytest.fixture(params=["dynamo", "memory"])
def backing(request: pytest.FixtureRequest) -> "Backing":
    """An empty storage: the adapter on an embedded DynamoDB, then memory."""
    from tests.support.store_backings import DynamoBacking, MemoryBacking
    from tests.world.memory_cloud import MemoryCloud

    if request.param == "memory":
        return MemoryBacking(MemoryCloud())
    return DynamoBacking(request.getfixturevalue("dynamo"))
