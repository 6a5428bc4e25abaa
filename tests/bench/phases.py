"""CPU of a cycle by phase and by client, measured from outside: functions of the product are wrapped by name.

A rewrite that moves or renames one of them edits the two tables here, and nothing else.

Phases follow each other in the main thread; what worker threads burn meanwhile counts to the phase that waits
for them (`process_time`). A phase inside another one is not counted to the outer one. Clients are measured by
their own thread's time (`thread_time`) wherever they are called, and lie within the phases: they are parts of
them, not additions.
"""

import importlib
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from threading import Lock, current_thread, main_thread
from typing import Any

RUN, OBSERVE, BOOK = "dora.flow.cycle.run", "dora.flow.cycle.observe", "dora.flow.cycle.book"
PLAN, FINISH = "dora.flow.cycle.plan", "dora.flow.cycle.finish"
CHOOSE, COMPUTE = "dora.flow.cycle.choose", "dora.flow.cycle.compute"
TRANSPORT = "dora.edge.kalshi.transport"

PHASES = (
    ("load", RUN, "load"),
    ("read", OBSERVE, "read"),
    ("reconcile", OBSERVE, "reconcile"),
    ("accounts", BOOK, "keep_accounts"),
    ("decide", CHOOSE, "decide"),
    ("compute", COMPUTE, "quote_all"),
    ("risk", COMPUTE, "_risk_facts"),
    ("risk", COMPUTE, "apply_caps"),
    ("diff", COMPUTE, "_all_rules"),
    ("diff", COMPUTE, "plan_slots"),
    ("execute", RUN, "execute"),
    ("purchase", PLAN, "purchase"),
    ("persist", FINISH, "wide_record"),
    ("persist", FINISH, "commit"),
    ("persist", FINISH, "tell"),
    ("archive", RUN, "archive"),
)
"""Phase, module, function. `decide` is what is left of it beside its parts."""

CLIENTS = (
    ("requests", "requests.sessions", "Session.send"),
    ("requests", "requests.sessions", "Session.prepare_request"),
    ("requests", TRANSPORT, "read_complete"),
    ("signing", "dora.edge.kalshi.signing", "Signer.headers"),
    ("json", TRANSPORT, "load_json"),
    ("json", TRANSPORT, "load_apart"),
    ("botocore", "botocore.client", "BaseClient._make_api_call"),
    ("logging", "dora.telemetry", "Telemetry.emit"),
    ("logging", "dora.telemetry", "Telemetry.flush"),
)
COMPUTE_DIFF = ("decide", "compute", "risk", "diff")
"""The phases that make up "compute and diff": from what was read to what is to be sent, without I/O."""


class Phases:
    """CPU milliseconds by phase and by client since the last `take`."""

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self._clients: Counter[str] = Counter()
        self._waits: Counter[str] = Counter()
        self._inner = [0]
        self._lock = Lock()

    def install(self) -> None:
        """Wrap everything named above, for the rest of this process."""
        for name, module, path in PHASES:
            _wrap(module, path, lambda work, name=name: self.wrapped(name, work))
        for name, module, path in CLIENTS:
            _wrap(module, path, lambda work, name=name: self._client(name, work))

    def take(self) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
        """CPU by phase and by client, and how long the main thread waited for each client; all start anew."""
        counters = self._spent, self._clients, self._waits
        spent, clients, waits = ({name: ns / 1e6 for name, ns in own.items()} for own in counters)
        for own in counters:
            own.clear()
        return spent, clients, waits

    def wrapped(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work as a phase of that name."""

        @wraps(work)
        def measured(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time_ns()
            self._inner.append(0)
            try:
                return work(*args, **kwargs)
            finally:
                took = time.process_time_ns() - began
                self._spent[name] += took - self._inner.pop()
                self._inner[-1] += took

        return measured

    def _client(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def measured(*args: Any, **kwargs: Any) -> Any:
            began, since = time.thread_time_ns(), time.perf_counter_ns()
            try:
                return work(*args, **kwargs)
            finally:
                took, passed = time.thread_time_ns() - began, time.perf_counter_ns() - since
                with self._lock:
                    self._clients[name] += took
                    self._waits[name] += passed - took if current_thread() is main_thread() else 0

        return measured


def _wrap(module: str, path: str, wrapped: Callable[[Any], Any]) -> None:
    """Raises AttributeError where the product no longer has it: the tables above are out of date then."""
    holder: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        holder = getattr(holder, part)
    setattr(holder, name, wrapped(getattr(holder, name)))
