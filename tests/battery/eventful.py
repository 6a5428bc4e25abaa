"""Some cycles in which much happens, for whoever looks at what cycles leave behind."""

from tests.battery.scene import CREATE, Scene, fill
from tests.simulator.fault_plan import Fault
from tests.support.small_world import TICKERS, set_book

A, B, C = TICKERS
ORDERS, POSITIONS, FILLS = "GET /portfolio/orders", "GET /portfolio/positions", "GET /portfolio/fills"


def eventful_cycles(stage: Scene) -> None:
    """Quotes, fills, moves, unanswered creates, late, torn, strange and refused reads, a halt, no limiter."""
    stage.run(1)
    fill(stage.world, A, "bid", 300)
    set_book(stage.world, A)
    stage.run(1)
    stage.move()
    stage.struck(Fault(kind="lose-answer", where=CREATE))
    stage.run(2)
    stage.move(4400)
    stage.struck(Fault(kind="lag", where="orders", amount=30_000))
    stage.struck(Fault(kind="part-batch", where=CREATE, code="prefix"))
    stage.struck(Fault(kind="foreign-rows", where=ORDERS, code="side"))
    stage.struck(Fault(kind="refuse", where=POSITIONS, amount=401, code="unauthorized"))
    stage.struck(Fault(kind="fail-page", where=ORDERS))
    stage.struck(Fault(kind="lose-answer", where="GET /markets/orderbooks"))
    stage.world.session("session_halt_cancel", reason="lunch")
    stage.run(1)
    stage.world.session("session_resume")
    stage.run(2)
    stage.move(4500)
    stage.struck(Fault(kind="aws-throttle", where="UpdateItem LIMITER"))
    stage.run(2)
