"""The operator's and the watch schedule's door: one session action per event."""

from typing import TYPE_CHECKING

from dora import collection, triggers, wiring  # noqa: F401  # collection: before all else that is imported
from dora.flow.session.run import run_command

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def lambda_handler(event: object, context: "LambdaContext") -> wiring.Response:
    """Start, show, watch, halt, resume, reset or tear down the session. Safe to repeat, each of them."""

    def work(app: wiring.App) -> wiring.Response:
        command = triggers.parse_session_command(event, bot=app.settings.bot)
        session_id = wiring.session_id_for(app.ports.clock.now_ms())
        return run_command(app.ports, command, session_id, context.get_remaining_time_in_millis())

    return wiring.serve("session", work, context.aws_request_id, context.get_remaining_time_in_millis())
