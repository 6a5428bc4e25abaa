"""The strategies by the name that a market's config chooses them by. A new one is a file and a line here."""

from collections.abc import Mapping

from dora.core.config import DEFAULT_STRATEGY
from dora.core.incentives.programs import INCENTIVE
from dora.core.quoting.strategies.incentive import Incentive
from dora.core.quoting.strategies.join import Join
from dora.core.quoting.strategies.reservation import Reservation
from dora.core.quoting.strategy import Strategy

STRATEGIES: Mapping[str, Strategy] = {
    DEFAULT_STRATEGY: Reservation(),
    "join": Join(),
    INCENTIVE: Incentive(),
}
