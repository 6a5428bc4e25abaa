"""The bot and the simulator speak the exchange's own document, request by request and reply by reply."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.contract.deployment import JudgedDeployment, Judgement
from tests.contract.document import Document
from tests.contract.parameters import unknown_parameters
from tests.contract.witness import Sent
from tests.demo.options import Options
from tests.demo.run import run
from tests.demo.scene import Scene, choose_scene
from tests.world import config_items
from tests.world.world import World, open_world

pytestmark = pytest.mark.long

CYCLES, MARKETS = 20, 6
ORDERS = "/trade-api/v2/portfolio/events/orders"
GROUPS = "/trade-api/v2/portfolio/order_groups"


def _scene(cycles: int) -> Scene:
    return choose_scene(Options(cycles=cycles, markets=MARKETS))


def _assert_lawful(judgement: Judgement, document: Document) -> None:
    assert judgement.testimony.problems == []
    assert judgement.complaints == []
    assert unknown_parameters(document, judgement.testimony.sent) == set()


def test_a_whole_demo_breaks_no_rule_of_the_document(
    document: Document, document_file: Path, tmp_path: Path
) -> None:
    deployment = JudgedDeployment(document_file, tmp_path)

    done = run(_scene(CYCLES), lambda _number, _answer: None, wire="http", cloud="process", deploy=deployment)

    assert done.finished
    assert not done.breaches
    assert done.fills
    assert {f"POST {ORDERS}/batched", f"DELETE {ORDERS}/batched"} <= set(deployment.judgement.calls)
    assert len(deployment.judgement.calls) == len(deployment.judgement.testimony.sent)
    _assert_lawful(deployment.judgement, document)


def test_smaller_quotes_and_every_verb_of_a_session_break_no_rule_of_the_document(
    document: Document, document_file: Path, tmp_path: Path
) -> None:
    deployment = JudgedDeployment(document_file, tmp_path)
    scene = _scene(2)

    with open_world(scene.setup("http", "process"), deployment) as world:
        scene.play(world)
        _live_through_every_verb(world, scene.tickers)

    calls = deployment.judgement.calls
    assert any(call.startswith(f"POST {ORDERS}/") and call.endswith("/decrease") for call in calls)
    assert any(call.startswith(f"PUT {GROUPS}/") and call.endswith("/trigger") for call in calls)
    _assert_lawful(deployment.judgement, document)


def _live_through_every_verb(world: World, tickers: tuple[str, ...]) -> None:
    """With markets that need no warm-up, so that quotes stand at once."""
    for ticker in tickers:
        world.put_market(ticker, config_items.MARKET)
    assert world.start()["status"] == "active"
    world.cycle()
    for ticker in tickers:
        world.put_market(ticker, {**config_items.MARKET, "quote_size": Decimal(5)})
    world.cycle()
    for verb in ("halt", "resume", "reset", "status", "watch"):
        world.next_minute()
        world.session(f"session_{verb}")
    world.next_minute()
    assert world.teardown()["status"] == "closed"


def test_a_query_parameter_that_the_document_does_not_have_is_seen(document: Document) -> None:
    path = "/trade-api/v2/portfolio/orders"
    lawful = Sent("GET", path, ("status", "limit", "exchange_index"))
    foreign = Sent("GET", path, ("status", "shard"))
    nowhere = Sent("GET", "/trade-api/v2/portfolio/commands", ("limit",))

    assert unknown_parameters(document, [lawful]) == set()
    assert unknown_parameters(document, [foreign]) == {f"GET {path}: shard"}
    assert unknown_parameters(document, [nowhere]) == {f"GET {nowhere.path}: limit"}
