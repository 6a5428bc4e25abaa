"""The strategies by name. A strategy is one function: what to rest in a market, what to remember of it."""

from collections.abc import Callable, Mapping

from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.maker import quote

Strategy = Callable[[QuoteInputs, Mapping[str, object] | None], tuple[Decision, Mapping[str, object]]]
"""Pure. May raise, and may be wrong: its answer is checked, and costs its own market at most."""

DEFAULT = "maker"
STRATEGIES: dict[str, Strategy] = {DEFAULT: quote}
