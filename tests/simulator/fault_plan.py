"""What goes wrong and when, as a value: printed, read back, drawn from a seed, shortened.

Times count from the moment the plan is loaded. The same plan makes the same run.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields

ALWAYS_MS = 10**15
"""Longer than any run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, from `at_ms` on for `for_ms`.

    `where` is a pattern (`*` stands for anything) of what it strikes: `POST /portfolio/events/orders/batched`
    without the version prefix, `PutItem PLAN`, a ticker, a shard. `times` is how often it strikes the same
    request (0: always), `share` how many of a hundred requests. What `amount` and `code` mean stands with
    the kind.
    """

    kind: str
    where: str = "*"
    at_ms: int = 0
    for_ms: int = ALWAYS_MS
    times: int = 0
    share: int = 100
    amount: int = 0
    code: str = ""

    def text(self) -> str:
        """One line of JSON that names what is not default."""
        plain = {f.name: f.default for f in fields(self)}
        return json.dumps({name: value for name, value in asdict(self).items() if value != plain[name]})


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All faults of one run. `seed` decides what a fault leaves open: whom it strikes, which rows."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0

    def text(self) -> str:
        """A line for the seed and a line for each fault."""
        return "\n".join([json.dumps({"seed": self.seed}), *(fault.text() for fault in self.faults)])

    @classmethod
    def parse(cls, text: str) -> "FaultPlan":
        """The plan that `text` printed."""
        head, *lines = text.strip().splitlines()
        return cls(tuple(Fault(**json.loads(line)) for line in lines), json.loads(head)["seed"])


def shortest(plan: FaultPlan, fails: Callable[[FaultPlan], bool]) -> FaultPlan:
    """A plan that still fails and of which no single fault can be left out. `fails` runs a world."""
    faults, parts = list(plan.faults), 2
    while faults:
        smaller = next(
            (rest for rest in _rests(faults, parts) if fails(FaultPlan(tuple(rest), plan.seed))), None
        )
        if smaller is not None:
            faults, parts = smaller, max(parts - 1, 2)
        elif parts >= len(faults):
            break
        else:
            parts = min(2 * parts, len(faults))
    return FaultPlan(tuple(faults), plan.seed)


def _rests(faults: Sequence[Fault], parts: int) -> Iterator[list[Fault]]:
    """What is left when one of so many slices is taken out."""
    size = -(-len(faults) // parts)
    for first in range(0, len(faults), size):
        yield [*faults[:first], *faults[first + size :]]
