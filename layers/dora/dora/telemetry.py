"""Facts as JSON lines and a dozen metrics, through Powertools.

Two loggers, parent and child, write to the same stream: facts are always written, diagnostics obey
LOG_LEVEL. Metrics carry one dimension, the service (the stack's name); a market is never a dimension,
because every distinct value would be another metric to pay for.
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Dora"
MAX_FIELDS = 130
"""Fields of one fact; with the keys that every line carries a line stays under 150."""

LEVELS = {
    "ERROR": "ERROR",
    "CONFIG_INVALID": "ERROR",
    "RISK_HALT": "ERROR",
    "WARNING": "WARNING",
    "EXTERNAL_ACTIVITY": "WARNING",
    "POSITION_DRIFT": "WARNING",
    "POSITION_ADJUSTED": "WARNING",
    "BOOKS_CARRIED_OVER": "WARNING",
    "SETTLEMENT_AMENDED": "WARNING",
    "ORDER_GROUP_LIMIT_REACHED": "WARNING",
    "ORDER_ADOPTED": "WARNING",
    "BATCH_PLACE_FAILED": "WARNING",
    "BATCH_CANCEL_FAILED": "WARNING",
    "RATE_LIMIT": "WARNING",
    "BUDGET_LOW": "WARNING",
    "HEARTBEAT": "WARNING",
}
"""Level of each fact that is not INFO: ERROR asks for a person, WARNING is a fault that the bot lives with.

A `HEARTBEAT` is written only where cycles fell silent."""

NUMEROUS = frozenset({"DECISION_MADE"})
"""Facts of which one cycle may write one a market: they do without the keys that its `CYCLE` line has, and
without their name a second time."""
OF_THE_CYCLE = dict.fromkeys(("bot", "cold_start", "function", "request_id", "session_id"))


class Telemetry:
    """`ports.Facts` over Powertools; one per environment, cleared at the start of each invocation."""

    def __init__(self, *, bot: str, service: str, log_level: str) -> None:
        self._bot = bot
        self._facts = Logger(service=service, level="INFO", location=None)
        self._write = {"ERROR": self._facts.error, "WARNING": self._facts.warning, "INFO": self._facts.info}
        self.diagnostics = Logger(service=service, level=log_level, child=True)
        self._metrics = Metrics(namespace=NAMESPACE, service=service)
        self._cold = True

    def begin(self, **keys: str) -> None:
        """A new invocation: forget the last one's keys, which a warm environment still holds.

        Lines of the first one say `cold_start`: the app was made for it.
        """
        cold = {"cold_start": "yes"} if self._cold else {}
        self._cold = False
        self._facts.clear_state()
        self._facts.append_keys(bot=self._bot, **cold, **keys)

    def context(self, **keys: str) -> None:
        """Keys that every later line of this invocation carries."""
        self._facts.append_keys(**keys)

    def emit(self, event_type: str, **fields: object) -> None:
        """One fact, flat, at its level: a list becomes one text. Fields beyond the limit are counted only."""
        flat = {name: _flat(value) for name, value in list(fields.items())[:MAX_FIELDS]}
        if len(fields) > MAX_FIELDS:
            flat["fields_cut"] = len(fields) - MAX_FIELDS
        write = self._write[LEVELS.get(event_type, "INFO")]
        if event_type in NUMEROUS:
            write("", extra={"event_type": event_type, **flat, **OF_THE_CYCLE})  # None is not written.
        else:
            write(event_type, extra={"event_type": event_type, **flat})

    def count(self, name: str, value: float) -> None:
        """One metric value; a name that ends in `Percent` has that unit."""
        unit = MetricUnit.Percent if name.endswith("Percent") else MetricUnit.Count
        self._metrics.add_metric(name=name, unit=unit, value=value)

    def flush(self) -> None:
        """Write the metrics of this invocation; nothing when there are none."""
        if self._metrics.metric_set:
            self._metrics.flush_metrics()


def _flat(value: object) -> object:
    """Every entry of a list would be a field of its own to the saved queries."""
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else value
