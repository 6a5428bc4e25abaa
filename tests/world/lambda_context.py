"""The context object that Lambda hands to a handler, counted down by the simulator's clock."""

from dataclasses import dataclass

from tests.simulator.clock import Clock

CYCLE_TIMEOUT_MS = 45_000
SESSION_TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What the handlers (and Powertools' logger) read of a Lambda context."""

    clock: Clock
    deadline_ms: int
    aws_request_id: str
    function_name: str
    memory_limit_in_mb: int = 1024

    @property
    def function_version(self) -> str:
        return "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds of virtual time until Lambda would kill the invocation."""
        return max(self.deadline_ms - self.clock.now_ms(), 0)
