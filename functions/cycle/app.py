"""The schedule's door: one cycle per event."""

from typing import TYPE_CHECKING

from dora import collection, triggers, wiring  # noqa: F401  # collection: before all else that is imported
from dora.flow.cycle.run import run_cycle

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def lambda_handler(event: object, context: "LambdaContext") -> wiring.Response:
    """One cycle of reconcile, compute, diff, batch execute. Safe to repeat: a tick runs once."""

    def work(app: wiring.App) -> wiring.Response:
        scheduled_ms = triggers.parse_tick(event, bot=app.settings.bot, now_ms=app.ports.clock.now_ms())
        owner, remaining_ms = context.aws_request_id, context.get_remaining_time_in_millis()
        return run_cycle(app.ports, scheduled_ms, owner=owner, remaining_ms=remaining_ms)

    return wiring.serve("cycle", work, context.aws_request_id, context.get_remaining_time_in_millis())
