"""A look at programs comes between a cycle's orders and its commit: nothing of it may end the cycle."""

from types import SimpleNamespace
from typing import Any, cast

from dora.core.config_items import parse_market
from dora.core.incentives.programs import PROGRAMS
from dora.flow.cycle.programs import look_at_programs
from tests.support.examples import NOW, TICKER, market
from tests.support.kalshi_fakes import FakeFacts


def test_a_fault_of_ours_costs_the_look_and_keeps_what_was_known() -> None:
    kept = {"rows": "of a shape that nobody knows"}
    config = parse_market("item", TICKER, {"enabled": True, "strategy": "incentive"})
    loaded = SimpleNamespace(wanted={TICKER: config}, state=SimpleNamespace(memory={PROGRAMS: kept}))
    facts, clock = FakeFacts(), SimpleNamespace(now_ms=lambda: NOW)
    ports = SimpleNamespace(facts=facts, clock=clock)  # Whatever else it asks for is an AttributeError.

    context = SimpleNamespace(began_ms=NOW, deadline_ms=NOW + 60_000)
    accounts = SimpleNamespace(books={})
    after = look_at_programs(
        cast(Any, ports), cast(Any, context), cast(Any, loaded), cast(Any, accounts), {TICKER: market()}
    )

    assert after == kept
